#include "common/repository_file/file_advice.hpp"

#include "common/repository_file/repository_file.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>

namespace trebuchet {
namespace {

constexpr std::array<std::string_view, 9> secret_words{
    "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "API_KEY", "ACCESS_KEY", "PRIVATE_KEY", "CREDENTIAL"};
/// How tokens of well-known services begin, and private keys.
constexpr std::array<std::string_view, 12> secret_starts{"ghp_",   "gho_",       "ghs_",  "github_pat_",
                                                         "glpat-", "xoxb-",      "xoxp-", "hvs.",
                                                         "AKIA",   "eyJhbGciOi", "sk-",   "-----BEGIN "};
/// Values of variables such as TOKEN_KIND that hide nothing.
constexpr std::size_t shortest_secret = 6;

std::string upper(std::string_view text) {
    std::string upper(text);
    std::transform(upper.begin(), upper.end(), upper.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return upper;
}

/// A path, a URL without a password, or a reference to another variable.
bool is_place(std::string_view value) {
    if (value.starts_with('/') || value.starts_with("~/") || value.starts_with('$')) return true;
    return value.find("://") != std::string_view::npos && value.find('@') == std::string_view::npos;
}

bool is_word_or_number(std::string_view value) {
    return std::all_of(value.begin(), value.end(), [](unsigned char c) { return std::isdigit(c) != 0; }) ||
           value == "true" || value == "false";
}

/// Long, of letters and digits mixed, and with few repetitions.
bool is_random(std::string_view value) {
    if (value.size() < 32 || value.find_first_of(" ./:") != std::string_view::npos) return false;
    const std::set<char> characters(value.begin(), value.end());
    const auto has = [&](int (*is)(int)) {
        return std::any_of(value.begin(), value.end(), [&](unsigned char c) { return is(c) != 0; });
    };
    return characters.size() >= 14 && has(std::isdigit) && has(std::isalpha);
}

}  // namespace

bool looks_secret(std::string_view name, std::string_view value) {
    const auto starts = [&](std::string_view start) { return value.starts_with(start); };
    if (std::any_of(secret_starts.begin(), secret_starts.end(), starts)) return true;
    if (is_place(value)) return false;
    if (is_random(value)) return true;
    const auto words = upper(name);
    const auto is_in_name = [&](std::string_view word) { return words.find(word) != std::string::npos; };
    return value.size() >= shortest_secret && !is_word_or_number(value) &&
           std::any_of(secret_words.begin(), secret_words.end(), is_in_name);
}

std::string name_problem(std::string_view file_name) {
    for (const auto* wrong : {".testing-farm.yml", ".testing_farm.yaml", ".testingfarm.yaml", ".testing_farm.yml"}) {
        if (file_name.ends_with(wrong)) {
            return std::string("a file of this name is never read: rename it to ") + repository_file_name;
        }
    }
    if (file_name == "testing-farm.yaml") {
        return std::string("a file of this name is never read: rename it to ") + repository_file_name;
    }
    return "";
}

}  // namespace trebuchet
