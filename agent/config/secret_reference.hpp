#pragma once

#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace trebuchet {

/// Where a value comes from. Written as
///
///     vault:mount/path#field   a field of a document in Vault or OpenBao
///     vault:mount/path?NAME=VALUE&…#field   the same of the answer to a POST, as pki/issue and ssh/sign want it
///     env:NAME                 $SECRET_NAME of the agent, base64, or a name of trebuchet.secrets.environment
///     file:/path               a file on this host
///     credential:NAME          a credential of systemd
///     server:NAME              what the job's test_data.secrets has for NAME
struct SecretReference {
    enum class Source { vault, env, file, credential, server };

    Source source = Source::env;
    std::string path;   ///< mount/path with its parameters, NAME or /path
    std::string field;  ///< of vault only; "" for the whole document

    /// As it is written.
    [[nodiscard]] std::string text() const;
    bool operator==(const SecretReference&) const = default;
};

/// "vault", "env", …: the word in front of the colon.
[[nodiscard]] std::string_view name_of(SecretReference::Source source);

/// Whether a variable of a phase may have this name.
[[nodiscard]] bool is_variable_name(std::string_view text);

/// Parses a reference to one value. The error completes "expected …".
[[nodiscard]] tl::expected<SecretReference, std::string> parse_secret_reference(std::string_view text);

/// Parses a reference to a whole document, vault:mount/path.
[[nodiscard]] tl::expected<SecretReference, std::string> parse_document_reference(std::string_view text);

}  // namespace trebuchet
