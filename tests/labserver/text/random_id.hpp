#pragma once

#include <string>

namespace trebuchet::labserver {

/// A random UUID (RFC 9562, version 4).
[[nodiscard]] std::string random_job_id();

}  // namespace trebuchet::labserver
