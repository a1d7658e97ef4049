#include "provision/cli/command_line.hpp"
#include "provision/cli/run_stage.hpp"
#include "provision/process/interrupt.hpp"

#include <cstdio>
#include <exception>

int main(int argc, char** argv) {
    using namespace trebuchet;
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
