#include "tests/labserver/faults/faults.hpp"

#include "tests/labserver/faults/hostile_json.hpp"

#include <algorithm>

namespace trebuchet::labserver {
namespace {

using std::chrono::milliseconds;

/// The request was read but is not handled, and the connection is cut: the recorded status is 0.
Response closed(std::string before = {}) {
    Response response;
    response.status = 0;
    response.wire.emplace();
    response.wire->before = std::move(before);
    response.wire->answer = false;
    response.wire->cut = true;
    return response;
}

std::string interim_answer(std::int64_t status) {
    return "HTTP/1.1 " + std::to_string(status) + " Interim\r\nLink: </later>; rel=preload\r\n\r\n";
}

/// Bytes of all values, the same each time. They do not start like HTTP.
std::string garbage(std::int64_t size) {
    std::string bytes(static_cast<std::size_t>(size), '\0');
    std::uint32_t state = 1;
    for (auto& byte : bytes) {
        state = state * 1664525U + 1013904223U;
        byte = static_cast<char>(state >> 24U);
    }
    return bytes;
}

/// Each field is about as long as Beast can write.
void add_headers(Response& response, std::int64_t bytes) {
    constexpr std::int64_t one = 32'000;
    for (std::int64_t left = bytes; left > 0; left -= one) {
        response.headers.emplace_back("X-Filler-" + std::to_string(left),
                                      std::string(static_cast<std::size_t>(std::min(one, left)), 'x'));
    }
}

/// The answer to give instead of handling the request. nullopt: the request is handled.
std::optional<Response> answer_instead(const Fault& fault) {
    switch (fault.kind) {
        case FaultKind::close:
            return closed();
        case FaultKind::garbage:
            return closed(garbage(fault.value));
        case FaultKind::status:
            return problem(static_cast<int>(fault.value), "Injected fault");
        case FaultKind::expired_token:
            return problem(401, "Token has expired");
        case FaultKind::rotated_key:
            return problem(403, "Invalid token");
        case FaultKind::no_webhook:
            return problem(500, "No webhook is configured");
        default:
            return std::nullopt;
    }
}

/// Applies the fault to the answer of a request that was handled. Returns false if the fault cannot hit this answer.
bool spoil(Response& response, const Fault& fault) {
    Wire wire;
    switch (fault.kind) {
        case FaultKind::lose_answer:
            wire.answer = false;
            wire.cut = true;
            break;
        case FaultKind::delay:
            wire.delay = milliseconds(fault.value);
            break;
        case FaultKind::slow:
            wire.pause = milliseconds(fault.value);
            break;
        case FaultKind::interim_only:
            wire.answer = false;
            [[fallthrough]];
        case FaultKind::interim:
            wire.before = interim_answer(fault.value);
            break;
        case FaultKind::truncate: {
            auto& body = response.body;
            if (body.empty()) return false;
            wire.content_length = body.size();
            body.resize(body.size() - std::min(body.size(), static_cast<std::size_t>(fault.value)));
            wire.cut = true;
            break;
        }
        case FaultKind::huge_headers:
            add_headers(response, fault.value);
            return true;
        default: {
            auto body = hostile_json(response.body, fault);
            if (!body) return false;
            response.body = std::move(*body);
            return true;
        }
    }
    response.wire = std::move(wire);
    return true;
}

}  // namespace

Json Faults::list() const {
    auto all = Json::array();
    for (const auto& entry : entries_) {
        all.push_back(to_json(entry.fault));
        all.back()["hits"] = entry.hits;
    }
    return all;
}

Faults::Entry* Faults::find(std::string_view method, std::string_view target, bool before_reading) {
    const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
        const bool is_used_up = entry.fault.count != 0 && entry.hits >= entry.fault.count;
        return !is_used_up && entry.fault.matches(method, target);
    });
    if (found == entries_.end() || is_before_reading(found->fault.kind) != before_reading) return nullptr;
    return &*found;
}

std::optional<Fault> Faults::before_reading(std::string_view method, std::string_view target) {
    auto* entry = find(method, target, true);
    if (entry == nullptr) return std::nullopt;
    ++entry->hits;
    return entry->fault;
}

Response Faults::handle(const Request& request) {
    auto* entry = find(request.method, request.target, false);
    if (entry == nullptr) return next_.handle(request);
    if (auto answer = answer_instead(entry->fault)) {
        ++entry->hits;
        return std::move(*answer);
    }
    auto response = next_.handle(request);
    if (spoil(response, entry->fault)) ++entry->hits;
    return response;
}

}  // namespace trebuchet::labserver
