#pragma once

#include "tests/labserver/api/schema.hpp"

#include <array>
#include <string_view>

namespace trebuchet::labserver {

inline constexpr std::array<std::string_view, 7> phases = {"setup",    "provision", "firmware_update", "test",
                                                           "allocate", "reserve",   "cleanup"};

/// What the bodies and queries of the v1 API must look like. Source: the real server's api/schemas.py.
namespace schemas {

[[nodiscard]] Check job();
[[nodiscard]] Check job_search();
[[nodiscard]] Check action();
[[nodiscard]] Check events();
[[nodiscard]] Check result();
[[nodiscard]] Check log_fragment();
[[nodiscard]] Check log_query();
[[nodiscard]] Check agent();
[[nodiscard]] Check provision_log();
[[nodiscard]] Check queues();
[[nodiscard]] Check images();
[[nodiscard]] Check secret();
[[nodiscard]] Check refresh_token();
[[nodiscard]] Check restricted_queue();

/// One client of --clients or POST /control/clients. The real server has nothing like it.
[[nodiscard]] Check client();

}  // namespace schemas
}  // namespace trebuchet::labserver
