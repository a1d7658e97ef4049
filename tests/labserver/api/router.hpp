#pragma once

#include "tests/labserver/api/schema.hpp"
#include "tests/labserver/net/message.hpp"
#include "tests/labserver/net/url.hpp"
#include "tests/labserver/store/identity.hpp"
#include "tests/labserver/store/state.hpp"

#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

namespace trebuchet::labserver {

/// One request as its handler sees it: the caller has permission, and the body was checked.
struct Call {
    const Request& request;
    std::vector<std::string> parts;  ///< values of the pattern's {…}, decoded
    Query query;
    Identity caller;
    Json body;  ///< checked; null if the route takes no JSON
};

struct Route {
    std::string method;
    std::string pattern;      ///< "/v1/job/{id}"; a last "{path...}" takes the rest, slashes included
    std::vector<Role> roles;  ///< roles with permission; empty: everybody, with any token or none
    std::function<Response(const Call&)> answer;
    Check body{};  ///< empty: the body is ignored
};

inline const std::vector<Role> all_roles = {Role::admin, Role::manager, Role::contributor, Role::agent};
inline const std::vector<Role> submitters = {Role::admin, Role::manager, Role::contributor};
inline const std::vector<Role> administrators = {Role::admin, Role::manager};
inline const std::vector<Role> agents_and_administrators = {Role::admin, Role::manager, Role::agent};
inline const std::vector<Role> agents_only = {Role::agent};

/// Finds the route, checks the permission, checks the body and answers, in the same order as the real server.
/// A literal path segment takes precedence over a {…}, whatever the order in which routes were added.
class Router final : public Handler {
  public:
    explicit Router(const State& state) : state_(state) {}

    void add(Route route);
    [[nodiscard]] Response handle(const Request& request) override;

  private:
    struct Entry {
        Route route;
        std::vector<std::string> pattern;
    };
    /// The caller, or the error response: 401 for an expired token, 403 for a token that this server did not sign.
    [[nodiscard]] tl::expected<Identity, Response> identify(const Request& request) const;
    [[nodiscard]] Response answer(const Route& route, Call call) const;

    const State& state_;
    std::vector<Entry> entries_;
};

}  // namespace trebuchet::labserver
