#include "agent/api/access_token.hpp"

#include "common/base/clock.hpp"
#include "common/file/credential_file.hpp"
#include "common/secret/secret_json.hpp"

#include <algorithm>

#include <sys/stat.h>

namespace trebuchet {
namespace {

constexpr std::size_t token_file_limit = 65536;
constexpr double longest_time = 1e11;  ///< seconds since 1970

const WipedString* find_string(const SecretJson& json, const char* key) {
    if (!json.is_object()) return nullptr;
    const auto entry = json.find(key);
    if (entry == json.end() || !entry->is_string()) return nullptr;
    const auto& text = entry->get_ref<const WipedString&>();
    // The token goes into a header: a line break would end the header.
    const bool one_line = text.find_first_of("\r\n\0", 0, 3) == WipedString::npos;
    return text.empty() || !one_line ? nullptr : &text;
}

}  // namespace

Result<std::optional<SecretString>> read_refresh_token(const std::filesystem::path& file) {
    std::error_code error;
    const bool exists = std::filesystem::exists(file, error);
    if (error) return fail("the token file " + file.string() + " cannot be read: " + error.message());
    if (!exists) return std::optional<SecretString>();
    if (!std::filesystem::is_regular_file(file, error))
        return fail("the token file " + file.string() + " is not a file");
    const auto text = read_credential_file(file, token_file_limit);
    if (!text) return fail(text.error());
    const auto json = SecretJson::parse(text->reveal(), nullptr, false);
    const auto* token = find_string(json, "refresh_token");
    if (token == nullptr) {
        return fail("the token file " + file.string() + R"( contains no token; expected {"refresh_token": "…"})");
    }
    return std::optional(SecretString(*token));
}

std::optional<std::chrono::system_clock::time_point> token_obtained_at(const std::filesystem::path& file) {
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
    const auto text = read_credential_file(file, token_file_limit);
    const auto json = text ? SecretJson::parse(text->reveal(), nullptr, false) : SecretJson();
    const auto said = json.is_object() ? json.find("obtained_at") : json.end();
    if (said != json.end() && said->is_number()) {
        const auto seconds = said->get<double>();
        if (seconds > 0 && seconds < longest_time) {
            return std::chrono::system_clock::from_time_t(static_cast<std::time_t>(seconds));
        }
    }
    if (const auto* words = find_string(json, "obtained_at"); words != nullptr) {
        if (const auto time = parse_iso8601(std::string(*words))) return time;
    }
    return std::chrono::system_clock::from_time_t(info.st_mtim.tv_sec);
}

Result<AccessToken> parse_access_token(std::string_view answer, std::chrono::steady_clock::time_point now) {
    const auto json = SecretJson::parse(answer, nullptr, false);
    const auto* token = find_string(json, "access_token");
    if (token == nullptr) return fail("the server's answer contains no access_token");
    std::int64_t life = 600;
    if (const auto entry = json.find("expires_in"); entry != json.end() && entry->is_number_integer()) {
        life = std::clamp<std::int64_t>(entry->get<std::int64_t>(), 1, 86'400);
    }
    return AccessToken{SecretString(*token), now + std::chrono::milliseconds(life * 800),
                       now + std::chrono::seconds(life)};
}

std::optional<SecretString> parse_refresh_token(std::string_view answer) {
    const auto json = SecretJson::parse(answer, nullptr, false);
    const auto* token = find_string(json, "refresh_token");
    return token == nullptr ? std::nullopt : std::optional(SecretString(*token));
}

}  // namespace trebuchet
