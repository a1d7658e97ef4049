#pragma once

#include "common/base/result.hpp"
#include "common/secret/secret_json.hpp"
#include "common/secret/secret_string.hpp"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace trebuchet {

/// A list of commands, the text of a script, or neither.
using TestCommands = std::variant<std::monostate, std::vector<std::string>, std::string>;

/// Environment variable → its value; nothing: the variable is taken out of the environment.
using JobSecrets = std::map<std::string, std::optional<SecretString>>;

struct ReserveData {
    std::vector<std::string> ssh_keys;  ///< as ssh-import-id takes them, "lp:NAME", "gh:NAME", or public keys
    std::chrono::seconds timeout{3600};
};

/// `testflinger.json`, the job as the agent took it off the queue. What a stage doesn't ask for is not looked at.
/// Errors name the file and the field; they never quote a value that may be a secret.
class JobFile {
  public:
    static constexpr std::size_t max_bytes = std::size_t{16} * 1024 * 1024;

    [[nodiscard]] static Result<JobFile> load(const std::filesystem::path& path);
    /// `file` is only for messages.
    [[nodiscard]] static Result<JobFile> parse(std::string_view text, std::string file);

    /// `job_id`, or "<job_id>" where there is none.
    [[nodiscard]] std::string id() const;
    /// `provision_data` as text, indented by two spaces; "{}" where there is none.
    [[nodiscard]] WipedString provision_data_text() const;
    /// A field of `provision_data`; nothing where there is none.
    [[nodiscard]] Result<std::optional<SecretString>> provision_secret(const char* name) const;
    [[nodiscard]] Result<std::optional<std::string>> provision_text(const char* name) const;
    [[nodiscard]] Result<bool> provision_flag(const char* name, bool fallback) const;
    /// `firmware_update_data.version`
    [[nodiscard]] Result<std::optional<std::string>> firmware_version() const;
    /// `firmware_update_data.ignore_failure`, by default false.
    [[nodiscard]] Result<bool> may_firmware_fail() const;
    /// `test_data.test_password`
    [[nodiscard]] Result<std::optional<SecretString>> test_password() const;
    /// `test_data.test_cmds`
    [[nodiscard]] Result<TestCommands> test_commands() const;
    /// `test_data.test_username`, by default "ubuntu".
    [[nodiscard]] Result<std::string> test_username() const;
    /// `test_data.secrets`
    [[nodiscard]] Result<JobSecrets> test_secrets() const;
    [[nodiscard]] Result<ReserveData> reserve_data() const;

  private:
    JobFile(SecretJson root, std::string file) : root_(std::move(root)), file_(std::move(file)) {}

    [[nodiscard]] Result<std::optional<SecretString>> secret(const char* phase_data, const char* name) const;
    [[nodiscard]] Result<std::optional<std::string>> text(const char* phase_data, const char* name) const;
    [[nodiscard]] Result<bool> flag(const char* phase_data, const char* name, bool fallback) const;
    /// A field of a `<phase>_data` object; null if one of them is missing or null.
    [[nodiscard]] Result<const SecretJson*> field(const char* phase_data, const char* name) const;
    [[nodiscard]] tl::unexpected<Error> unexpected(const std::string& field, const SecretJson& found,
                                                   std::string_view expected) const;

    SecretJson root_;
    std::string file_;
};

}  // namespace trebuchet
