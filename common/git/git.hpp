#pragma once

#include "common/base/result.hpp"
#include "common/event/event_loop.hpp"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace trebuchet {

/// The URL of `origin`, as it is configured, of the git repository around `folder`. Runs git, and the loop.
[[nodiscard]] Result<std::string> origin_url(EventLoop& loop, const std::filesystem::path& folder);

/// One file of one branch of a remote repository.
struct GitSource {
    std::string url;                            ///< https, ssh or file
    std::string branch;                         ///< without refs/heads/
    std::string file;                           ///< in the root
    std::chrono::milliseconds timeout{30'000};  ///< for each run of git
    std::size_t limit = std::size_t{1} << 20U;  ///< of the file, in bytes
    /// Asked while git runs; true: git is killed at once.
    std::function<bool()> is_interrupted = [] { return false; };
};

/// True for what git takes as the name of a branch, without anything that a shell or git could read as more.
[[nodiscard]] bool is_branch_name(const std::string& text);

/// The commit that the branch is at. Runs git with this program's own credentials (ssh keys, credential helpers), which
/// never asks for a password. Runs the loop; bounded in time.
[[nodiscard]] Result<std::string> remote_commit(EventLoop& loop, const GitSource& source);

/// The file at `commit`, fetched without history and, where the server can, without other files. Nothing: the commit
/// has no such file. `scratch`: the folder `git-fetch` is made and removed there, for one call at a time. Fails for a
/// link, a folder, and a file longer than the limit. Runs the loop; bounded in time and disk space (256 MiB).
[[nodiscard]] Result<std::optional<std::string>> fetch_file(EventLoop& loop, const GitSource& source,
                                                            const std::string& commit,
                                                            const std::filesystem::path& scratch);

}  // namespace trebuchet
