#include "agent/config/secret_reference.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace trebuchet {
namespace {

using Source = SecretReference::Source;
using Parsed = tl::expected<SecretReference, std::string>;

constexpr std::array<std::pair<std::string_view, Source>, 5> sources{{{"vault", Source::vault},
                                                                      {"env", Source::env},
                                                                      {"file", Source::file},
                                                                      {"credential", Source::credential},
                                                                      {"server", Source::server}}};

constexpr std::string_view any_reference =
    "a reference: vault:mount/path#field, env:NAME, file:/path, credential:NAME or server:NAME";
constexpr std::string_view vault_path =
    "vault:mount/path, with letters, digits, '.', '-', '_', '@', '+', '=' and ':' between single slashes";
constexpr std::string_view vault_parameters =
    "vault:mount/path?NAME=VALUE&NAME=VALUE, with letters, digits and '_' in names";

bool is_path_character(unsigned char c) {
    constexpr std::string_view others = ".-_@+=:";
    return std::isalnum(c) != 0 || others.find(static_cast<char>(c)) != std::string_view::npos;
}

bool is_path_part(std::string_view part) {
    return !part.empty() && part != "." && part != ".." && std::all_of(part.begin(), part.end(), is_path_character);
}

/// At least two parts. Vault answers 301 to "//" and "..", and an escape could hide either.
bool is_vault_path(std::string_view path) {
    int parts = 0;
    while (true) {
        const auto slash = path.find('/');
        if (!is_path_part(path.substr(0, slash))) return false;
        ++parts;
        if (slash == std::string_view::npos) return parts > 1;
        path.remove_prefix(slash + 1);
    }
}

bool is_credential_name(std::string_view name) {
    return !name.empty() && name != "." && name != ".." && name.find_first_of(std::string_view("/\0", 2)) == name.npos;
}

bool is_parameter(std::string_view text) {
    const auto equals = text.find('=');
    if (equals == std::string_view::npos || !is_variable_name(text.substr(0, equals))) return false;
    return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

bool are_parameters(std::string_view text) {
    while (true) {
        const auto end = text.find('&');
        if (!is_parameter(text.substr(0, end))) return false;
        if (end == std::string_view::npos) return true;
        text.remove_prefix(end + 1);
    }
}

Parsed parse_vault(std::string_view rest) {
    const auto hash = rest.find('#');
    const auto path = rest.substr(0, hash);
    const auto question = path.find('?');
    if (!is_vault_path(path.substr(0, question))) return tl::unexpected(std::string(vault_path));
    if (question != std::string_view::npos && !are_parameters(path.substr(question + 1))) {
        return tl::unexpected(std::string(vault_parameters));
    }
    if (hash == std::string_view::npos) return SecretReference{Source::vault, std::string(path), ""};
    const auto field = rest.substr(hash + 1);
    if (field.empty()) return tl::unexpected(std::string("the name of a field after '#'"));
    return SecretReference{Source::vault, std::string(path), std::string(field)};
}

bool is_valid_place(Source source, std::string_view path) {
    switch (source) {
        case Source::file:
            return path.starts_with('/') && path.find('\0') == std::string_view::npos;
        case Source::credential:
            return is_credential_name(path);
        default:
            return is_variable_name(path);
    }
}

Parsed parse(std::string_view text) {
    const auto colon = text.find(':');
    const auto word = text.substr(0, colon);
    const auto* const source =
        std::find_if(sources.begin(), sources.end(), [&](const auto& known) { return known.first == word; });
    if (colon == std::string_view::npos || source == sources.end()) return tl::unexpected(std::string(any_reference));
    const auto rest = text.substr(colon + 1);
    if (source->second == Source::vault) return parse_vault(rest);
    if (!is_valid_place(source->second, rest)) return tl::unexpected(std::string(any_reference));
    return SecretReference{source->second, std::string(rest), ""};
}

}  // namespace

std::string_view name_of(SecretReference::Source source) {
    for (const auto& [word, known] : sources) {
        if (known == source) return word;
    }
    return "";
}

std::string SecretReference::text() const {
    return std::string(name_of(source)) + ":" + path + (field.empty() ? "" : "#" + field);
}

bool is_variable_name(std::string_view text) {
    return !text.empty() && std::isdigit(static_cast<unsigned char>(text[0])) == 0 &&
           std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

Parsed parse_secret_reference(std::string_view text) {
    auto reference = parse(text);
    if (reference && reference->source == Source::vault && reference->field.empty()) {
        return tl::unexpected(std::string("vault:mount/path#field: the '#field' is missing"));
    }
    return reference;
}

Parsed parse_document_reference(std::string_view text) {
    auto reference = parse(text);
    if (reference && reference->source == Source::vault && reference->field.empty()) return reference;
    return tl::unexpected(reference ? std::string("a whole document, vault:mount/path") : reference.error());
}

}  // namespace trebuchet
