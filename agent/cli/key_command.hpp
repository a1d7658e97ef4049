#pragma once

#include "common/sealed_value/key_folder.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace trebuchet {

/// Which key pair a command is about.
struct KeyChoice {
    std::filesystem::path config = "testflinger-agent.conf";
    std::filesystem::path key_folder;  ///< "": trebuchet.secrets.key_folder
    std::string repository;            ///< "": the `origin` of the git repository here
    std::string user;                  ///< "": $TESTFLINGER_CLIENT_ID, then trebuchet.client_id
};

/// The folder of `choice`. The Error says which option or setting is missing.
[[nodiscard]] Result<KeyFolder> key_folder_of(const KeyChoice& choice);
/// The owner of `choice`. May run git.
[[nodiscard]] Result<KeyOwner> key_owner_of(const KeyChoice& choice);

// Each returns 0, or 2 after saying on stderr what is wrong.

/// `secret keygen`: makes the pair, unless it is there, and prints the public key.
int keygen_command(const KeyChoice& choice);

struct EncryptOptions {
    KeyChoice key;
    std::string name = "NAME";         ///< of the variable
    std::filesystem::path public_key;  ///< "": from the key folder, or else from the server
    bool keep_newline = false;
};
/// `secret encrypt`: reads the value from the terminal, without echo, or from stdin, without its final newline. Prints
/// the two shapes that `.testing-farm.yaml` may have.
int encrypt_command(const EncryptOptions& options);

/// `secret decrypt`: reads what `encrypt` printed from stdin, and writes the value to stdout.
int decrypt_command(const KeyChoice& choice);

/// `secret list`: prints a line for each key.
int list_keys_command(const KeyChoice& choice);

struct RotateOptions {
    KeyChoice key;
    int overlap_days = 30;
};
/// `secret rotate`: makes a new pair and prints its public key; the older ones decrypt during the overlap.
int rotate_command(const RotateOptions& options);

struct RevokeOptions {
    KeyChoice key;
    std::string id;  ///< "": all keys of the owner
};
/// `secret revoke`: removes private keys for good.
int revoke_command(const RevokeOptions& options);

}  // namespace trebuchet
