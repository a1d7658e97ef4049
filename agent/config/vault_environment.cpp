#include "agent/config/vault_environment.hpp"

#include "agent/config/vault_section.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace trebuchet {
namespace {

bool refers_to_vault(const SecretGrant& grant) {
    const auto is_of_vault = [](const auto& entry) { return entry.second.source == SecretReference::Source::vault; };
    return grant.env_from || std::any_of(grant.env.begin(), grant.env.end(), is_of_vault) ||
           std::any_of(grant.files.begin(), grant.files.end(), is_of_vault);
}

std::optional<int> number_in(std::string_view text) {
    int number = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
    if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return std::nullopt;
    return number;
}

class VaultEnvironment {
  public:
    VaultEnvironment(const std::function<const char*(const char*)>& getenv, LoadedConfig& loaded)
        : getenv_(getenv), loaded_(loaded), vault_(loaded.config.trebuchet.secrets.vault) {}

    void read() {
        read_address();
        fill("CACERT", "ca_file", vault_.ca_file);
        fill("CAPATH", "ca_file", vault_.ca_file);
        fill("CLIENT_CERT", "client_cert", vault_.client_cert);
        fill("CLIENT_KEY", "client_key", vault_.client_key);
        fill("TLS_SERVER_NAME", "server_name", vault_.server_name);
        fill("NAMESPACE", "namespace", vault_.name_space);
        read_retries();
        read_timeout();
        refuse_skip_verify();
    }

  private:
    [[nodiscard]] std::string value(const char* name) const {
        const char* text = vault_variable(getenv_, name);
        return text == nullptr ? "" : text;
    }

    void show(const char* name, const char* key, const std::string& text) {
        const bool is_bao = getenv_((std::string("BAO_") + name).c_str()) != nullptr;
        loaded_.settings.set(std::string("trebuchet.secrets.vault.") + key, shown_value(text),
                             "environment variable " + std::string(is_bao ? "BAO_" : "VAULT_") + name);
    }

    template <typename Text>
    void fill(const char* name, const char* key, Text& setting) {
        const auto text = value(name);
        if (!setting.empty() || text.empty()) return;
        setting = text;
        show(name, key, text);
    }

    void read_address() {
        const auto text = value("ADDR");
        if (!vault_.address.empty() || text.empty()) return;
        if (auto origin = vault_origin(text)) {
            vault_.address = std::move(*origin);
            return show("ADDR", "address", vault_.address);
        }
        loaded_.warnings.push_back({"", 0, 0,
                                    "VAULT_ADDR is ignored: expected an address such as "
                                    "https://vault.example.com:8200; http only for loopback"});
    }

    [[nodiscard]] bool is_default(std::string_view key) const {
        const auto& settings = loaded_.settings.all();
        return std::any_of(settings.begin(), settings.end(),
                           [&](const auto& setting) { return setting.key == key && setting.source == "default"; });
    }

    void read_retries() {
        const auto number = number_in(value("MAX_RETRIES"));
        if (!number || *number < 0 || !is_default("trebuchet.secrets.vault.max_retries")) return;
        vault_.max_retries = std::min(*number, 10);
        show("MAX_RETRIES", "max_retries", std::to_string(vault_.max_retries));
    }

    /// "60" or "60s".
    void read_timeout() {
        auto text = value("CLIENT_TIMEOUT");
        if (text.ends_with('s')) text.pop_back();
        const auto number = number_in(text);
        if (!number || *number < 1 || !is_default("trebuchet.secrets.vault.timeout")) return;
        vault_.timeout = std::chrono::seconds(std::min(*number, 600));
        show("CLIENT_TIMEOUT", "timeout", std::to_string(vault_.timeout.count()));
    }

    void refuse_skip_verify() {
        const auto text = value("SKIP_VERIFY");
        if (text.empty() || text == "0" || text == "false") return;
        loaded_.warnings.push_back(
            {"", 0, 0, "VAULT_SKIP_VERIFY is ignored: the certificate of Vault is always checked"});
    }

    const std::function<const char*(const char*)>& getenv_;
    LoadedConfig& loaded_;
    VaultConfig& vault_;
};

}  // namespace

const char* vault_variable(const std::function<const char*(const char*)>& getenv, const char* name) {
    const char* bao = getenv((std::string("BAO_") + name).c_str());
    return bao != nullptr ? bao : getenv((std::string("VAULT_") + name).c_str());
}

bool uses_vault(const SecretsConfig& secrets) {
    return std::any_of(secrets.grants.begin(), secrets.grants.end(), refers_to_vault);
}

void read_vault_environment(const std::function<const char*(const char*)>& getenv, LoadedConfig& loaded) {
    if (uses_vault(loaded.config.trebuchet.secrets)) VaultEnvironment(getenv, loaded).read();
}

}  // namespace trebuchet
