#pragma once

#include "tests/labserver/api/schema.hpp"

namespace trebuchet::labserver::schemas {

/// `provision_data` of a job: it must match one of the device types that the real server knows.
[[nodiscard]] Check provision_data();

/// One entry of `attachments`.
[[nodiscard]] Check attachment();

}  // namespace trebuchet::labserver::schemas
