#include "agent/import/user_entry.hpp"

#include "agent/import/phase_script.hpp"

#include <cstdio>
#include <memory>

#include <pwd.h>

namespace trebuchet {

Result<UserEntry> find_user_entry(const std::string& name, const std::filesystem::path& root) {
    const auto path = below_root(root, "/etc/passwd");
    const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "re"), &std::fclose);
    if (file) {
        while (const passwd* entry = ::fgetpwent(file.get())) {
            if (name == entry->pw_name) return UserEntry{entry->pw_uid, entry->pw_gid, entry->pw_name, entry->pw_dir};
        }
    }
    return fail("there is no user " + name + " in " + path.string());
}

}  // namespace trebuchet
