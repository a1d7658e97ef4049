#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace trebuchet {

/// Credentials that are recognised by their format.
enum class CredentialKind : unsigned char {
    private_key,    ///< the body of a PEM, PGP, SSH2 or PuTTY private key; an age secret key
    url_password,   ///< `password` in scheme://user:password@host
    authorization,  ///< the value after Bearer, Basic or token in an Authorization or Proxy-Authorization header
    aws,            ///< access key IDs; secret keys and session tokens after their names
    github,         ///< ghp_, gho_, ghu_, ghs_, ghr_, github_pat_
    gitlab,         ///< glpat- and its relatives; registration tokens of runners
    slack,          ///< xox?- and xapp- tokens, webhook URLs
    vault,          ///< hvs., hvb., hvr.; s., b. and r. after a word that ends in "token"
    jwt,            ///< JSON web tokens
    registry,       ///< package registries: npm_, pypi-, rubygems_, dckr_pat_
    cloud,          ///< Google's AIza, GOCSPX- and ya29., DigitalOcean's dop_v1_ and its relatives
    ai,             ///< sk-ant-, sk-proj-, hf_, gsk_
    payment,        ///< Stripe's sk_live_, rk_live_ and those of test mode, whsec_
    monitoring,     ///< Grafana's glsa_, New Relic's NRAK-, SendGrid's SG.
};

/// Names in the configuration and in reports; the index is the kind's value.
constexpr std::array<std::string_view, 14> credential_kind_names{
    "private_key", "url_password", "authorization", "aws",   "github", "gitlab",  "slack",
    "vault",       "jwt",          "registry",      "cloud", "ai",     "payment", "monitoring"};

[[nodiscard]] constexpr std::string_view name_of(CredentialKind kind) {
    return credential_kind_names.at(static_cast<std::size_t>(kind));
}

}  // namespace trebuchet
