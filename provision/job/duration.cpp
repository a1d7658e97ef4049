#include "provision/job/duration.hpp"

#include "common/base/text.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <string>

namespace trebuchet {
namespace {

struct Unit {
    char letter;
    std::int64_t seconds;
};

constexpr std::array<Unit, 4> units{{{'d', 86'400}, {'h', 3'600}, {'m', 60}, {'s', 1}}};
constexpr std::int64_t longest = 10LL * 366 * 86'400;

}  // namespace

Result<std::chrono::seconds> parse_duration(std::string_view text) {
    const auto refused = [&] {
        return fail("found " + trebuchet::quoted(text) +
                    R"(, expected seconds or a duration of at most ten years such as "2h30m")");
    };
    std::int64_t total = 0;
    std::size_t next_unit = 0;
    auto rest = text;
    do {
        std::int64_t count = 0;
        const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), count);
        if (error != std::errc{} || count < 0 || count > longest || rest.front() == '-') return refused();
        rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
        if (rest.empty()) {
            if (next_unit != 0) return refused();
            total = count;
            break;
        }
        while (next_unit < units.size() && units.at(next_unit).letter != rest.front()) ++next_unit;
        if (next_unit == units.size()) return refused();
        total += count * units.at(next_unit).seconds;
        ++next_unit;
        rest.remove_prefix(1);
    } while (!rest.empty());
    if (total > longest) return refused();
    return std::chrono::seconds(total);
}

}  // namespace trebuchet
