#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trebuchet::labserver {

/// The parameters of a query in their order; a name may occur more than once.
using Query = std::vector<std::pair<std::string, std::string>>;

/// Turns "%2F" into "/". A percent sign that starts no escape stays as it is.
[[nodiscard]] std::string percent_decoded(std::string_view text);

/// The decoded query of a request's target. "+" is a space.
[[nodiscard]] Query query_of(std::string_view target);

/// The first value of that name.
[[nodiscard]] std::optional<std::string> first_of(const Query& query, std::string_view name);

/// All values of that name.
[[nodiscard]] std::vector<std::string> all_of(const Query& query, std::string_view name);

/// The target without its query.
[[nodiscard]] std::string_view path_of(std::string_view target);

/// "/v1/job/x%20y/" gives {"v1", "job", "x y"}.
[[nodiscard]] std::vector<std::string> segments_of(std::string_view path);

/// Whether the text is an absolute http, https, ftp or ftps URL whose host is an IP address, is localhost or has a dot.
[[nodiscard]] bool is_url(std::string_view text);

}  // namespace trebuchet::labserver
