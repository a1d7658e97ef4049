#include "provision/cli/command_line.hpp"
#include "provision/cli/run_stage.hpp"
#include "provision/process/exit_codes.hpp"
#include "provision/process/interrupt.hpp"

#include <csignal>
#include <cstdio>
#include <exception>

#include <fcntl.h>
#include <unistd.h>

namespace {

/// Ignores SIGPIPE, so that a closed log does not stop us halfway through a device. Opens /dev/null for each closed
/// standard stream, so that no other file gets descriptor 0, 1 or 2.
void keep_standard_streams() {
    std::signal(SIGPIPE, SIG_IGN);
    int opened = 0;
    do {
        opened = ::open("/dev/null", O_RDWR);
    } while (opened >= 0 && opened <= STDERR_FILENO);
    if (opened > STDERR_FILENO) ::close(opened);
}

}  // namespace

int main(int argc, char** argv) {
    using namespace trebuchet;
    keep_standard_streams();
    SignalInterrupt::block_signals();
    try {
        const auto arguments = parse_command_line(argc, argv);
        if (!arguments) {
            std::fputs(arguments.error().text.c_str(), stderr);
            return exit_usage_error;
        }
        if (const auto* answer = std::get_if<Answer>(&*arguments)) {
            std::fputs(answer->text.c_str(), stdout);
            return exit_success;
        }
        if (const auto* console = std::get_if<ConsoleArguments>(&*arguments)) return print_console(*console);
        if (const auto* check = std::get_if<CheckArguments>(&*arguments)) return check_config_file(*check);
        return run_stage(std::get<StageArguments>(*arguments));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "trebuchet-provision: internal error: %s\n", error.what());
        return exit_failure;
    }
}
