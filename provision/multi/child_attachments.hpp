#pragma once

#include "common/base/result.hpp"
#include "provision/job/job_file.hpp"
#include "provision/process/command.hpp"

#include <string>

namespace trebuchet {

/// Packs the attachments that a child job names, out of the ones that came with our own job, into `archive`, a gzipped
/// tar as a server takes it. Each is looked for under `attachments/` in the run folder: in the phase that the child has
/// it in, then in the other phases. Fails if one is missing, and names it.
[[nodiscard]] Result<void> pack_child_attachments(const JobFile::ChildJob& child, const std::string& archive,
                                                  CommandRunner& commands);

}  // namespace trebuchet
