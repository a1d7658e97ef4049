#include "agent/config/load_config.hpp"
#include "agent/config/server_address.hpp"
#include "common/base/text.hpp"
#include "common/yaml/yaml.hpp"
#include "common/yaml/yaml_json.hpp"
#include "tests/fuzz/require.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using trebuchet::require;

namespace {

void require_one_clean_line(const std::string& message) {
    require(message.find_first_of(std::string_view("\n\r\0\x1b", 4)) == std::string::npos,
            "a message is one line without control characters");
    require(trebuchet::to_valid_utf8(message) == message, "a message is UTF-8");
}

void require_one_clean_line(const std::vector<trebuchet::ConfigProblem>& problems) {
    for (const auto& problem : problems) require_one_clean_line(problem.message());
}

}  // namespace

/// Any text is parsed or refused. A configuration that is accepted keeps the contracts of config.hpp and yaml_json.hpp.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(data, data + size);

    if (const auto document = trebuchet::parse_yaml(text)) {
        static_cast<void>(trebuchet::yaml_to_json(document->root).dump());
    }

    const auto loaded = trebuchet::parse_config(text, "fuzz.conf");
    if (!loaded) {
        require(!loaded.error().empty(), "a refusal has a reason");
        require_one_clean_line(loaded.error());
        return 0;
    }
    require_one_clean_line(loaded->warnings);
    const auto& config = loaded->config;
    require(!config.agent_id.empty() && config.agent_id.find('/') == std::string::npos, "agent_id is a folder's name");
    require(config.agent_id != "." && config.agent_id != "..", "agent_id is neither . nor ..");
    const auto address = trebuchet::parse_server_address(config.server_address);
    require(address && address->origin == config.server_address && address->path.empty(),
            "server_address is an origin");
    require(!config.job_queues.empty(), "there is a queue");
    require(config.polling_interval.count() > 0 && config.global_timeout.count() > 0, "durations are positive");
    require(config.trebuchet.tls.client_cert.empty() == config.trebuchet.tls.client_key.empty(),
            "client_cert and client_key come together");
    for (const auto& [name, value] : config.exported) {
        require(!name.empty() && name.find_first_of(std::string_view("=\0", 2)) == std::string::npos,
                "the name is valid in an environment");
        require(value.find('\0') == std::string::npos, "the value is valid in an environment");
    }
    require(config.exported.count("trebuchet") == 0, "our own settings are not exported");
    return 0;
}
