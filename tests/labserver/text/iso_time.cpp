#include "tests/labserver/text/iso_time.hpp"

#include "common/base/clock.hpp"

namespace trebuchet::labserver {
namespace {

/// Reads from left to right. After the first error, every further read fails.
class Reader {
  public:
    explicit Reader(std::string_view text) : rest_(text) {}

    /// A number of `least` to `most` digits; 0 on failure.
    int number(std::size_t least, std::size_t most) {
        int value = 0;
        std::size_t digits = 0;
        for (; digits < most && digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9'; ++digits) {
            value = value * 10 + (rest_[digits] - '0');
        }
        last_digits_ = digits;
        if (digits < least) good_ = false;
        rest_.remove_prefix(digits);
        return value;
    }

    /// Skips the next character if it is one of `characters`. Returns whether it was.
    bool take(std::string_view characters) {
        if (rest_.empty() || characters.find(rest_.front()) == std::string_view::npos) return false;
        taken_ = rest_.front();
        rest_.remove_prefix(1);
        return true;
    }
    void expect(std::string_view characters) {
        if (!take(characters)) good_ = false;
    }

    /// The fraction of a second after the dot, in microseconds, rounded down.
    int micros() {
        int value = number(1, 6);
        for (auto digits = last_digits_; digits < 6; ++digits) value *= 10;
        number(0, 6);
        return value;
    }

    [[nodiscard]] char taken() const { return taken_; }
    [[nodiscard]] bool at_end() const { return rest_.empty(); }
    [[nodiscard]] bool good() const { return good_; }

  private:
    std::string_view rest_;
    std::size_t last_digits_ = 0;
    char taken_ = '\0';
    bool good_ = true;
};

/// "", "Z", "+02", "+0230" or "+02:30", as minutes.
int zone_offset(Reader& reader) {
    if (reader.at_end() || reader.take("Z")) return 0;
    reader.expect("+-");
    const int sign = reader.taken() == '-' ? -1 : 1;
    const int hours = reader.number(2, 2);
    const bool more = reader.take(":") || !reader.at_end();
    return sign * (hours * 60 + (more ? reader.number(2, 2) : 0));
}

}  // namespace

std::optional<Time> parse_iso_time(std::string_view text) {
    using namespace std::chrono;
    Reader reader(text);
    const int year_number = reader.number(4, 4);
    reader.expect("-");
    const int month_number = reader.number(1, 2);
    reader.expect("-");
    const int day_number = reader.number(1, 2);
    reader.expect("T ");
    const int hour = reader.number(1, 2);
    reader.expect(":");
    const int minute = reader.number(1, 2);
    const int second = reader.take(":") ? reader.number(1, 2) : 0;
    const int micro = reader.take(".") ? reader.micros() : 0;
    const int offset = zone_offset(reader);
    const year_month_day date{year(year_number), month(static_cast<unsigned>(month_number)),
                              day(static_cast<unsigned>(day_number))};
    if (!reader.good() || !reader.at_end() || !date.ok() || hour > 23 || minute > 59 || second > 59)
        return std::nullopt;
    if (year_number < 1700 || year_number > 2200) return std::nullopt;  // the range of Time
    return Time(sys_days(date)) + hours(hour) + minutes(minute - offset) + seconds(second) + microseconds(micro);
}

std::string zulu(Time time) {
    return iso8601(time).substr(0, 19) + "Z";
}

std::string doubly_zoned(Time time) {
    return iso8601(time).substr(0, 19) + "+00:00Z";
}

}  // namespace trebuchet::labserver
