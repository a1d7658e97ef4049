#include "common/mask/credential_rules.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace trebuchet {
namespace {

constexpr CharSet word("a-zA-Z0-9_");
constexpr CharSet alphanumeric("a-zA-Z0-9");
constexpr CharSet base32("A-Z2-7");
constexpr CharSet base64("a-zA-Z0-9+/");
constexpr CharSet base64_url_and_dots("a-zA-Z0-9_.-");
constexpr CharSet dashed("a-zA-Z0-9-");
constexpr CharSet word_and_dash("a-zA-Z0-9_-");
constexpr CharSet webhook_path("a-zA-Z0-9_/");
constexpr CharSet label_characters("a-zA-Z0-9 ");
constexpr CharSet lower_hex("0-9a-f");
constexpr CharSet capitals("A-Z");
constexpr CharSet small_letters("a-z");
constexpr CharSet digits("0-9");
constexpr CharSet capitals_and_digits("A-Z0-9");
/// RFC 7235's token68, and "*" for masks.
constexpr CharSet token68("a-zA-Z0-9._~+/=*-");

bool all(std::string_view text, const CharSet& set) {
    return std::all_of(text.begin(), text.end(), [&](char c) { return set.has(c); });
}

bool any(std::string_view text, const CharSet& set) {
    return std::any_of(text.begin(), text.end(), [&](char c) { return set.has(c); });
}

/// A random token of at least `least` characters nearly always has capitals or digits; names made of words mostly
/// don't.
bool looks_random(std::string_view value, std::size_t least) {
    return value.size() >= least && any(value, capitals_and_digits);
}

bool random_20(std::string_view value) {
    return looks_random(value, 20);
}

bool random_24(std::string_view value) {
    return looks_random(value, 24);
}

bool random_36(std::string_view value) {
    return looks_random(value, 36);
}

bool random_80(std::string_view value) {
    return looks_random(value, 80);
}

bool is_hex_48(std::string_view value) {
    return value.size() == 48;
}

bool is_hex_64(std::string_view value) {
    return value.size() == 64;
}

bool is_google_key(std::string_view value) {
    return value.size() == 35 && any(value, capitals_and_digits);
}

bool is_hugging_face_token(std::string_view value) {
    return value.size() >= 34 && any(value, capitals) && any(value, small_letters);
}

/// 22 characters of an id, 43 of a key.
bool is_sendgrid_key(std::string_view value) {
    return value.size() == 66 && value[22] == '.' && any(value, capitals_and_digits);
}

bool is_age_key(std::string_view value) {
    return value.size() >= 50;
}

bool is_github_token(std::string_view value) {
    return value.size() >= 36 && all(value.substr(0, 36), alphanumeric);
}

bool is_aws_id(std::string_view value) {
    return value.size() == 16 && all(value, base32);
}

/// Excludes git hashes and paths, which may have the same length. JSON may write a slash as \/.
bool is_aws_key(std::string_view value) {
    const auto escapes = static_cast<std::size_t>(std::count(value.begin(), value.end(), '\\'));
    return value.size() - escapes == 40 && any(value, capitals) && any(value, small_letters);
}

bool is_aws_session(std::string_view value) {
    return value.size() >= 100;
}

bool is_slack_token(std::string_view value) {
    return value.size() >= 10 && any(value, digits);
}

/// Excludes s.nameOfAMethod: a random token rarely has no digit, and then many capitals.
bool is_legacy_vault_token(std::string_view value) {
    const auto count = std::count_if(value.begin(), value.end(), [](char c) { return capitals.has(c); });
    return value.size() >= 24 && value.size() <= 26 && (any(value, digits) || count >= 6);
}

/// The value after the base64 of "-----BEGIN ".
bool is_encoded_private_key(std::string_view value) {
    static constexpr std::array<std::string_view, 7> labels{
        "BQUklWQVRFIEtFWS0t",              // PRIVATE KEY--
        "BSU0EgUFJJVkFURSBLRVkt",          // RSA PRIVATE KEY-
        "BFQyBQUklWQVRFIEtFWS0t",          // EC PRIVATE KEY--
        "BEU0EgUFJJVkFURSBLRVkt",          // DSA PRIVATE KEY-
        "BPUEVOU1NIIFBSSVZBVEUgS0VZ",      // OPENSSH PRIVATE KEY
        "BFTkNSWVBURUQgUFJJVkFURSBLRVkt",  // ENCRYPTED PRIVATE KEY-
        "BQR1AgUFJJVkFURSBLRVkgQkxPQ0st",  // PGP PRIVATE KEY BLOCK-
    };
    return std::any_of(labels.begin(), labels.end(), [&](auto label) { return value.starts_with(label); });
}

/// Excludes "Authorization: Bearer authentication is required".
bool is_bearer(std::string_view value) {
    const bool a_word =
        value.size() < 20 && std::all_of(value.begin(), value.end(), [](char c) { return c >= 'a' && c <= 'z'; });
    return value.size() >= 8 && !a_word;
}

/// Base64 of user:password; parts of it may be masked already.
bool is_basic(std::string_view value) {
    std::uint32_t bits = 0;
    unsigned count = 0;
    bool colon = false;
    bool masked = false;
    static constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (const char c : value) {
        const auto place = alphabet.find(c);
        masked = masked || c == '*';
        if (place == std::string_view::npos) continue;
        bits = bits << 6U | static_cast<std::uint32_t>(place);
        count += 6;
        if (count >= 8) {
            count -= 8;
            colon = colon || (bits >> count & 0xFFU) == ':';
        }
    }
    return value.size() >= 4 && (colon || masked);
}

/// Checks "-----BEGIN " and the label, which may be empty, before PRIVATE KEY. As a part of the pattern this would make
/// the compiled patterns five times as large.
bool ends_with_begin(std::string_view text) {
    constexpr std::string_view begin = "-----BEGIN ";
    const auto place = text.rfind(begin);
    if (place == std::string_view::npos) return false;
    const auto label = text.substr(place + begin.size());
    return all(label.substr(0, label.find_last_not_of('-') + 1), label_characters);
}

/// header.payload.signature, or the five parts of an encrypted token, without the header's first three characters.
bool is_jwt(std::string_view value) {
    const auto first = value.find('.');
    if (first == std::string_view::npos || first < 12) return false;
    const auto second = value.find('.', first + 1);
    return second != std::string_view::npos && value.size() - second > 10;
}

}  // namespace

