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

/// One request as its handler sees it: allowed, and with a body that is as it should be.
struct Call {
    const Request& request;
    std::vector<std::string> parts;  ///< what stood for the {…} of the pattern, decoded
    Query query;
    Identity caller;
    Json body;  ///< checked; null if the route takes no JSON
};

struct Route {
    std::string method;
    std::string pattern;      ///< "/v1/job/{id}"; a last "{path...}" takes the rest, slashes included
    std::vector<Role> roles;  ///< who may; empty: everybody, whatever token they show
    std::function<Response(const Call&)> answer;
    Check body{};  ///< empty: the body is not looked at
};

inline const std::vector<Role> all_roles = {Role::admin, Role::manager, Role::contributor, Role::agent};
inline const std::vector<Role> submitters = {Role::admin, Role::manager, Role::contributor};
inline const std::vector<Role> administrators = {Role::admin, Role::manager};
inline const std::vector<Role> agents_and_administrators = {Role::admin, Role::manager, Role::agent};
inline const std::vector<Role> agents_only = {Role::agent};

/// Finds the route, lets in who may, checks the body, answers: in that order, which is the real server's.
/// A part of a path that is written out goes before one that is a {…}, whatever the order of adding.
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
    /// The caller, or the refusal: 401 for an expired token, 403 for one that is not ours.
    [[nodiscard]] tl::expected<Identity, Response> identify(const Request& request) const;
    [[nodiscard]] Response answer(const Route& route, Call call) const;

    const State& state_;
    std::vector<Entry> entries_;
};

}  // namespace trebuchet::labserver
