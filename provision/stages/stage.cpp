#include "provision/stages/stage.hpp"

#include <algorithm>
#include <utility>

namespace trebuchet {

const std::vector<std::string>& stage_names() {
    static const std::vector<std::string> names{"provision", "firmware_update", "runtest",
                                                "allocate",  "reserve",         "cleanup"};
    return names;
}

std::optional<Stage> stage_from_name(std::string_view name) {
    if (name == "test") return Stage::runtest;
    const auto& names = stage_names();
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return std::nullopt;
    return static_cast<Stage>(found - names.begin());
}

const std::string& name_of(Stage stage) {
    return stage_names().at(static_cast<std::size_t>(stage));
}

tl::unexpected<StageError> stage_error(std::string name, std::string message) {
    return tl::unexpected(StageError{std::move(name), std::move(message), std::nullopt, exit_failure});
}

tl::unexpected<StageError> job_error(std::string message) {
    return stage_error("JobError", std::move(message));
}

}  // namespace trebuchet
