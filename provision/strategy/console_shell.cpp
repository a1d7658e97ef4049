#include "provision/strategy/console_shell.hpp"

#include "common/base/text.hpp"
#include "common/secret/base64.hpp"
#include "provision/job/duration.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <ostream>
#include <random>
#include <utility>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t line_length = 500;
constexpr auto line_time = 30s;
constexpr auto time_to_connect = 10s;
constexpr auto interrupt_time = 2s;
constexpr auto usual_time = 3600s;
// As the device's shell reads them.
constexpr const char* file = R"("${TMPDIR:-/tmp}/trebuchet-test")";
constexpr const char* part_file = R"("${TMPDIR:-/tmp}/trebuchet-test.b64")";

std::string new_test_mark() {
    std::random_device random;
    return "trebuchet-" + std::to_string(random()) + std::to_string(random());
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

/// Prints what the command prints between its two marks, line by line. Its exit code once the second one is there.
class CommandOutput {
  public:
    CommandOutput(const std::string& mark, std::ostream& out)
        : begin_(mark + ":begin"), end_(mark + "-run:"), out_(&out) {}

    std::optional<int> take(std::string line) {
        line.erase(std::remove(line.begin(), line.end(), '\r'), line.end());
        const auto end = line.rfind(end_);
        int code = 0;
        const auto* digits = line.data() + (end == std::string::npos ? line.size() : end + end_.size());
        // The terminal's echo has no number there.
        const bool is_end = std::from_chars(digits, line.data() + line.size(), code).ptr != digits;
        if (is_end) line.resize(end);
        if (has_begun_ && !line.empty()) *out_ << to_valid_utf8(line) << std::flush;
        if (line.find(begin_) != std::string::npos) has_begun_ = true;
        return is_end ? std::optional(code) : std::nullopt;
    }

  private:
    std::string begin_;
    std::string end_;
    std::ostream* out_;
    bool has_begun_ = false;
};

/// Waits until the command has ended.
Result<int> follow(const std::string& mark, std::chrono::seconds timeout, StageContext& context) {
    auto& console = *context.serial;
    CommandOutput output(mark, context.out);
    const auto line_end = SerialPattern::literal("\n");
    const auto end = SerialPattern::regex(mark + "-run:[0-9]+");
    if (!end) return fail(end.error());
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    while (true) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        auto line = console.expect(line_end, std::max(left, 0ms), context.interrupt);
        const bool is_over = !line;
        // Perhaps only the end of the last line is missing.
        if (is_over) line = console.expect(*end, 0ms, context.interrupt);
        if (line) {
            if (const auto code = output.take(std::move(*line))) return *code;
        }
        if (!is_over) continue;
        // Ctrl-C, so that the next one finds a shell.
        (void)console.send("\x03", interrupt_time, context.interrupt);
        return fail(line.error());
    }
}

}  // namespace

Result<int> run_on_console(const std::string& command, const std::string& mark, std::chrono::seconds timeout,
                           StageContext& context) {
    const auto encoded = base64_encoded(command);
    const std::string_view all(encoded);
    if (auto done = run_line(std::string("rm -f ") + part_file, mark + "-0", line_time, context); !done)
        return fail(done.error());
    for (std::size_t begin = 0; begin < all.size(); begin += line_length) {
        const std::string part(all.substr(begin, line_length));
        const auto done =
            run_line("echo " + part + " >>" + part_file, mark + "-" + std::to_string(begin + 1), line_time, context);
        if (!done) return fail(done.error());
        if (done->first != 0) return fail(std::string("the device's shell cannot write ") + part_file);
    }
    const auto decoded =
        run_line(std::string("base64 -d <") + part_file + " >" + file, mark + "-all", line_time, context);
    if (!decoded) return fail(decoded.error());
    if (decoded->first != 0) return fail("the device's shell cannot decode base64");
    const auto line = "echo " + mark.substr(0, 1) + "''" + mark.substr(1) + ":begin; sh " + file;
    if (auto sent = context.serial->send(line + "; echo " + mark + "-run:$?\r", line_time, context.interrupt); !sent) {
        return fail(sent.error());
    }
    return follow(mark, timeout, context);
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
