#include "agent/secrets/vault_source.hpp"
#include "common/base/clock.hpp"
#include "tests/fakes/fake_vault.hpp"
#include "tests/fakes/temporary_folder.hpp"
#include "tests/fakes/test_authority.hpp"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace {

using namespace trebuchet;

struct Figures {
    std::chrono::microseconds first{};  ///< login, and the first document
    std::chrono::microseconds rest{};
    std::size_t reads = 0;
};

double milliseconds(std::chrono::microseconds time) {
    return std::chrono::duration<double, std::milli>(time).count();
}

Figures read_all(EventLoop& loop, FakeVault& vault, const TestAuthority& authority, int count) {
    const SystemClock clock;
    const auto secret_id = vault.make_secret_id();
    const auto before = vault.count("GET /v1/secret/data/");
    VaultSource source({.loop = loop,
                        .clock = clock,
                        .make_client =
                            [&] {
                                VaultOptions options;
                                options.server.origin = vault.origin();
                                options.server.ca_file = authority.certificate();
                                return std::make_unique<VaultClient>(loop, options, [] { return 0.0; });
                            },
                        .log_in =
                            [&](VaultClient& client, VaultLoginDone done) {
                                log_in_with_approle(client, "approle", FakeVault::role_id(), secret_id,
                                                    std::move(done));
                            },
                        .on_credential = [](const std::string&, std::string_view) {},
                        .on_accessor = [](const std::string&) {},
                        .draw = [] { return 0.0; },
                        .job = "bench"});
    const auto begin = std::chrono::steady_clock::now();
    static_cast<void>(source.read("secret/suite/0"));
    const auto logged_in = std::chrono::steady_clock::now();
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < count; ++i) {
            if (!source.read("secret/suite/" + std::to_string(i))) throw std::runtime_error("a read failed");
        }
    }
    const auto end = std::chrono::steady_clock::now();
    source.end();
    const auto in_microseconds = [](auto time) { return std::chrono::duration_cast<std::chrono::microseconds>(time); };
    return {in_microseconds(logged_in - begin), in_microseconds(end - logged_in),
            vault.count("GET /v1/secret/data/") - before};
}

}  // namespace

int main(int argc, char** argv) {
    int secrets = 40;
    int jobs = 20;
    CLI::App app{
        "Measures how long a job waits for its secrets: each in a document of its own, from a fake Vault over TLS"};
    app.add_option("--secrets", secrets, "Documents for each job")->capture_default_str();
    app.add_option("--jobs", jobs, "Jobs, of which the median is printed")->capture_default_str();
    CLI11_PARSE(app, argc, argv);

    const TemporaryFolder folder;
    const TestAuthority authority(folder.path(), "authority");
    const auto files = authority.issue("vault", "IP:127.0.0.1");
    FakeVault vault(ServerIdentity{files.certificate, files.key, {}});
    for (int i = 0; i < secrets; ++i) vault.put("secret/suite/" + std::to_string(i), {{"value", "secret"}});
    EventLoop loop;
    std::vector<Figures> all;
    for (int i = 0; i < jobs; ++i) all.push_back(read_all(loop, vault, authority, secrets));
    std::sort(all.begin(), all.end(), [](const Figures& a, const Figures& b) { return a.rest < b.rest; });
    const auto& median = all[all.size() / 2];
    std::cout << "login and first secret: " << milliseconds(median.first) << " ms\n"
              << secrets << " secrets after the login, median of " << jobs << " jobs: " << milliseconds(median.rest)
              << " ms\n"
              << "reads for each job: " << median.reads << '\n';
    return median.reads == static_cast<std::size_t>(secrets) ? 0 : 1;
}
