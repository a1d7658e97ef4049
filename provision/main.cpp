#include "provision/cli/command_line.hpp"
#include "provision/cli/run_stage.hpp"
#include "provision/process/interrupt.hpp"

#include <csignal>
#include <cstdio>
#include <exception>

#include <fcntl.h>
#include <unistd.h>

namespace {

/// A log that nobody reads any more, or that never was there, is no reason to leave a device half-way, and no file of
/// ours may take its number.
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
            return 2;
        }
        if (const auto* answer = std::get_if<Answer>(&*arguments)) {
            std::fputs(answer->text.c_str(), stdout);
            return 0;
        }
        if (const auto* check = std::get_if<CheckArguments>(&*arguments)) return check_config_file(*check);
        return run_stage(std::get<StageArguments>(*arguments));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "trebuchet-provision: internal error: %s\n", error.what());
        return 1;
    }
}
