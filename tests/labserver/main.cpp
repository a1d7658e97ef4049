#include "common/base/clock.hpp"
#include "common/file/safe_file.hpp"
#include "tests/labserver/labserver.hpp"
#include "tests/labserver/net/https_listener.hpp"
#include "tests/labserver/options.hpp"

#include <exception>
#include <filesystem>
#include <iostream>

namespace trebuchet::labserver {
namespace {

constexpr std::size_t largest_clients_file = 1U << 20U;

Result<void> load_clients(Labserver& server, const std::filesystem::path& path) {
    const auto bytes = read_file(path, largest_clients_file);
    if (!bytes) return fail(bytes.error());
    const auto clients = parse_json(*bytes);
    if (!clients) return fail(clients.error().with_context(path.string()));
    const auto added = server.add_clients(*clients);
    if (!added) return fail(added.error().with_context(path.string()));
    return {};
}

int complain(const Error& error) {
    std::cerr << "trebuchet-labserver: " << error.message() << "\n";
    return 1;
}

int serve(const Options& options) {
    const SystemClock clock;
    if (options.exports && options.data && !std::filesystem::exists(*options.data)) {
        return complain(Error(options.data->string() + " is missing, expected the data file of a labserver"));
    }
    std::optional<DataFile> data;
    if (options.data) {
        auto opened = DataFile::open(*options.data);
        if (!opened) return complain(opened.error());
        data.emplace(std::move(*opened));
    }
    Labserver server(clock, options.lifetimes);
    if (data) {
        const auto read = server.keep_in(*data);
        if (!read) return complain(read.error());
    }
    if (options.keys) server.serve_keys_of(*options.keys);
    for (const auto& fault : options.faults) server.add_fault(fault);
    if (options.clients) {
        const auto loaded = load_clients(server, *options.clients);
        if (!loaded) return complain(loaded.error());
    }
    if (options.exports) {
        std::cout << server.exported().dump(2, ' ', false, Json::error_handler_t::replace) << std::endl;
        return std::cout ? 0 : 1;
    }
    ListenerOptions listener_options;
    listener_options.address = options.address;
    listener_options.port = options.port;
    listener_options.tls = options.tls;
    listener_options.body_limit = Labserver::body_limit;
    listener_options.cut = [&server](std::string_view method, std::string_view target) {
        return server.cut(method, target);
    };
    listener_options.complain = [](const std::string& what) { std::cerr << "trebuchet-labserver: " << what << "\n"; };
    auto listener = HttpsListener::open(std::move(listener_options), server);
    if (!listener) return complain(listener.error());
    listener->stop_on_signals();
    std::cout << "trebuchet-labserver listening on " << listener->url() << std::endl;
    listener->run();
    return 0;
}

}  // namespace
}  // namespace trebuchet::labserver

int main(int argc, char** argv) {
    try {
        const auto options = trebuchet::labserver::parse_command_line(argc, argv);
        if (options) return trebuchet::labserver::serve(*options);
        (options.error().code == 0 ? std::cout : std::cerr) << options.error().text;
        return options.error().code;
    } catch (const std::exception& bug) {
        std::cerr << "trebuchet-labserver: " << bug.what() << "\n";
        return 1;
    }
}
