#pragma once

#include "agent/job/job.hpp"
#include "common/base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace trebuchet {

struct LocalJob {
    Job job;
    std::vector<std::string> warnings;  ///< such as a secret that is missing in the file
};

/// Does what the server does when an agent takes a job: gives it an id and replaces each secret's path by its value.
/// `secrets`: the text of a JSON object from path to value; "" for none. A missing path gives an empty secret, as on
/// the server. `allowed_names`: as of parse_job.
[[nodiscard]] Result<LocalJob> make_local_job(const nlohmann::json& submitted, std::string_view secrets,
                                              const std::string& id,
                                              const std::vector<std::string>& allowed_names = {});

}  // namespace trebuchet
