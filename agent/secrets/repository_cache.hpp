#pragma once

#include "agent/config/secrets_config.hpp"
#include "common/base/result.hpp"
#include "common/event/event_loop.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace trebuchet {

/// `.testing-farm.yaml` at some commit of a repository's branch.
struct RepositoryText {
    std::string commit;
    std::optional<std::string> text;  ///< nothing: there is no such file
};

/// The files of the configured repositories: fetched anew only if the branch is at another commit. Use it on the loop's
/// thread.
class RepositoryCache {
  public:
    /// While a repository is out of reach, its last file is used for this long.
    static constexpr std::chrono::hours keep{1};

    struct Ask {
        EventLoop& loop;
        const RepositorySecrets& repository;
        std::filesystem::path scratch;  ///< a folder for git, whose content is removed again
        std::chrono::steady_clock::time_point now;
        std::function<bool()> is_interrupted;
    };
    /// How a commit and its file are got; tests have another way.
    struct Source {
        std::function<Result<std::string>(const Ask& ask)> commit;
        std::function<Result<std::optional<std::string>>(const Ask& ask, const std::string& commit)> file;
    };
    RepositoryCache();
    explicit RepositoryCache(Source source) : source_(std::move(source)) {}

    /// Runs git, and the loop, for a minute at most.
    [[nodiscard]] Result<RepositoryText> get(const Ask& ask);

  private:
    struct Known {
        RepositoryText text;
        std::chrono::steady_clock::time_point seen;  ///< when the branch was last known to be there
    };
    Source source_;
    std::map<std::string, Known> known_;  ///< by URL and branch
};

}  // namespace trebuchet
