#pragma once

#include <optional>
#include <string_view>

namespace trebuchet::labserver {

/// Returns the content of the field `name` in a multipart/form-data body (RFC 7578), as a view into `body`. Returns
/// nullopt if the body is malformed or has no such field.
[[nodiscard]] std::optional<std::string_view> multipart_field(std::string_view content_type, std::string_view body,
                                                              std::string_view name);

}  // namespace trebuchet::labserver
