#include "common/base/clock.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace trebuchet {

std::string iso8601(std::chrono::system_clock::time_point time) {
    using namespace std::chrono;
    const auto whole = floor<seconds>(time);
    const auto micros = duration_cast<microseconds>(time - whole).count();
    const std::time_t seconds_since_epoch = system_clock::to_time_t(whole);
    std::tm parts{};
    gmtime_r(&seconds_since_epoch, &parts);
    std::array<char, 64> buffer{};
    const auto length = std::strftime(buffer.data(), buffer.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    std::array<char, 32> fraction{};
    std::snprintf(fraction.data(), fraction.size(), ".%06lld+00:00", static_cast<long long>(micros));
    return std::string(buffer.data(), length) + fraction.data();
}

std::optional<std::chrono::system_clock::time_point> parse_iso8601(const std::string& text) {
    std::tm parts{};
    const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
    if (rest == nullptr || parts.tm_year < 70 || parts.tm_year > 300)
        return std::nullopt;  // outside this range a count of nanoseconds overflows
    if (*rest == '.') {
        do ++rest;
        while (*rest >= '0' && *rest <= '9');
    }
    std::tm zone{};  // "%z" accepts "Z", "+00:00" and "+0000"
    if (*rest != '\0') {
        rest = ::strptime(rest, "%z", &zone);
        if (rest == nullptr || *rest != '\0') return std::nullopt;
    }
    return std::chrono::system_clock::from_time_t(::timegm(&parts) - zone.tm_gmtoff);
}

std::optional<std::chrono::system_clock::time_point> parse_http_date(const std::string& text) {
    std::tm parts{};
    const char* rest = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    if (rest == nullptr || *rest != '\0' || parts.tm_year < 70 || parts.tm_year > 300) return std::nullopt;
    return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

}  // namespace trebuchet
