#include "agent/import/phase_script.hpp"

#include "common/file/safe_file.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <system_error>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t first_bytes = 4096;

bool is_of_path(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '/' || c == '.' || c == '_' || c == '-' || c == '+';
}

bool is_word_end(std::string_view text, std::size_t at) {
    return at >= text.size() || !(is_of_path(text[at]) || text[at] == '$');
}

bool has_word(std::string_view text, std::string_view word) {
    for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
        if (is_word_end(text, at + word.size()) && (at == 0 || !is_of_path(text[at - 1]) || text[at - 1] == '/'))
            return true;
    }
    return false;
}

std::string without_comments(std::string_view text) {
    std::string code;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        const auto line = text.substr(at, end - at);
        const auto first = line.find_first_not_of(" \t");
        if (first != std::string_view::npos && line[first] != '#') code += std::string(line) + '\n';
        at = end + 1;
    }
    return code;
}

/// Absolute paths in a folder `bin` that a package of the system does not bring.
std::set<std::string> own_programs(std::string_view code) {
    std::set<std::string> found;
    for (std::size_t at = 0; at < code.size(); ++at) {
        if (code[at] != '/' || (at > 0 && (is_of_path(code[at - 1]) || code[at - 1] == '}' || code[at - 1] == ':')))
            continue;
        auto end = at;
        while (end < code.size() && is_of_path(code[end])) ++end;
        const std::string path(code.substr(at, end - at));
        const bool is_systems =
            path.starts_with("/usr/bin/") || path.starts_with("/usr/sbin/") || path.starts_with("/bin/");
        if (is_word_end(code, end) && path.find("/bin/") != std::string::npos && !path.ends_with('/') && !is_systems) {
            found.insert(path);
        }
        at = end;
    }
    return found;
}

/// "" if the program can run.
std::string problem_of(const fs::path& program, const fs::path& root) {
    std::error_code error;
    const auto here = below_root(root, program);
    if (!fs::exists(here, error)) return "is missing";
    const auto text = read_file(here, std::size_t{64} << 20U).value_or("").substr(0, first_bytes);
    if (!text.starts_with("#!")) return "";
    const auto from = text.find_first_not_of(" \t", 2);
    if (from == std::string::npos) return "";
    const fs::path interpreter = text.substr(from, text.find_first_of(" \t\r\n", from) - from);
    if (fs::exists(below_root(root, interpreter), error) || fs::exists(interpreter, error)) return "";
    return "has the interpreter " + interpreter.string() + ", which is missing";
}

}  // namespace

fs::path below_root(const fs::path& root, const fs::path& path) {
    return root / path.relative_path();
}

PhaseScript look_at_script(const fs::path& path, std::string_view text, const fs::path& root) {
    const auto code = without_comments(text);
    PhaseScript script{path, {}};
    for (const auto& program : own_programs(code)) {
        if (program.ends_with("/testflinger-device-connector")) script.connectors.emplace_back(program);
        if (const auto problem = problem_of(program, root); !problem.empty()) {
            script.broken_programs.push_back(program + " " + problem);
        }
    }
    script.uses_docker = has_word(code, "docker");
    script.uses_sudo = has_word(code, "sudo");
    script.finds_folder_by_agent_id =
        code.find("/$agent_id") != std::string::npos || code.find("/${agent_id}") != std::string::npos;
    return script;
}

}  // namespace trebuchet
