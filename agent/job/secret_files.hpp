#pragma once

#include "common/base/result.hpp"
#include "common/file/safe_file.hpp"
#include "common/process/process.hpp"
#include "common/secret/secret_string.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace trebuchet {

/// Files with secrets for one phase, 0400 in a job's folder on tmpfs. Overwritten and removed in the destructor.
class SecretFiles {
  public:
    /// `folder`: of this job, in a folder of this agent on tmpfs that `user` can reach. `user`: to whom the files
    /// belong; nullopt: the agent's.
    SecretFiles(std::filesystem::path folder, std::optional<ProcessUser> user)
        : folder_(std::move(folder)), user_(std::move(user)) {}
    ~SecretFiles();
    SecretFiles(SecretFiles&&) noexcept = default;
    SecretFiles& operator=(SecretFiles&&) = delete;
    SecretFiles(const SecretFiles&) = delete;
    SecretFiles& operator=(const SecretFiles&) = delete;

    /// Makes the file for this variable, and returns its path. Replaces whatever is in its place.
    [[nodiscard]] Result<std::filesystem::path> add(const std::string& name, const SecretString& content);

  private:
    struct File {
        std::filesystem::path path;
        FileDescriptor descriptor;
        std::size_t size;
    };
    std::filesystem::path folder_;
    std::optional<ProcessUser> user_;
    std::vector<File> files_;
};

}  // namespace trebuchet
