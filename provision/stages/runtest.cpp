#include "provision/stages/runtest.hpp"

#include "common/file/safe_file.hpp"
#include "provision/stages/template.hpp"
#include "provision/stages/test_environment.hpp"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include <sys/stat.h>

namespace trebuchet {
namespace {

/// The reference's name: scripts may use $0.
constexpr const char* script_file = "tf_cmd_script";

/// A job file that was written on Windows: to the shell each CR would be a part of the line's last word.
std::string without_cr_line_ends(std::string text, StageContext& context) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool is_at_line_end = text[i] == '\r' && (i + 1 == text.size() || text[i + 1] == '\n');
        if (!is_at_line_end) out += text[i];
    }
    if (out.size() == text.size()) return text;
    context.log.warning("test_cmds has CR line ends: running it without them");
    return out;
}

std::string filled(const std::string& text, StageContext& context) {
    if (!is_template(text)) return text;
    context.log.warning("Double braces in test_cmds are deprecated: filling in the text as a template");
    return fill_template(text, context.config.scalars);
}

StageResult run_list(const std::vector<std::string>& list, const Environment& environment, StageContext& context) {
    int code = 0;
    for (const auto& item : list) {
        const auto text = filled(without_cr_line_ends(item, context), context);
        context.log.info("Running: " + text);
        const auto end = context.commands.run({{"/bin/sh", "-c", text}, &environment, std::nullopt, false}).end;
        code = exit_code(end);
        if (code != 0) context.log.warning("Command failed: " + describe(end));
        if (std::holds_alternative<CommandInterrupted>(end)) break;
    }
    return code;
}

Result<void> write_script(const std::string& text) {
    std::error_code error;
    std::filesystem::remove(script_file, error);
    const auto file = create_new_file(script_file);
    if (!file) return fail(file.error());
    if (auto done = write_all(file->get(), text); !done) return fail(done.error().with_context(script_file));
    if (::fchmod(file->get(), S_IRWXU) != 0) {
        return fail("cannot make " + std::string(script_file) +
                    " executable: " + std::system_category().message(errno));
    }
    return {};
}

StageResult run_script(const std::string& script, const Environment& environment, StageContext& context) {
    const auto text =
        filled(without_cr_line_ends(script.starts_with("#!") ? script : "#!/bin/bash\n" + script, context), context);
    if (auto done = write_script(text); !done) return stage_error("TestError", done.error().message());
    context.log.info("Running the script in test_cmds");
    const auto end = context.commands.run({{std::string("./") + script_file}, &environment, std::nullopt, false}).end;
    const auto code = exit_code(end);
    if (code != 0) context.log.warning("Tests failed: " + describe(end));
    return code;
}

}  // namespace

StageResult runtest(StageContext& context) {
    context.log.info("BEGIN testrun");
    const auto commands = context.job.test_commands();
    if (!commands) return job_error(commands.error().message());
    if (std::holds_alternative<std::monostate>(*commands)) {
        return job_error("test_data.test_cmds is missing: expected a list of commands, or a script");
    }
    const auto secrets = context.job.test_secrets();
    if (!secrets) return job_error(secrets.error().message());

    const auto environment = test_environment(Environment::inherited(), context.config, *secrets);
    const auto* list = std::get_if<std::vector<std::string>>(&*commands);
    auto result = list != nullptr ? run_list(*list, environment, context)
                                  : run_script(std::get<std::string>(*commands), environment, context);
    context.log.info("END testrun");
    return result;
}

}  // namespace trebuchet
