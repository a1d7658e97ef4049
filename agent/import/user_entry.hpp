#pragma once

#include "common/base/result.hpp"

#include <filesystem>
#include <string>

#include <sys/types.h>

namespace trebuchet {

struct UserEntry {
    uid_t user = 0;
    gid_t group = 0;
    std::string name{};
    std::string home{};
};

/// A user of /etc/passwd below `root`.
[[nodiscard]] Result<UserEntry> find_user_entry(const std::string& name, const std::filesystem::path& root);

}  // namespace trebuchet
