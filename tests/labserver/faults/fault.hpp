#pragma once

#include "common/base/result.hpp"
#include "tests/labserver/text/json_text.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace trebuchet::labserver {

/// Kinds of faults. README.md describes each.
enum class FaultKind {
    refuse,
    restart,
    close_unread,
    close,
    lose_answer,
    delay,
    slow,
    status,
    expired_token,
    rotated_key,
    no_webhook,
    interim,
    interim_only,
    truncate,
    garbage,
    huge_headers,
    huge_json,
    deep_json,
    nul_json,
    invalid_utf8,
    wrong_types,
};

/// Whether the fault cuts the connection before the request's body is read. The request is then neither handled nor
/// recorded.
[[nodiscard]] constexpr bool is_before_reading(FaultKind kind) {
    return kind == FaultKind::refuse || kind == FaultKind::restart || kind == FaultKind::close_unread;
}

/// A fault, and the requests that it hits. As JSON {"what", "value", "method", "target", "count"}, all optional except
/// `what`; as text "WHAT[=VALUE] [METHOD] [TARGET] [xCOUNT]".
struct Fault {
    FaultKind kind = FaultKind::status;
    std::int64_t value = 0;    ///< milliseconds, bytes, levels or a status, depending on the kind
    std::string method{};      ///< empty: any
    std::string target = "*";  ///< a path without its query; "*" matches any text, also slashes
    std::uint64_t count = 1;   ///< how many requests it hits; 0: all

    [[nodiscard]] bool matches(std::string_view request_method, std::string_view request_target) const;
};

[[nodiscard]] Result<Fault> parse_fault(std::string_view spec);
[[nodiscard]] Result<Fault> fault_from(const Json& fields);
[[nodiscard]] Json to_json(const Fault& fault);

}  // namespace trebuchet::labserver
