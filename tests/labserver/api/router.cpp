#include "tests/labserver/api/router.hpp"

#include <algorithm>
#include <exception>
#include <optional>

namespace trebuchet::labserver {
namespace {

bool is_part(const std::string& segment) {
    return segment.starts_with('{');
}
bool takes_the_rest(const std::string& segment) {
    return segment.ends_with("...}");
}

std::string joined(const std::vector<std::string>& words, std::size_t from, const char* between) {
    std::string out;
    for (std::size_t i = from; i < words.size(); ++i) out += (i == from ? "" : between) + words[i];
    return out;
}

std::optional<std::vector<std::string>> match(const std::vector<std::string>& pattern,
                                              const std::vector<std::string>& path) {
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (i >= path.size()) return std::nullopt;
        if (takes_the_rest(pattern[i])) {
            parts.push_back(joined(path, i, "/"));
            return parts;
        }
        if (is_part(pattern[i])) {
            if (path[i].empty()) return std::nullopt;
            parts.push_back(path[i]);
        } else if (pattern[i] != path[i]) {
            return std::nullopt;
        }
    }
    if (pattern.size() != path.size()) return std::nullopt;
    return parts;
}

std::string names_of(const std::vector<Role>& roles) {
    std::vector<std::string> names;
    names.reserve(roles.size());
    for (const auto role : roles) names.emplace_back(name_of(role));
    return joined(names, 0, ", ");
}

/// The checked body, or the error response.
tl::expected<Json, Response> checked_body(const Request& request, const Check& check) {
    auto body = Json::object();
    if (request.says_json() && !request.body.empty()) {
        auto parsed = parse_json(request.body);
        if (!parsed) {
            return tl::make_unexpected(problem(400, "Bad request: " + parsed.error().message(),
                                               {{"json", Json::array({"Invalid JSON body."})}}));
        }
        body = std::move(*parsed);
    }
    auto errors = check(body);
    if (!errors.is_null()) return tl::make_unexpected(invalid("json", std::move(errors)));
    return body;
}

}  // namespace

void Router::add(Route route) {
    auto pattern = segments_of(route.pattern);
    const auto place = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& other) {
        return std::lexicographical_compare(
            pattern.begin(), pattern.end(), other.pattern.begin(), other.pattern.end(),
            [](const std::string& left, const std::string& right) { return !is_part(left) && is_part(right); });
    });
    entries_.insert(place, Entry{std::move(route), std::move(pattern)});
}

Response Router::handle(const Request& request) {
    const auto path = segments_of(path_of(request.target));
    const auto method = request.method == "HEAD" ? std::string("GET") : request.method;
    std::vector<std::string> allowed;
    for (const auto& entry : entries_) {
        auto parts = match(entry.pattern, path);
        if (!parts) continue;
        if (entry.route.method == method) {
            return answer(entry.route, {request, std::move(*parts), query_of(request.target), {}, {}});
        }
        allowed.push_back(entry.route.method);
    }
    if (allowed.empty()) return text_answer("Not found: there is nothing at this address\n", 404);
    auto refusal = problem(405, "Method Not Allowed");
    refusal.headers.emplace_back("Allow", joined(allowed, 0, ", "));
    return refusal;
}

Response Router::answer(const Route& route, Call call) const {
    if (!route.roles.empty()) {
        auto caller = identify(call.request);
        if (!caller) return caller.error();
        call.caller = std::move(*caller);
    }
    const auto respond = [&]() -> Response {
        const bool has_role = route.roles.empty() ||
                              std::find(route.roles.begin(), route.roles.end(), call.caller.role) != route.roles.end();
        if (!has_role) return problem(403, "Specified action requires role: " + names_of(route.roles));
        if (call.request.body_over_limit) return problem(413, "Payload too large");
        if (route.body) {
            auto body = checked_body(call.request, route.body);
            if (!body) return body.error();
            call.body = std::move(*body);
        }
        return route.answer(call);
    };
    Response response;
    try {
        response = respond();
    } catch (const std::exception& bug) {
        response = problem(500, std::string("Bug in the labserver: ") + bug.what());
    }
    if (response.client_id.empty()) response.client_id = call.caller.client_id;
    return response;
}

tl::expected<Identity, Response> Router::identify(const Request& request) const {
    auto token = request.header("authorization");
    if (token.empty()) {
        if (!state_.settings.anonymous) return tl::make_unexpected(problem(401, "Authentication is required"));
        return Identity();
    }
    if (token.starts_with("Bearer ")) token.remove_prefix(7);
    auto identity = state_.tokens.identify(token);
    if (identity) return std::move(*identity);
    const bool expired = identity.error() == Tokens::AccessFault::expired;
    return tl::make_unexpected(expired ? problem(401, "Token has expired") : problem(403, "Invalid token"));
}

}  // namespace trebuchet::labserver
