#include "agent/daemon/agent_folders.hpp"

#include "common/file/safe_file.hpp"
#include "common/service/service_folder.hpp"

#include <cstdlib>
#include <system_error>
#include <vector>

#include <unistd.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

fs::path first_folder_in(const char* variable) {
    return service_folder(std::getenv(variable));
}

}  // namespace

Result<fs::path> runtime_folder(const std::string& agent_id) {
    std::vector<fs::path> candidates;
    if (const auto given = first_folder_in("RUNTIME_DIRECTORY"); !given.empty()) candidates.push_back(given);
    candidates.push_back(fs::path("/run/trebuchet") / agent_id);
    if (const auto user = first_folder_in("XDG_RUNTIME_DIR"); !user.empty()) {
        candidates.push_back(user / "trebuchet" / agent_id);
    }
    const auto below_shm = fs::path("/dev/shm") / ("trebuchet-" + std::to_string(::geteuid()));
    candidates.push_back(below_shm / agent_id);
    std::string problems;
    for (const auto& candidate : candidates) {
        fs::path existing = candidate;
        std::error_code error;
        while (!fs::exists(existing, error) && existing.has_relative_path()) existing = existing.parent_path();
        if (!is_on_tmpfs(existing)) {
            problems += "; " + candidate.string() + " is not on tmpfs";
            continue;
        }
        // Any user can create a folder of this name in /dev/shm, so check its owner.
        auto made = candidate.parent_path() == below_shm ? make_private_folder(below_shm) : Result<void>();
        if (made) made = make_private_folder(candidate);
        if (made) return candidate;
        problems += "; " + made.error().message();
    }
    return fail("no runtime directory for secrets: set RUNTIME_DIRECTORY to a folder on tmpfs" + problems);
}

Result<fs::path> state_folder(const std::string& agent_id) {
    std::vector<fs::path> candidates;
    if (const auto given = first_folder_in("STATE_DIRECTORY"); !given.empty()) {
        candidates.push_back(given);
    } else {
        candidates.push_back(fs::path("/var/lib/trebuchet") / agent_id);
        const auto user = first_folder_in("XDG_STATE_HOME");
        const auto home = first_folder_in("HOME");
        if (!user.empty()) candidates.push_back(user / "trebuchet" / agent_id);
        if (user.empty() && !home.empty()) candidates.push_back(home / ".local/state/trebuchet" / agent_id);
    }
    std::string problems;
    for (const auto& candidate : candidates) {
        auto made = make_folder(candidate.parent_path());
        if (made) made = make_private_folder(candidate);
        if (made) return candidate;
        problems += "; " + made.error().message();
    }
    return fail("no state directory: set STATE_DIRECTORY to a folder that this user may write to" + problems);
}

}  // namespace trebuchet
