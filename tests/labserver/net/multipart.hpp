#pragma once

#include <optional>
#include <string_view>

namespace trebuchet::labserver {

/// The content of the field `name` in a multipart/form-data body (RFC 7578), as a view of `body`; nullopt if the body
/// is not of that form or has no such field.
[[nodiscard]] std::optional<std::string_view> multipart_field(std::string_view content_type, std::string_view body,
                                                              std::string_view name);

}  // namespace trebuchet::labserver
