#include "agent/cli/value_input.hpp"

#include "common/base/system_text.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <iostream>

#include <poll.h>
#include <termios.h>
#include <unistd.h>

namespace trebuchet {
namespace {

constexpr std::size_t longest_value = std::size_t{1} << 20U;
/// A terminal cuts a line off here, without a word; with its newline.
constexpr std::size_t longest_line = 4095;
constexpr int wait_for_paste_ms = 100;
constexpr std::array<int, 4> ending_signals{SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/// For the signal handler.
termios settings_before;

extern "C" void restore_and_end(int signal) {
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings_before);
    std::signal(signal, SIG_DFL);
    std::raise(signal);
}

/// Turns the echo off.
class NoEcho {
  public:
    NoEcho() {
        if (::tcgetattr(STDIN_FILENO, &settings_before) != 0) return;
        for (const int signal : ending_signals) std::signal(signal, restore_and_end);
        auto silent = settings_before;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        is_off_ = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
    }
    NoEcho(const NoEcho&) = delete;
    NoEcho& operator=(const NoEcho&) = delete;
    ~NoEcho() {
        // What is left of a paste must not become commands of the shell.
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings_before);
        for (const int signal : ending_signals) std::signal(signal, SIG_DFL);
    }
    [[nodiscard]] bool is_off() const { return is_off_; }
    /// Whether something follows the line that was read, be it only a part of a line.
    [[nodiscard]] static bool more_follows() {
        auto by_byte = settings_before;
        by_byte.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON);
        if (::tcsetattr(STDIN_FILENO, TCSANOW, &by_byte) != 0) return true;
        pollfd input{STDIN_FILENO, POLLIN, 0};
        return ::poll(&input, 1, wait_for_paste_ms) != 0;
    }

  private:
    bool is_off_ = false;
};

Result<WipedString> read_all(bool one_line) {
    WipedString text;
    std::array<char, 4096> buffer{};
    for (;;) {
        const auto count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return fail("cannot read the value: " + system_text(errno));
        text.append(buffer.data(), static_cast<std::size_t>(count));
        wipe(buffer.data(), buffer.size());
        if (text.size() > longest_value) return fail("the value is longer than 1 MiB");
        if (count == 0 || (one_line && text.ends_with('\n'))) return text;
    }
}

}  // namespace

Result<SecretString> read_value(bool keep_newline) {
    const bool is_terminal = ::isatty(STDIN_FILENO) == 1;
    Result<WipedString> text;
    if (is_terminal) {
        const NoEcho no_echo;
        if (!no_echo.is_off()) return fail("the terminal does not let the echo be turned off: use a pipe");
        std::cerr << "Value (not shown): " << std::flush;
        text = read_all(true);
        std::cerr << '\n';
        if (text && text->size() >= longest_line) {
            text = fail("the line may be cut off: a terminal takes 4095 bytes, use a pipe");
        } else if (text && NoEcho::more_follows()) {
            text = fail("more than one line was typed or pasted: use a pipe for such a value");
        }
    } else {
        text = read_all(false);
    }
    if (!text) return fail(text.error());
    if (text->ends_with('\n') && (is_terminal || !keep_newline)) text->pop_back();
    return SecretString(*text);
}

}  // namespace trebuchet
