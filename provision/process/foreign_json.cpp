#include "provision/process/foreign_json.hpp"

namespace trebuchet {
namespace {

constexpr int depth_limit = 100;

}  // namespace

nlohmann::json parse_foreign_json(std::string_view text) {
    using nlohmann::json;
    bool is_too_deep = false;
    const auto within_limit = [&](int depth, json::parse_event_t /*event*/, json& /*parsed*/) {
        is_too_deep = is_too_deep || depth > depth_limit;
        return !is_too_deep;
    };
    auto parsed = json::parse(text, within_limit, false);
    if (is_too_deep) return json(json::value_t::discarded);
    return parsed;
}

}  // namespace trebuchet
