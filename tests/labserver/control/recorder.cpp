#include "tests/labserver/control/recorder.hpp"

#include "tests/labserver/net/url.hpp"

#include <charconv>

namespace trebuchet::labserver {
namespace {

constexpr const char* left_out = "(left out)";

/// The body as it is recorded: without the fields that contain credentials or stored secrets.
std::string rememberable_body(const Request& request) {
    const auto path = path_of(request.target);
    const bool may_hold_secret = path.starts_with("/v1/secrets/") || path.starts_with("/v1/oauth2/");
    if (!may_hold_secret || request.body.empty()) return request.says_json() ? request.body : std::string();
    auto body = parse_json(request.body);
    if (!body || !body->is_object()) return {};
    for (auto& [name, value] : body->items()) {
        if (name != "expire_after" && name != "ephemeral") value = left_out;
    }
    return to_text(*body);
}

/// If a body was refused because of its length, only the announced size is known; 0 if none was announced.
std::size_t size_of_body(const Request& request) {
    if (!request.body_over_limit) return request.body.size();
    const auto announced = request.header("content-length");
    std::size_t size = 0;
    std::from_chars(announced.data(), announced.data() + announced.size(), size);
    return size;
}

double seconds_since_epoch(std::chrono::system_clock::time_point time) {
    return static_cast<double>(std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count()) /
           1e6;
}

Json text_or_null(const std::string& text) {
    return text.empty() ? Json() : Json(text);
}

}  // namespace

Response Recorder::handle(const Request& request) {
    Record record;
    record.number = ++last_number_;
    record.time = clock_.wall_time();
    record.method = request.method;
    record.target = request.target;
    record.agent = request.agent_name();
    record.size = size_of_body(request);
    record.body = rememberable_body(request);

    auto response = next_.handle(request);
    record.status = response.status;
    record.client = response.client_id;
    weight_ += record.weight();
    records_.push_back(std::move(record));
    while (weight_ > limit_ && records_.size() > 1) {
        weight_ -= records_.front().weight();
        records_.pop_front();
    }
    return response;
}

Json Recorder::since(std::uint64_t number) const {
    auto list = Json::array();
    for (const auto& record : records_) {
        if (record.number <= number) continue;
        Json entry = {{"number", record.number},
                      {"time", seconds_since_epoch(record.time)},
                      {"method", record.method},
                      {"target", record.target},
                      {"status", record.status},
                      {"agent", text_or_null(record.agent)},
                      {"client", text_or_null(record.client)},
                      {"size", record.size}};
        if (auto body = parse_json(record.body)) entry["body"] = std::move(*body);
        list.push_back(std::move(entry));
    }
    return list;
}

void Recorder::clear() {
    records_.clear();
    weight_ = 0;
}

}  // namespace trebuchet::labserver
