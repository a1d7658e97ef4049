#include "agent/config/vault_section.hpp"

#include "agent/config/server_address.hpp"
#include "common/http/origin.hpp"

#include <utility>

namespace trebuchet {
namespace {

void read_address(SectionReader& reader, std::string& address) {
    if (const auto text = reader.non_empty_string("address")) {
        if (auto origin = vault_origin(*text)) {
            address = std::move(*origin);
        } else {
            reader.note("address", reader.take("address")->expected(
                                       "an address such as https://vault.example.com:8200; http only for loopback"));
        }
    }
    reader.show("address", shown_value(address));
}

void read_text(SectionReader& reader, const std::string& key, std::string& text) {
    if (auto value = reader.non_empty_string(key)) {
        if (value->find_first_of("\r\n\t ?#%") == std::string::npos) {
            text = std::move(*value);
        } else {
            reader.note(key, reader.take(key)->expected("a name without blanks and without ? # %"));
        }
    }
    reader.show(key, shown_value(text));
}

template <typename T>
void read_number(SectionReader& reader, const std::string& key, std::int64_t least, std::int64_t most, T& value) {
    if (const auto number = reader.whole_number(key, least, most)) value = static_cast<T>(*number);
    reader.show(key, std::to_string(value));
}

void read_seconds(SectionReader& reader, const std::string& key, std::int64_t most, std::chrono::seconds& value) {
    auto count = value.count();
    read_number(reader, key, 1, most, count);
    value = std::chrono::seconds(count);
}

void read_keys(SectionReader& reader, VaultConfig& vault) {
    read_address(reader, vault.address);
    reader.absolute_path("ca_file", vault.ca_file);
    reader.absolute_path("client_cert", vault.client_cert);
    reader.secret_file("client_key", vault.client_key);
    read_text(reader, "server_name", vault.server_name);
    read_text(reader, "namespace", vault.name_space);
    reader.choice("login", {{"jwt", VaultLogin::jwt}, {"approle", VaultLogin::approle}, {"token", VaultLogin::token}},
                  vault.login);
    read_text(reader, "mount", vault.mount);
    read_text(reader, "role", vault.role);
    read_text(reader, "audience", vault.audience);
    read_text(reader, "issuer", vault.issuer);
    reader.secret_file("signing_key_file", vault.signing_key_file);
    read_text(reader, "role_id", vault.role_id);
    reader.secret_file("secret_id_file", vault.secret_id_file);
    reader.boolean("secret_id_is_wrapped", vault.secret_id_is_wrapped);
    reader.secret_file("token_file", vault.token_file);
    read_seconds(reader, "timeout", 600, vault.timeout);
    read_number(reader, "max_retries", 0, 10, vault.max_retries);
    read_seconds(reader, "token_ttl", 86'400, vault.token_ttl);
}

}  // namespace

std::optional<std::string> vault_origin(const std::string& address) {
    const auto parsed = parse_server_address(address);
    const bool is_origin = parsed && (parsed->path.empty() || parsed->path == "/");
    if (!is_origin || travels_in_clear(parsed->origin)) return std::nullopt;
    return parsed->origin;
}

void read_vault_section(SectionReader& outer, SectionNotes notes, VaultConfig& vault) {
    static const YamlNode none = [] {
        YamlNode node;
        node.kind = YamlKind::map;
        return node;
    }();
    const auto* section = outer.take_section("vault");
    const bool is_map = section != nullptr && section->kind == YamlKind::map;
    if (section != nullptr && !is_map) outer.note("vault", section->expected("a map with address and login"));
    notes.prefix += "vault.";
    notes.section += "vault.";
    SectionReader reader(is_map ? *section : none, std::move(notes));
    read_keys(reader, vault);
    reader.refuse_unknown();
}

}  // namespace trebuchet
