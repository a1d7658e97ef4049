#include "tests/labserver/options.hpp"

#include "common/base/text.hpp"
#include "common/base/version.hpp"

#include <charconv>

#include <CLI/CLI.hpp>

namespace trebuchet::labserver {
namespace {

constexpr std::int64_t longest_lifetime = std::int64_t{3650} * 24 * 3600;

tl::unexpected<EarlyExit> usage_error(const std::string& what) {
    return tl::make_unexpected(EarlyExit{2, "trebuchet-labserver: " + what + "\nTry trebuchet-labserver --help.\n"});
}

/// "127.0.0.1:8443" or "[::1]:8443".
bool split_address(const std::string& listen, Options& options) {
    const auto colon = listen.rfind(':');
    if (colon == std::string::npos || colon == 0) return false;
    const auto* const end = listen.data() + listen.size();
    const auto [rest, error] = std::from_chars(listen.data() + colon + 1, end, options.port);
    if (error != std::errc() || rest != end) return false;
    options.address = listen.substr(0, colon);
    if (options.address.front() == '[' && options.address.back() == ']') {
        options.address = options.address.substr(1, options.address.size() - 2);
        return !options.address.empty();
    }
    return options.address.find(':') == std::string::npos;
}

}  // namespace

tl::expected<Options, EarlyExit> parse_command_line(int argc, const char* const* argv) {
    CLI::App app("A small server with the Testflinger v1 API: for demos, tests and benches of a few boards.",
                 "trebuchet-labserver");
    app.footer("Example:\n  trebuchet-labserver --listen 127.0.0.1:8080 --clients clients.json");
    std::string listen;
    std::string certificate;
    std::string key;
    std::string clients;
    std::string data;
    std::string keys;
    std::vector<std::string> faults;
    std::int64_t access_seconds = 600;
    std::int64_t refresh_seconds = std::int64_t{6} * 24 * 3600;
    app.set_version_flag("--version", std::string("trebuchet-labserver ") + version);
    app.add_option("--listen", listen, "Where to listen (required); port 0 is any free port")
        ->type_name("ADDRESS:PORT");
    app.add_option("--cert", certificate, "Certificate chain in PEM; without it the server speaks plain HTTP")
        ->type_name("FILE");
    app.add_option("--key", key, "The certificate's private key in PEM, without a passphrase")->type_name("FILE");
    app.add_option("--clients", clients,
                   R"(Who may log in: JSON {"id": {"secret_key": "…", "role": "admin|manager|contributor|agent", )"
                   R"("max_priority": {"queue or *": 1}, "allowed_queues": ["…"]}})")
        ->type_name("FILE");
    app.add_option(
           "--data", data,
           "SQLite file for the server's data, with the secrets in plain text; created if missing. Without it the data "
           "is kept in memory and lost when the server stops")
        ->type_name("FILE");
    app.add_option("--keys", keys,
                   "Folder with the key pairs of tested repositories, as `trebuchet-agent secret keygen` makes them; "
                   "their public keys are served, and missing pairs are made")
        ->type_name("FOLDER");
    app.add_option("--fault", faults,
                   "Inject a fault, such as \"status=503 GET /v1/job x3\"; may be given several times. "
                   "tests/labserver/README.md lists the faults")
        ->type_name("SPEC")
        ->take_all();
    bool exports = false;
    app.add_flag("--export", exports,
                 "Print the queues, the clients and the names of the secrets in --data and --clients as JSON, without "
                 "keys and values, for the move to another server; do not serve");
    app.add_option("--access-token-seconds", access_seconds, "Lifetime of access tokens")
        ->capture_default_str()
        ->type_name("SECONDS");
    app.add_option("--refresh-token-seconds", refresh_seconds, "Lifetime of refresh tokens")
        ->capture_default_str()
        ->type_name("SECONDS");
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        return tl::make_unexpected(EarlyExit{0, app.help()});
    } catch (const CLI::CallForVersion& asked) {
        return tl::make_unexpected(EarlyExit{0, std::string(asked.what()) + "\n"});
    } catch (const CLI::ParseError& error) {
        return usage_error(error.what());
    }

    Options options;
    if (exports) {
        if (data.empty() && clients.empty()) return usage_error("--export needs --data or --clients");
        if (!data.empty()) options.data = data;
        if (!clients.empty()) options.clients = clients;
        options.exports = true;
        return options;
    }
    if (listen.empty()) return usage_error("--listen ADDRESS:PORT is missing");
    if (!split_address(listen, options)) {
        return usage_error("--listen " + trebuchet::quoted(listen) +
                           ": expected ADDRESS:PORT, as in 127.0.0.1:8443 or [::1]:0");
    }
    for (const auto seconds : {access_seconds, refresh_seconds}) {
        if (seconds < 1 || seconds > longest_lifetime) {
            return usage_error("the lifetime of a token must be from 1 to " + std::to_string(longest_lifetime) +
                               " seconds, found " + std::to_string(seconds));
        }
    }
    if (certificate.empty() != key.empty()) {
        return usage_error(certificate.empty() ? "--key needs --cert" : "--cert needs --key");
    }
    if (!certificate.empty()) options.tls = TlsFiles{certificate, key};
    if (!clients.empty()) options.clients = clients;
    if (!data.empty()) options.data = data;
    if (!keys.empty()) options.keys = keys;
    for (const auto& spec : faults) {
        auto fault = parse_fault(spec);
        if (!fault) return usage_error(fault.error().message());
        options.faults.push_back(std::move(*fault));
    }
    options.lifetimes = {std::chrono::seconds(access_seconds), std::chrono::seconds(refresh_seconds)};
    return options;
}

}  // namespace trebuchet::labserver
