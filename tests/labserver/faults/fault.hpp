#pragma once

#include "common/base/result.hpp"
#include "tests/labserver/text/json_text.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace trebuchet::labserver {

/// What can go wrong with a request. README.md says what each does.
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

/// Whether it cuts the connection before the request's body is read: the request is not handled, nor recorded.
[[nodiscard]] constexpr bool is_before_reading(FaultKind kind) {
    return kind == FaultKind::refuse || kind == FaultKind::restart || kind == FaultKind::close_unread;
}

/// Something that goes wrong with some requests. As JSON {"what", "value", "method", "target", "count"}, all but `what`
/// optional; as text "WHAT[=VALUE] [METHOD] [TARGET] [xCOUNT]".
struct Fault {
    FaultKind kind = FaultKind::status;
    std::int64_t value = 0;    ///< milliseconds, bytes, levels or a status, as the kind has it
    std::string method{};      ///< empty: any
    std::string target = "*";  ///< of the path, without the query; "*" stands for any text, slashes too
    std::uint64_t count = 1;   ///< how many requests it hits; 0: all

    [[nodiscard]] bool matches(std::string_view request_method, std::string_view request_target) const;
};

[[nodiscard]] Result<Fault> parse_fault(std::string_view spec);
[[nodiscard]] Result<Fault> fault_from(const Json& fields);
[[nodiscard]] Json to_json(const Fault& fault);

}  // namespace trebuchet::labserver
