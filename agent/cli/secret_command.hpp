#pragma once

#include <filesystem>
#include <string>

namespace trebuchet {

struct ExplainOptions {
    std::filesystem::path config = "testflinger-agent.conf";
    std::filesystem::path job;
    std::string queue;
    std::string client_id;  ///< "": nobody
};

/// Prints for each grant what a job like this would get of it, or why not. Reads no secret. Returns 0, or 2 if a file
/// is wrong.
int explain_command(const ExplainOptions& options);

struct IdentityOptions {
    std::filesystem::path config = "testflinger-agent.conf";
};

/// Makes the key in trebuchet.secrets.vault.signing_key_file, unless it is there, and prints its public key and the
/// commands that have Vault trust it. Returns 0, or 2 if that is not possible.
int identity_command(const IdentityOptions& options);

/// Prints the lines of a .env file as SECRET_NAME=base64. Returns 0, or 2 if the file is wrong, or readable by others.
int encode_env_command(const std::filesystem::path& file);

}  // namespace trebuchet
