#include "tests/labserver/iso_time.hpp"

#include "common/base/clock.hpp"

#include <cstdlib>
#include <regex>

namespace trebuchet::labserver {
namespace {

using Match = std::match_results<std::string_view::const_iterator>;

int number(const Match& match, std::size_t group) {
    return match[group].matched ? std::atoi(match[group].str().c_str()) : 0;  // NOLINT: the pattern admits digits only
}

std::chrono::minutes zone_offset(const std::string& zone) {
    if (zone.empty() || zone == "Z") return std::chrono::minutes(0);
    const int hours = std::atoi(zone.substr(1, 2).c_str());                                     // NOLINT: as above
    const int minutes = zone.size() > 3 ? std::atoi(zone.substr(zone.size() - 2).c_str()) : 0;  // NOLINT: as above
    const auto offset = std::chrono::minutes(hours * 60 + minutes);
    return zone[0] == '-' ? -offset : offset;
}

}  // namespace

std::optional<Time> parse_iso_time(std::string_view text) {
    using namespace std::chrono;
    static const std::regex pattern(
        R"((\d{4})-(\d{1,2})-(\d{1,2})[T ](\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,6})\d{0,6})?)?(Z|[+-]\d{2}(?::?\d{2})?)?)",
        std::regex::optimize);
    Match match;
    if (text.size() > 64 || !std::regex_match(text.begin(), text.end(), match, pattern)) return std::nullopt;
    const year_month_day date(year(number(match, 1)), month(static_cast<unsigned>(number(match, 2))),
                              day(static_cast<unsigned>(number(match, 3))));
    const int hour = number(match, 4);
    const int minute = number(match, 5);
    const int second = number(match, 6);
    if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
    auto fraction = match[7].str();
    fraction.resize(6, '0');
    const auto in_day = hours(hour) + minutes(minute) + seconds(second) +
                        microseconds(std::atoi(fraction.c_str()));  // NOLINT: as above
    return Time(sys_days(date)) + in_day - zone_offset(match[8].str());
}

std::string zulu(Time time) {
    return iso8601(time).substr(0, 19) + "Z";
}

std::string doubly_zoned(Time time) {
    return iso8601(time).substr(0, 19) + "+00:00Z";
}

}  // namespace trebuchet::labserver
