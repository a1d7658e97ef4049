#include "provision/process/command.hpp"

#include "common/base/text.hpp"
#include "provision/process/exit_codes.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>

namespace trebuchet {
namespace {

std::string signal_name(int signal) {
    const char* name = ::sigdescr_np(signal);
    return std::to_string(signal) + (name == nullptr ? "" : " (" + std::string(name) + ")");
}

struct ExitCode {
    int operator()(const CommandExited& end) const { return end.code; }
    int operator()(const CommandKilled& end) const { return exit_by_signal(end.signal); }
    int operator()(const CommandTimedOut& /*end*/) const { return exit_timed_out; }
    int operator()(const CommandInterrupted& end) const { return exit_by_signal(end.signal); }
    int operator()(const CommandNotStarted& end) const {
        return end.error_number == ENOENT ? exit_not_found : exit_not_runnable;
    }
};

struct Describe {
    std::string operator()(const CommandExited& end) const { return "exit code " + std::to_string(end.code); }
    std::string operator()(const CommandKilled& end) const { return "killed by signal " + signal_name(end.signal); }
    std::string operator()(const CommandTimedOut& /*end*/) const { return "timed out"; }
    std::string operator()(const CommandInterrupted& end) const {
        return "stopped, because trebuchet-provision got signal " + signal_name(end.signal);
    }
    std::string operator()(const CommandNotStarted& end) const {
        return "could not be started: " + std::system_category().message(end.error_number);
    }
};

}  // namespace

int exit_code(const CommandEnd& end) {
    return std::visit(ExitCode{}, end);
}

std::string describe(const CommandEnd& end) {
    return std::visit(Describe{}, end);
}

std::string describe(const CommandResult& result) {
    constexpr std::size_t shown = 300;
    std::string_view said = result.output;
    while (!said.empty() && (said.back() == '\n' || said.back() == '\r' || said.back() == ' ')) said.remove_suffix(1);
    if (said.empty()) return describe(result.end);
    const bool is_long = said.size() > shown;
    if (is_long) said.remove_prefix(said.size() - shown);
    return describe(result.end) + ", it said: " + (is_long ? "…" : "") +
           trebuchet::quoted(to_valid_utf8(said), 2 * shown);
}

}  // namespace trebuchet
