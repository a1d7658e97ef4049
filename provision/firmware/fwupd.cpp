#include "provision/firmware/fwupd.hpp"

#include "common/base/text.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

using Json = nlohmann::json;

/// FwupdUpdateState: a number before fwupd 2.0, a word since.
constexpr int success_number = 2;
constexpr const char* success_word = "success";

std::string text_at(const Json& object, const char* key) {
    const auto value = object.find(key);
    return value != object.end() && value->is_string() ? value->get<std::string>() : "";
}

bool has_flag(const Json& object, const char* flag) {
    const auto flags = object.find("Flags");
    return flags != object.end() && flags->is_array() && std::find(flags->begin(), flags->end(), flag) != flags->end();
}

/// The newest release; null if there is none.
const Json* first_release(const Json& object) {
    const auto releases = object.find("Releases");
    if (releases == object.end() || !releases->is_array() || releases->empty()) return nullptr;
    return releases->front().is_object() ? &releases->front() : nullptr;
}

bool is_id(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

Result<Json> parse_object(std::string_view json) {
    auto root = Json::parse(json, nullptr, false);
    if (!root.is_object()) return fail("fwupdmgr said " + trebuchet::quoted(json, 200) + ", expected JSON");
    return root;
}

}  // namespace

Result<std::vector<FirmwarePart>> parse_fwupd_devices(std::string_view json) {
    const auto root = parse_object(json);
    if (!root) return fail(root.error());
    const auto devices = root->find("Devices");
    if (devices == root->end() || !devices->is_array()) {
        return fail("fwupdmgr said " + trebuchet::quoted(json, 200) + ", expected a list of Devices");
    }
    std::vector<FirmwarePart> parts;
    for (const auto& device : *devices) {
        if (!device.is_object() || !has_flag(device, "updatable")) continue;
        FirmwarePart part{text_at(device, "DeviceId"), text_at(device, "Name"), text_at(device, "Version"), ""};
        if (!is_id(part.id)) continue;
        if (part.name.empty()) part.name = part.id;
        const auto* release = first_release(device);
        if (release != nullptr && has_flag(*release, "is-upgrade")) part.newest = text_at(*release, "Version");
        if (part.newest == part.version) part.newest.clear();
        parts.push_back(std::move(part));
    }
    return parts;
}

Result<void> check_fwupd_results(std::string_view json, std::string_view version) {
    const auto root = parse_object(json);
    if (!root) return fail(root.error());
    const auto state = root->find("UpdateState");
    const bool is_done = state != root->end() && (*state == success_number || *state == success_word);
    const auto* release = first_release(*root);
    const auto found = release == nullptr ? "" : text_at(*release, "Version");
    if (is_done && found == version) return {};
    const auto why = text_at(*root, "UpdateError");
    if (!why.empty()) return fail(trebuchet::quoted(why, 200));
    if (found != version) return fail("found version " + trebuchet::quoted(found, 50));
    return fail("its update state is " + (state == root->end() ? "missing" : trebuchet::quoted(state->dump(), 50)));
}

}  // namespace trebuchet
