#include "agent/import/supervisord_conf.hpp"

#include <sstream>

namespace trebuchet {
namespace {

constexpr std::string_view blanks = " \t\r";
constexpr std::string_view program_mark = "[program:";

std::string trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return "";
    return std::string(text.substr(first, text.find_last_not_of(blanks) - first + 1));
}

/// A ';' after a blank begins a comment.
std::string without_comment(const std::string& line) {
    if (line.starts_with(';') || line.starts_with('#')) return "";
    const auto comment = line.find(" ;");
    return comment == std::string::npos ? line : line.substr(0, comment);
}

/// KEY=VALUE,KEY="VALUE": commas and quotes within quotes are text.
std::map<std::string, std::string> parse_environment(std::string_view text) {
    std::map<std::string, std::string> all;
    std::string name;
    std::string value;
    char quote = 0;
    bool has_name = false;
    const auto finish = [&] {
        if (has_name && !trimmed(name).empty()) all[trimmed(name)] = value;
        name.clear();
        value.clear();
        has_name = false;
    };
    for (const char c : text) {
        if (quote != 0) {
            if (c == quote) {
                quote = 0;
            } else {
                value += c;
            }
        } else if (has_name && (c == '"' || c == '\'')) {
            quote = c;
        } else if (!has_name && c == '=') {
            has_name = true;
        } else if (c == ',') {
            finish();
        } else if (!has_name) {
            name += c;
        } else if (blanks.find(c) == std::string_view::npos) {
            value += c;
        }
    }
    finish();
    return all;
}

}  // namespace

std::string SupervisordProgram::value(const std::string& key) const {
    const auto found = keys.find(key);
    return found == keys.end() ? "" : found->second;
}

std::vector<SupervisordProgram> parse_supervisord_conf(std::string_view text) {
    std::vector<SupervisordProgram> programs;
    bool is_program = false;
    std::string last_key;
    std::istringstream lines{std::string(text)};
    for (std::string line; std::getline(lines, line);) {
        const bool is_continued = !line.empty() && blanks.find(line[0]) != std::string_view::npos;
        line = trimmed(without_comment(line));
        if (line.empty()) continue;
        const auto equals = line.find('=');
        if (line.starts_with('[')) {
            is_program = line.starts_with(program_mark) && line.ends_with(']');
            last_key.clear();
            if (!is_program) continue;
            const auto size = line.size() - program_mark.size() - 1;
            programs.push_back({trimmed(line.substr(program_mark.size(), size)), {}, {}});
        } else if (is_program && is_continued && !last_key.empty()) {
            programs.back().keys[last_key] += " " + line;
        } else if (is_program && equals != std::string::npos) {
            last_key = trimmed(line.substr(0, equals));
            programs.back().keys[last_key] = trimmed(line.substr(equals + 1));
        }
    }
    for (auto& program : programs) program.environment = parse_environment(program.value("environment"));
    return programs;
}

std::vector<std::string> split_command(std::string_view command) {
    std::vector<std::string> words;
    std::string word;
    char quote = 0;
    bool is_word = false;
    for (std::size_t i = 0; i < command.size(); ++i) {
        const char c = command[i];
        if (c == '\\' && quote != '\'' && i + 1 < command.size()) {
            word += command[++i];
            is_word = true;
        } else if (quote != 0) {
            if (c == quote) {
                quote = 0;
            } else {
                word += c;
            }
        } else if (c == '"' || c == '\'') {
            quote = c;
            is_word = true;
        } else if (blanks.find(c) != std::string_view::npos || c == '\n') {
            if (is_word) words.push_back(word);
            word.clear();
            is_word = false;
        } else {
            word += c;
            is_word = true;
        }
    }
    if (is_word) words.push_back(word);
    return words;
}

}  // namespace trebuchet
