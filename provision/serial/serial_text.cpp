#include "provision/serial/serial_text.hpp"

#include "common/base/clock.hpp"
#include "common/base/text.hpp"

#include <array>
#include <utility>

namespace trebuchet {
namespace {

constexpr std::size_t window_size = std::size_t{1024} * 1024;

}  // namespace

void SerialPattern::FreeRegex::operator()(regex_t* regex) const {
    ::regfree(regex);
    delete regex;
}

SerialPattern SerialPattern::literal(std::string text) {
    return SerialPattern(std::move(text));
}

Result<SerialPattern> SerialPattern::regex(const std::string& expression) {
    auto compiled = std::make_unique<regex_t>();
    const int error = ::regcomp(compiled.get(), expression.c_str(), REG_EXTENDED | REG_NEWLINE);
    if (error != 0) {
        std::array<char, 256> why{};
        ::regerror(error, compiled.get(), why.data(), why.size());
        return fail("found " + trebuchet::quoted(expression) + ", expected a regular expression: " + why.data());
    }
    SerialPattern pattern(expression);
    pattern.regex_ = std::shared_ptr<regex_t>(compiled.release(), FreeRegex{});
    return pattern;
}

std::optional<SerialPattern::Match> SerialPattern::find(std::string_view text) const {
    if (regex_ == nullptr) {
        const auto begin = text.find(text_);
        if (begin == std::string_view::npos) return std::nullopt;
        return Match{begin, begin + text_.size()};
    }
    // With REG_STARTEND the text may contain NUL bytes and needs no final NUL.
    regmatch_t match{0, static_cast<regoff_t>(text.size())};
    if (::regexec(regex_.get(), text.data(), 1, &match, REG_STARTEND) != 0) return std::nullopt;
    return Match{static_cast<std::size_t>(match.rm_so), static_cast<std::size_t>(match.rm_eo)};
}

void SerialWindow::add(std::string_view text) {
    text_ += text;
    if (text_.size() > window_size) text_.erase(0, text_.size() - window_size);
}

std::optional<std::string> SerialWindow::take(const SerialPattern& pattern) {
    const auto match = pattern.find(text_);
    if (!match) return std::nullopt;
    auto taken = text_.substr(0, match->end);
    text_.erase(0, match->end);
    return taken;
}

std::string SerialWindow::last_line() const {
    const auto end = text_.find_last_not_of("\r\n \t");
    if (end == std::string::npos) return "";
    const auto start = text_.find_last_of("\r\n", end);
    return text_.substr(start == std::string::npos ? 0 : start + 1,
                        end - (start == std::string::npos ? 0 : start + 1) + 1);
}

std::string LineStamper::stamp(std::string_view text, std::chrono::system_clock::time_point now) {
    std::string out;
    while (!text.empty()) {
        if (at_start_) out += "[" + iso8601(now) + "] ";
        const auto end = text.find('\n');
        const auto line = text.substr(0, end == std::string_view::npos ? text.size() : end + 1);
        out += line;
        at_start_ = line.back() == '\n';
        text.remove_prefix(line.size());
    }
    return out;
}

}  // namespace trebuchet
