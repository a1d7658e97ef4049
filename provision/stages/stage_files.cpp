#include "provision/stages/stage_files.hpp"

#include "common/file/safe_file.hpp"
#include "provision/process/foreign_json.hpp"

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

constexpr std::size_t max_bytes = std::size_t{1024} * 1024;

Result<void> write_json(const std::filesystem::path& file, const nlohmann::json& value) {
    return write_file(file, value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

}  // namespace

Result<void> write_device_info(const std::filesystem::path& file, const ConnectorConfig& config) {
    auto info = nlohmann::json::object();
    if (!config.device_ip.empty()) info["device_ip"] = config.device_ip;
    if (!config.agent_name.empty()) info["agent_name"] = config.agent_name;
    return write_json(file, {{"device_info", info}});
}

Result<void> append_stage_error(const std::filesystem::path& file, Stage stage, const StageError& error) {
    auto errors = nlohmann::json::object();
    if (const auto text = read_untrusted(file, max_bytes)) {
        auto earlier = parse_foreign_json(*text);
        if (earlier.is_object()) errors = std::move(earlier);
    }
    errors[name_of(stage) + "_exception_info"] = {
        {"exception_name", error.name},
        {"exception_message", error.message},
        {"exception_cause", error.cause ? nlohmann::json(*error.cause) : nlohmann::json()},
    };
    return write_json(file, errors);
}

}  // namespace trebuchet
