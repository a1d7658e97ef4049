#include "agent/job/connector_chatter.hpp"

#include <algorithm>
#include <array>

namespace trebuchet {
namespace {

/// The first two are from our SerialCapture; the last is from the reference's connectors, once in 30 s.
constexpr std::array<std::string_view, 3> marks{": DEVICE CONNECTOR: Serial console at ",
                                                ": DEVICE CONNECTOR: Connected to the serial console at ",
                                                "Error connecting to serial logging server"};
/// A mark is near the start of its line.
constexpr std::size_t longest_head = 300;

bool has_mark(std::string_view line) {
    const auto head = line.substr(0, longest_head);
    return std::any_of(marks.begin(), marks.end(),
                       [&](std::string_view mark) { return head.find(mark) != std::string_view::npos; });
}

}  // namespace

bool is_connector_chatter(std::string_view output) {
    if (!output.ends_with('\n')) return false;
    while (!output.empty()) {
        const auto end = output.find('\n');
        if (!has_mark(output.substr(0, end))) return false;
        output.remove_prefix(end + 1);
    }
    return true;
}

}  // namespace trebuchet
