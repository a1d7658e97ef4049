// The log of a control host's service, in pieces as they come, and what uhubctl prints.

#include "provision/http/event_stream.hpp"
#include "provision/power/uhubctl.hpp"
#include "tests/fuzz/require.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

std::vector<std::string> events_of(std::string_view text, std::size_t piece) {
    std::vector<std::string> found;
    trebuchet::EventParser parser(
        [&](const trebuchet::StreamEvent& event) { found.push_back(event.data + '\0' + event.id.value_or("-")); });
    while (!text.empty()) {
        parser.feed(text.substr(0, piece));
        text.remove_prefix(std::min(piece, text.size()));
    }
    return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    trebuchet::require(events_of(text, 1) == events_of(text, 4096), "pieces do not matter");
    (void)trebuchet::parse_uhubctl(text, "2");
    return 0;
}
