#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace trebuchet {

/// Stands for a template in a script whose places are asked for.
inline constexpr char template_mark = '\x01';

/// How sh, bash and dash read a place in a script.
enum class ShellPlace {
    plain,          ///< outside quotes, or in a comment
    double_quoted,  ///< in "…"
    single_quoted,  ///< in '…'
    here_document,  ///< in the text after <<WORD
};

/// A place where a value cannot be put, with the reason.
struct ShellRefusal {
    std::size_t mark = 0;  ///< which of the marks, from 0
    std::string why;
};

/// The place of each mark. Refuses places that have no safe form, or that the shells read differently, and scripts of
/// other interpreters. Takes any bytes.
[[nodiscard]] tl::expected<std::vector<ShellPlace>, ShellRefusal> shell_places(std::string_view script);

}  // namespace trebuchet
