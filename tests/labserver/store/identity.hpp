#pragma once

#include "tests/labserver/text/json_text.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace trebuchet::labserver {

enum class Role { admin, manager, contributor, agent };

[[nodiscard]] constexpr std::string_view name_of(Role role) {
    constexpr std::array<std::string_view, 4> names = {"admin", "manager", "contributor", "agent"};
    return names.at(static_cast<std::size_t>(role));
}

[[nodiscard]] inline std::optional<Role> role_named(std::string_view name) {
    for (const auto role : {Role::admin, Role::manager, Role::contributor, Role::agent}) {
        if (name_of(role) == name) return role;
    }
    return std::nullopt;
}

/// The caller. Without a token, an anonymous contributor.
struct Identity {
    std::string client_id;  ///< empty: anonymous
    Role role = Role::contributor;
    Json max_priority = Json::object();          ///< by queue, "*" for all
    Json max_reservation_time = Json::object();  ///< seconds by queue, "*" for all

    [[nodiscard]] bool anonymous() const { return client_id.empty(); }
};

}  // namespace trebuchet::labserver
