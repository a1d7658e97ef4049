#include "provision/serial/console_copy.hpp"

#include "common/base/backoff.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <string_view>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

/// How often we look whether we were told to stop while the console is silent.
constexpr int between_looks_ms = 200;
/// A server that lets us in and closes at once is not asked more and more often.
constexpr auto good_connection = 1s;
/// A shorter gap has cost nothing that one could see.
constexpr auto shortest_gap = 50ms;

class ConsoleCopy {
  public:
    ConsoleCopy(const SerialConsole& console, int out, Interrupt& interrupt, const Clock& clock,
                const ConnectorLog& log)
        : console_(&console),
          out_(out),
          interrupt_(&interrupt),
          clock_(&clock),
          log_(&log),
          never_(::eventfd(0, EFD_CLOEXEC)) {}

    Result<void> run() {
        Backoff backoff(100ms, 1s, [] { return 0.999999; });
        bool is_flapping = false;
        while (interrupt_->wait_for(0ms) == 0) {
            const auto connection = connect();
            if (connection) {
                const auto began = clock_->now();
                if (auto done = mark_gap(); !done) return done;
                if (!is_flapping) log_->info("Connected to the serial console at " + name_of(*console_));
                if (auto done = copy(*connection); !done) return done;
                gap_began_ = clock_->now();
                is_flapping = *gap_began_ - began < good_connection;
                if (!is_flapping) {
                    backoff.reset();
                    complained_.clear();
                }
                complain("the connection has ended");
            } else {
                complain(connection.error().message());
            }
            (void)interrupt_->wait_for(backoff.next());
        }
        return {};
    }

  private:
    Result<FileDescriptor> connect() const {
        if (const auto* socket = std::get_if<UnixConsole>(console_)) return connect_to(*socket);
        if (const auto* tty = std::get_if<TtyConsole>(console_)) return open_console(*tty);
        const auto addresses = look_up(std::get<TcpConsole>(*console_));
        if (!addresses) return fail(addresses.error());
        return connect_to(*addresses, never_.get());
    }

    Result<void> mark_gap() {
        if (!gap_began_) return {};
        const auto gap = std::chrono::duration_cast<std::chrono::milliseconds>(clock_->now() - *gap_began_);
        if (gap < shortest_gap) return {};
        std::array<char, 64> line{};
        std::snprintf(line.data(), line.size(), "%s[no serial console for %.1f s]\n", at_line_start_ ? "" : "\n",
                      static_cast<double>(gap.count()) / 1000.0);
        at_line_start_ = true;
        return write_all(out_, line.data());
    }

    /// Until the connection ends or we are told to stop.
    Result<void> copy(const FileDescriptor& connection) {
        std::array<char, 16384> buffer{};
        while (interrupt_->wait_for(0ms) == 0) {
            pollfd ready{connection.get(), POLLIN, 0};
            if (::poll(&ready, 1, between_looks_ms) == 0) continue;
            const auto count = ::read(connection.get(), buffer.data(), buffer.size());
            if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
            if (count <= 0) return {};
            const std::string_view text(buffer.data(), static_cast<std::size_t>(count));
            if (auto done = write_all(out_, text); !done) return done;
            at_line_start_ = text.back() == '\n';
        }
        return {};
    }

    void complain(const std::string& trouble) {
        if (trouble == complained_) return;
        complained_ = trouble;
        log_->warning("Serial console at " + name_of(*console_) + ": " + trouble + "; trying again");
    }

    const SerialConsole* console_;
    int out_;
    Interrupt* interrupt_;
    const Clock* clock_;
    const ConnectorLog* log_;
    FileDescriptor never_;
    std::optional<steady_clock::time_point> gap_began_{};
    bool at_line_start_ = true;
    std::string complained_{};
};

}  // namespace

Result<void> copy_console(const SerialConsole& console, int out, Interrupt& interrupt, const Clock& clock,
                          const ConnectorLog& log) {
    return ConsoleCopy(console, out, interrupt, clock, log).run();
}

}  // namespace trebuchet
