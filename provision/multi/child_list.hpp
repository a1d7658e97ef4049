#pragma once

#include "common/base/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace trebuchet {

/// Of one multi job.
inline constexpr std::size_t most_children = 100;

/// A job that a multi job has submitted.
struct Child {
    std::string id;
    nlohmann::json device_info = nullptr;  ///< as the server has it; null: unknown
    bool is_allocated = false;

    /// "" if unknown.
    [[nodiscard]] std::string device_ip() const;
};

/// Whether it can be a part of a URL: letters, digits, - and _.
[[nodiscard]] bool is_job_id(std::string_view id);

/// `job_list.json` in the run folder, `[{"job_id": …, "device_info": …}]`: scripts read it, and later stages too.
[[nodiscard]] Result<void> write_child_list(const std::vector<Child>& children);
/// Nothing if there is no such file. Whoever runs the job's tests may have written it: entries that are none are left
/// out, and so are those beyond `most_children`.
[[nodiscard]] Result<std::optional<std::vector<Child>>> read_child_list();

}  // namespace trebuchet
