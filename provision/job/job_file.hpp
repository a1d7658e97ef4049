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

/// A list of commands, the text of a script, or missing.
using TestCommands = std::variant<std::monostate, std::vector<std::string>, std::string>;

/// Environment variables. nullopt unsets the variable.
using JobSecrets = std::map<std::string, std::optional<SecretString>>;

struct ReserveData {
    std::vector<std::string> ssh_keys;         ///< ssh-import-id names ("lp:NAME", "gh:NAME") or public keys
    std::vector<std::string> unusable_keys{};  ///< entries that are not text, as JSON
    std::chrono::seconds timeout{3600};
};

/// `testflinger.json`, the job as the agent received it. Only the fields that a stage asks for are checked. Errors name
/// the file and the field, and never quote a value that may be secret.
class JobFile {
  public:
    static constexpr std::size_t max_bytes = std::size_t{16} * 1024 * 1024;

    [[nodiscard]] static Result<JobFile> load(const std::filesystem::path& path);
    /// `file` is only used in messages.
    [[nodiscard]] static Result<JobFile> parse(std::string_view text, std::string file);

    /// `job_id`; "<job_id>" if missing.
    [[nodiscard]] std::string id() const;
    /// `provision_data` as JSON, indented by two spaces; "{}" if missing.
    [[nodiscard]] WipedString provision_data_text() const;
    /// A field of `provision_data`; nullopt if missing.
    [[nodiscard]] Result<std::optional<SecretString>> provision_secret(const char* name) const;
    [[nodiscard]] Result<std::optional<std::string>> provision_text(const char* name) const;
    [[nodiscard]] Result<bool> provision_flag(const char* name, bool fallback) const;
    /// A field of any type; null if missing. Valid as long as this object.
    [[nodiscard]] Result<const SecretJson*> provision_value(const char* name) const;
    /// All of `provision_data`; an empty object if missing.
    [[nodiscard]] Result<SecretJson> provision_data() const;
    using Records = std::vector<std::map<std::string, std::string>>;
    /// A list of names and values; numbers and booleans as text, null left out.
    [[nodiscard]] Result<std::optional<Records>> provision_records(const char* name) const;
    /// `allocation_timeout` at the top of the job; nothing where there is none.
    [[nodiscard]] Result<std::optional<std::chrono::seconds>> allocation_timeout() const;

    /// An entry of `provision_data.jobs`, a job to submit.
    struct ChildJob {
        WipedString text;  ///< JSON, with `allocate_data` and `parent_job_id` set
        struct Attachment {
            std::string phase;  ///< "provision", "firmware_update" or "test"
            std::string name;   ///< its path as the job has it, relative
        };
        std::vector<Attachment> attachments{};
    };
    /// The entries that are objects; `skipped` counts the others. Fails where there is no list, or an empty one.
    [[nodiscard]] Result<std::vector<ChildJob>> child_jobs(std::size_t& skipped) const;
    /// `debug` at the top of the job.
    [[nodiscard]] bool is_debug() const;
    /// `firmware_update_data.version`
    [[nodiscard]] Result<std::optional<std::string>> firmware_version() const;
    /// `firmware_update_data.ignore_failure`, default false.
    [[nodiscard]] Result<bool> ignores_firmware_failure() const;
    /// `test_data.test_password`
    [[nodiscard]] Result<std::optional<SecretString>> test_password() const;
    /// `test_data.test_cmds`
    [[nodiscard]] Result<TestCommands> test_commands() const;
    /// `test_data.test_username`, default "ubuntu".
    [[nodiscard]] Result<std::string> test_username() const;
    [[nodiscard]] bool has_test_username() const;
    /// `test_data.secrets`
    [[nodiscard]] Result<JobSecrets> test_secrets() const;
    [[nodiscard]] Result<ReserveData> reserve_data() const;

  private:
    JobFile(SecretJson root, std::string file) : root_(std::move(root)), file_(std::move(file)) {}

    [[nodiscard]] Result<std::optional<SecretString>> secret(const char* phase_data, const char* name) const;
    [[nodiscard]] Result<std::optional<std::string>> text(const char* phase_data, const char* name) const;
    [[nodiscard]] Result<bool> flag(const char* phase_data, const char* name, bool fallback) const;
    /// A field of a `<phase>_data` object; nullptr if the object or the field is missing or null.
    [[nodiscard]] Result<const SecretJson*> field(const char* phase_data, const char* name) const;
    [[nodiscard]] tl::unexpected<Error> unexpected(const std::string& field, const SecretJson& found,
                                                   std::string_view expected) const;

    SecretJson root_;
    std::string file_;
};

}  // namespace trebuchet
