#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

enum class Verdict { ok, warning, error };

[[nodiscard]] constexpr std::string_view name_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::ok:
            return "ok";
        case Verdict::warning:
            return "warning";
        case Verdict::error:
            return "error";
    }
    return "";
}

/// What a check of `check-config --online` found. `text`: one sentence; if it is not ok, also what to do.
struct Finding {
    Verdict verdict = Verdict::ok;
    std::string check;  ///< "dns", "clock", …
    std::string text;
};
using Findings = std::vector<Finding>;

}  // namespace trebuchet
