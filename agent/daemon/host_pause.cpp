#include "agent/daemon/host_pause.hpp"

#include "common/file/planted_file.hpp"
#include "common/file/trusted_file.hpp"

#include <cstdint>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

constexpr std::size_t file_limit = 65536;
/// The latest end, in seconds since 1970: the year 2286.
constexpr std::int64_t latest = 9'999'999'999;

}  // namespace

Result<void> write_pause(const std::filesystem::path& state, const HostPause& pause) {
    nlohmann::json json{{"note", pause.note}};
    if (pause.until) {
        json["until"] = std::chrono::duration_cast<std::chrono::seconds>(pause.until->time_since_epoch()).count();
    }
    return write_trusted(state / pause_file, json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

Result<std::optional<HostPause>> read_pause(const std::filesystem::path& state, bool own_files_are_trusted) {
    const auto file = state / pause_file;
    if (kind_of_file(file).empty()) return std::nullopt;
    const auto text = read_trusted(file, file_limit, own_files_are_trusted);
    if (!text) return fail(text.error());
    const auto json = nlohmann::json::parse(*text, nullptr, false);
    if (!json.is_object() || !json.contains("note") || !json["note"].is_string()) {
        return fail(file.string() + " cannot be understood");
    }
    HostPause pause{json["note"].get<std::string>(), std::nullopt};
    if (json.contains("until")) {
        const auto& until = json["until"];
        if (!until.is_number_integer() || until < 0 || until > latest) {
            return fail(file.string() + " cannot be understood");
        }
        pause.until = std::chrono::system_clock::time_point(std::chrono::seconds(until.get<std::int64_t>()));
    }
    return pause;
}

}  // namespace trebuchet
