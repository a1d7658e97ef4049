#pragma once

#include <filesystem>

namespace trebuchet {

/// The folder that the service manager gives in $STATE_DIRECTORY or $RUNTIME_DIRECTORY: the first if there are several,
/// which systemd separates by colons (systemd.exec(5)), with its links resolved, as DynamicUser= makes it a link. ""
/// for null and for "".
[[nodiscard]] std::filesystem::path service_folder(const char* value);

}  // namespace trebuchet
