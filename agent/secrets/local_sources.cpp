#include "agent/secrets/local_sources.hpp"

#include "agent/secrets/env_file.hpp"
#include "common/file/private_file.hpp"
#include "common/secret/base64.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>

#include <unistd.h>

namespace trebuchet {
namespace {

using Kind = SecretProblem::Kind;

constexpr std::string_view prefix = "SECRET_";
constexpr std::size_t value_limit = std::size_t{4} << 20U;

tl::unexpected<SecretProblem> problem(Kind kind, std::string text) {
    return tl::unexpected(SecretProblem{kind, std::move(text)});
}

bool equals_ignoring_case(std::string_view left, std::string_view right) {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                      [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
}

bool is_encoded_form_of(std::string_view variable, std::string_view name) {
    return variable.starts_with(prefix) && equals_ignoring_case(variable.substr(prefix.size()), name);
}

SecretResult<SecretString> decoded(std::string_view variable, std::string_view text) {
    if (auto bytes = base64_decoded(text)) return std::move(*bytes);
    return problem(Kind::unreachable, "the value of " + std::string(variable) + " is not base64");
}

SecretResult<SecretString> read_place(const std::filesystem::path& path, FilePrivacy privacy) {
    std::error_code error;
    const auto type = std::filesystem::status(path, error).type();
    if (type == std::filesystem::file_type::not_found) {
        return problem(Kind::missing, "there is no file " + path.string());
    }
    auto value = read_private_file(path, value_limit, privacy);
    if (!value) return problem(Kind::denied, value.error().message());
    return std::move(*value);
}

}  // namespace

LocalSources::LocalSources(const SecretsConfig& config, Places places) : config_(config), places_(std::move(places)) {}

LocalSources LocalSources::of_process(const SecretsConfig& config) {
    const char* credentials = std::getenv("CREDENTIALS_DIRECTORY");
    return {config, {environ, config.env_file, credentials == nullptr ? "" : credentials}};
}

SecretResult<SecretString> LocalSources::read(const SecretReference& reference) const {
    switch (reference.source) {
        case SecretReference::Source::env:
            return read_variable(reference.path);
        case SecretReference::Source::file:
            return read_place(reference.path, FilePrivacy::strict);
        case SecretReference::Source::credential:
            return read_credential(reference.path);
        default:
            return problem(Kind::unreachable, reference.text() + " is not a place on this host");
    }
}

SecretResult<SecretString> LocalSources::read_variable(const std::string& name) const {
    const auto& listed = config_.environment;
    const bool is_listed = std::find(listed.begin(), listed.end(), name) != listed.end();
    for (const auto* entry = places_.environment; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view assignment(*entry);
        const auto equals = std::min(assignment.find('='), assignment.size());
        const auto variable = assignment.substr(0, equals);
        const auto value = assignment.substr(std::min(equals + 1, assignment.size()));
        if (is_encoded_form_of(variable, name)) return decoded(variable, value);
        if (is_listed && variable == name) return SecretString(value);
    }
    return read_env_file(name);
}

SecretResult<SecretString> LocalSources::read_env_file(const std::string& name) const {
    const auto nowhere = "the agent has no variable " + std::string(prefix) + name;
    if (places_.env_file.empty()) return problem(Kind::missing, nowhere);
    const auto text = read_place(places_.env_file, FilePrivacy::strict);
    if (!text) return tl::unexpected(text.error());
    const auto entries = parse_env_file(text->reveal(), places_.env_file.string());
    if (!entries) return problem(Kind::unreachable, entries.error().message());
    for (const auto& entry : *entries) {
        if (!is_encoded_form_of(entry.name, name)) continue;
        return entry.is_base64 ? SecretResult<SecretString>(SecretString(entry.value))
                               : decoded(entry.name, entry.value);
    }
    return problem(Kind::missing, nowhere + ", and " + places_.env_file.string() + " has none, either");
}

SecretResult<SecretString> LocalSources::read_credential(const std::string& name) const {
    if (places_.credentials.empty()) {
        return problem(Kind::missing,
                       "the agent has no credentials of systemd: add LoadCredential=" + name + ":… to its unit");
    }
    return read_place(places_.credentials / name, FilePrivacy::by_service);
}

}  // namespace trebuchet
