#include "provision/strategy/console_shell.hpp"

#include "common/base/text.hpp"
#include "common/secret/base64.hpp"
#include "provision/job/duration.hpp"

#include <algorithm>
#include <charconv>
#include <ostream>
#include <random>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t line_length = 500;
constexpr auto line_time = 30s;
constexpr auto time_to_connect = 10s;
constexpr auto interrupt_time = 2s;
constexpr auto usual_time = 3600s;
constexpr const char* file = "/tmp/trebuchet-test";

std::string new_test_mark() {
    std::random_device random;
    return "trebuchet-" + std::to_string(random()) + std::to_string(random());
}

/// What follows the mark's line, with the line ends of a file. The mark's own echo has quotes in it.
std::string behind(const std::string& printed, const std::string& mark) {
    const auto at = printed.find(mark);
    const auto begin = at == std::string::npos ? std::string::npos : printed.find('\n', at);
    auto text = begin == std::string::npos ? printed : printed.substr(begin + 1);
    text.erase(std::remove(text.begin(), text.end(), '\r'), text.end());
    return text;
}

/// Sends a line to the shell, and waits until it has run. Its exit code, and what it printed.
Result<std::pair<int, std::string>> run_line(const std::string& line, const std::string& mark,
                                             std::chrono::seconds timeout, StageContext& context) {
    auto& console = *context.serial;
    const auto end = SerialPattern::regex(mark + ":[0-9]+");
    if (!end) return fail(end.error());
    if (auto done = console.send(line + "; echo " + mark + ":$?\r", line_time, context.interrupt); !done) {
        return fail(done.error());
    }
    auto printed = console.expect(*end, timeout, context.interrupt);
    // Ctrl-C, so that the next one finds a shell.
    if (!printed) (void)console.send("\x03", interrupt_time, context.interrupt);
    if (!printed) return fail(printed.error());
    const auto at = printed->rfind(mark + ":");
    int code = 0;
    const auto* digits = printed->data() + at + mark.size() + 1;
    std::from_chars(digits, printed->data() + printed->size(), code);
    printed->resize(at);
    return std::pair(code, std::move(*printed));
}

}  // namespace

Result<int> run_on_console(const std::string& command, const std::string& mark, std::chrono::seconds timeout,
                           StageContext& context) {
    const auto encoded = base64_encoded(command);
    const std::string_view all(encoded);
    const auto part_file = std::string(file) + ".b64";
    if (auto done = run_line("rm -f " + part_file, mark + "-0", line_time, context); !done) return fail(done.error());
    for (std::size_t begin = 0; begin < all.size(); begin += line_length) {
        const std::string part(all.substr(begin, line_length));
        const auto done =
            run_line("echo " + part + " >>" + part_file, mark + "-" + std::to_string(begin + 1), line_time, context);
        if (!done) return fail(done.error());
        if (done->first != 0) return fail("the device's shell cannot write " + part_file);
    }
    const auto decoded = run_line("base64 -d <" + part_file + " >" + file, mark + "-all", line_time, context);
    if (!decoded) return fail(decoded.error());
    if (decoded->first != 0) return fail("the device's shell cannot decode base64");
    const auto line = "echo " + mark.substr(0, 1) + "''" + mark.substr(1) + ":begin; sh " + file;
    const auto done = run_line(line, mark + "-run", timeout, context);
    if (!done) return fail(done.error());
    context.out << to_valid_utf8(behind(done->second, mark + ":begin")) << std::flush;
    return done->first;
}

StageResult runtest_on_console(StageContext& context) {
    context.log.info("BEGIN testrun");
    const auto commands = context.job.test_commands();
    if (!commands) return job_error(commands.error().message());
    std::vector<std::string> list;
    if (const auto* script = std::get_if<std::string>(&*commands)) list.push_back(*script);
    if (const auto* items = std::get_if<std::vector<std::string>>(&*commands)) list = *items;
    if (std::holds_alternative<std::monostate>(*commands)) {
        return job_error("test_data.test_cmds is missing: expected a list of commands, or a script");
    }
    if (context.serial == nullptr || !context.serial->connect_now(time_to_connect)) {
        return stage_error("ConfigError", "test_on_console needs the serial console, which is not connected");
    }
    const auto given = context.config.scalars.find("console_test_timeout");
    const auto limit = given == context.config.scalars.end() ? Result<std::chrono::seconds>(usual_time)
                                                             : parse_duration(given->second);
    if (!limit) return stage_error("ConfigError", "console_test_timeout: " + limit.error().message());
    context.serial->clear();
    int code = 0;
    for (const auto& command : list) {
        context.log.info("Running on the console: " + command);
        const auto done = run_on_console(command, new_test_mark(), *limit, context);
        if (const int signal = context.interrupt.wait_for(0ms); signal != 0) return exit_by_signal(signal);
        if (!done) {
            context.log.error(done.error().message());
            return exit_timed_out;
        }
        code = *done;
        if (code != 0) context.log.warning("Command failed: exit code " + std::to_string(code));
    }
    context.log.info("END testrun");
    return code;
}

}  // namespace trebuchet
