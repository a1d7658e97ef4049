#include "tests/fakes/fake_vault.hpp"
#include "tests/fakes/test_authority.hpp"

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>

/// trebuchet-fake-vault FOLDER: a fake Vault over TLS for clients that are no tests in C++. Writes ca.pem into FOLDER,
/// prints one line of JSON (address, ca, token, role_id, secret_id, wrapped_secret_id), and runs until its stdin ends.
/// Each line of stdin is an order: "seal" or "unseal".
int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "Usage: trebuchet-fake-vault FOLDER\n";
        return 2;
    }
    std::signal(SIGPIPE, SIG_IGN);
    const trebuchet::TestAuthority authority(argv[1], "ca");
    const auto files = authority.issue("vault", "IP:127.0.0.1");
    trebuchet::FakeVault vault(trebuchet::ServerIdentity{files.certificate, files.key, {}});
    const nlohmann::json told{
        {"address", vault.origin()},           {"ca", authority.certificate().string()},
        {"token", vault.root_token()},         {"role_id", trebuchet::FakeVault::role_id()},
        {"secret_id", vault.make_secret_id()}, {"wrapped_secret_id", vault.make_wrapped_secret_id()}};
    std::cout << told.dump() << std::endl;
    for (std::string order; std::getline(std::cin, order);) {
        if (order == "seal" || order == "unseal") vault.seal(order == "seal");
        std::cout << "{}" << std::endl;
    }
    return EXIT_SUCCESS;
}
