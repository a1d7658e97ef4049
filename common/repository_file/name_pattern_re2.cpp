#include "common/repository_file/name_pattern.hpp"
#include "common/repository_file/pattern_syntax.hpp"

#include <utility>

#include <re2/re2.h>

namespace trebuchet {
namespace {

/// Bounds the time to compile a pattern, and the size of what is compiled.
constexpr int most_memory = 128 * 1024;

RE2::Options options() {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(most_memory);
    return options;
}

}  // namespace

struct NamePattern::Compiled {
    explicit Compiled(const std::string& text) : pattern(text, options()) {}
    RE2 pattern;
};

Result<NamePattern> NamePattern::parse(std::string_view text) {
    if (const auto problem = pattern_problem(text); !problem.empty()) return fail(problem);
    std::string own(text);
    auto compiled = std::make_shared<const Compiled>(own);
    if (!compiled->pattern.ok()) return fail("the pattern cannot be used: " + compiled->pattern.error());
    return NamePattern(std::move(own), std::move(compiled));
}

bool NamePattern::matches(std::string_view name) const {
    if (name.size() > longest_matched_name) return false;
    return RE2::FullMatch(re2::StringPiece(name.data(), name.size()), compiled_->pattern);
}

}  // namespace trebuchet