bool is_mask(std::string_view text) {
    return text.size() == mask_size && text.starts_with("**") && text.ends_with("**") &&
           all(text.substr(2, 6), lower_hex);
}

// Between a name and its value: "name": "value", name=value, name => 'value', <name>value, {\"name\":\"…,
// Python's b'name': b'value', Go's "name":[]string{"value"}
#define TREBUCHET_BETWEEN R"([\\"' \t:=,>\[]{1,16}(?:(?:b|\[\]string\{)\\?["'])?)"

const std::vector<CredentialRule>& credential_rules() {
    using Kind = CredentialKind;
    using Shape = CredentialShape;
    static const std::vector<CredentialRule> rules{
        {Kind::private_key, Shape::block, "PRIVATE KEY(?: BLOCK)?-----", false, 0, 0, nullptr, longest_credential, "",
         ends_with_begin},
        {Kind::private_key, Shape::block, "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----", false, 0, 0, nullptr,
         longest_credential, "", nullptr},
        {Kind::private_key, Shape::block, R"(Private-Lines: [0-9]{1,4}[\r\n\\])", false, 1, 0, nullptr,
         longest_credential, "", nullptr},
        {Kind::private_key, Shape::token, "LS0tLS1CRUdJTi[a-zA-Z0-9+/]", false, 1, 14, &base64, longest_credential, "",
         is_encoded_private_key},
        {Kind::private_key, Shape::token, "AGE-SECRET-KEY-1[A-Z0-9]", false, 1, 16, &capitals_and_digits, 128, "",
         is_age_key},

        {Kind::url_password, Shape::authority, "://", false, 0, 0, nullptr, 1024, "", nullptr},
        {Kind::url_password, Shape::authority, R"(:\\/\\/)", false, 0, 0, nullptr, 1024, "", nullptr},

        {Kind::authorization, Shape::token,
         "authorization" TREBUCHET_BETWEEN R"((?:bearer|token)[ \t]{1,4}[a-zA-Z0-9._~+/*-])", true, 1, 0, &token68,
         16384, ".", is_bearer},
        {Kind::authorization, Shape::token, "authorization" TREBUCHET_BETWEEN R"(basic[ \t]{1,4}[a-zA-Z0-9+/*])", true,
         1, 0, &token68, 16384, ".", is_basic},

        {Kind::aws, Shape::token, "(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]", false, 1, 4, &word, 17, "", is_aws_id},
        {Kind::aws, Shape::token, "secret[_-]?(?:access[_-]?)?key" TREBUCHET_BETWEEN "[a-zA-Z0-9+/]", true, 1, 0,
         &base64, 64, "", is_aws_key},
        {Kind::aws, Shape::token, "(?:session|security)[_-]?token" TREBUCHET_BETWEEN "[a-zA-Z0-9+/]", true, 1, 0,
         &base64, 8192, "", is_aws_session},

        {Kind::github, Shape::token, "gh[pousr]_[a-zA-Z0-9]", false, 1, 4, &word, 1024, "", is_github_token},
        {Kind::github, Shape::token, "github_pat_[a-zA-Z0-9]", false, 1, 11, &word, 1024, "", random_36},

        {Kind::gitlab, Shape::token, "gl(?:dt|rt|ft)-[a-zA-Z0-9_]", false, 1, 5, &base64_url_and_dots, 1024, ".-",
         random_20},
        {Kind::gitlab, Shape::token, "gl(?:pat|oas|cbt|ptt|rtr|imt)-[a-zA-Z0-9_]", false, 1, 6, &base64_url_and_dots,
         1024, ".-", random_20},
        {Kind::gitlab, Shape::token, "gl(?:soat|ffct)-[a-zA-Z0-9_]", false, 1, 7, &base64_url_and_dots, 1024, ".-",
         random_20},
        {Kind::gitlab, Shape::token, "glagent-[a-zA-Z0-9_]", false, 1, 8, &base64_url_and_dots, 1024, ".-", random_20},
        {Kind::gitlab, Shape::token, "GR1348941[a-zA-Z0-9_-]", false, 1, 9, &word_and_dash, 1024, "-", random_20},

        {Kind::slack, Shape::token, "xox[abcdeoprs]-[a-zA-Z0-9]", false, 1, 5, &dashed, 1024, "-", is_slack_token},
        {Kind::slack, Shape::token, "xapp-[a-zA-Z0-9]", false, 1, 5, &dashed, 1024, "-", random_20},
        {Kind::slack, Shape::token, R"(hooks\.slack\.com\\?/(?:services|workflows|triggers)\\?/[a-zA-Z0-9])", false, 1,
         0, &webhook_path, 1024, "/\\", random_20},

        {Kind::vault, Shape::token, R"(hv[sbr]\.[a-zA-Z0-9_-])", false, 1, 4, &word_and_dash, 4096, "-", random_24},
        {Kind::vault, Shape::token, R"((?i:token)[\\"' \t:=,>]{1,32}[sbr]\.[a-zA-Z0-9])", false, 1, 0, &alphanumeric,
         64, "", is_legacy_vault_token},

        {Kind::registry, Shape::token, "npm_[a-zA-Z0-9]", false, 1, 4, &alphanumeric, 64, "", random_36},
        {Kind::registry, Shape::token, "pypi-AgE[a-zA-Z0-9_-]", false, 1, 8, &word_and_dash, 1024, "-", random_80},
        {Kind::registry, Shape::token, "rubygems_[0-9a-f]", false, 1, 9, &lower_hex, 64, "", is_hex_48},
        {Kind::registry, Shape::token, "dckr_[po]at_[a-zA-Z0-9_-]", false, 1, 9, &word_and_dash, 128, "-", random_24},

        {Kind::cloud, Shape::token, "AIza[a-zA-Z0-9_-]", false, 1, 4, &word_and_dash, 64, "", is_google_key},
        {Kind::cloud, Shape::token, "GOCSPX-[a-zA-Z0-9_-]", false, 1, 7, &word_and_dash, 64, "", random_24},
        {Kind::cloud, Shape::token, R"(ya29\.[a-zA-Z0-9_-])", false, 1, 5, &base64_url_and_dots, 2048, ".-", random_36},
        {Kind::cloud, Shape::token, "do[opr]_v1_[0-9a-f]", false, 1, 7, &lower_hex, 128, "", is_hex_64},

        {Kind::ai, Shape::token, "sk-ant-[a-zA-Z0-9_]", false, 1, 7, &word_and_dash, 512, "-", random_36},
        {Kind::ai, Shape::token, "sk-proj-[a-zA-Z0-9_]", false, 1, 8, &word_and_dash, 512, "-", random_36},
        {Kind::ai, Shape::token, "hf_[a-zA-Z0-9]", false, 1, 3, &alphanumeric, 64, "", is_hugging_face_token},
        {Kind::ai, Shape::token, "gsk_[a-zA-Z0-9]", false, 1, 4, &alphanumeric, 128, "", random_36},

        {Kind::payment, Shape::token, "[sr]k_(?:live|test)_[a-zA-Z0-9]", false, 1, 8, &alphanumeric, 256, "",
         random_24},
        {Kind::payment, Shape::token, "whsec_[a-zA-Z0-9+/]", false, 1, 6, &base64, 128, "", random_24},

        {Kind::monitoring, Shape::token, "glsa_[a-zA-Z0-9]", false, 1, 5, &word, 64, "", random_36},
        {Kind::monitoring, Shape::token, "NRAK-[A-Z0-9]", false, 1, 5, &capitals_and_digits, 64, "", random_24},
        {Kind::monitoring, Shape::token, R"(SG\.[a-zA-Z0-9_-])", false, 1, 3, &base64_url_and_dots, 128, "",
         is_sendgrid_key},

        {Kind::jwt, Shape::token, "eyJ[a-zA-Z0-9_-]", false, 1, 3, &base64_url_and_dots, 32768, ".-", is_jwt},
    };
    return rules;
}

std::vector<PatternDatabase::Expression> expressions_of(const std::vector<const CredentialRule*>& rules) {
    std::vector<PatternDatabase::Expression> expressions;
    expressions.reserve(rules.size());
    for (const auto* rule : rules) expressions.push_back({rule->pattern, rule->any_case});
    return expressions;
}

}  // namespace trebuchet
