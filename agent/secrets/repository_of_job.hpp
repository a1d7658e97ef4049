#pragma once

#include "agent/config/secrets_config.hpp"
#include "agent/secrets/granted_secrets.hpp"
#include "agent/secrets/job_facts.hpp"
#include "agent/secrets/repository_cache.hpp"
#include "common/base/clock.hpp"
#include "common/event/event_loop.hpp"
#include "common/secret/secret_string.hpp"

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace trebuchet {

/// What `.testing-farm.yaml` gives to a job.
struct RepositoryValues {
    std::map<std::string, SecretString> secrets;   ///< decrypted; "": it has no value, as the notes say
    std::map<std::string, std::string> variables;  ///< of `variables`, `tmt.environment` and `tmt.context`
    bool is_known = false;                         ///< the file was read, or has nothing for this job
    std::string notes;                             ///< lines for the job's log; no value
};

/// The values of the tested repository for one job: of the first configured one that names the job's submitter and
/// queue. What the job says of itself chooses nothing, but for the plan where the configuration wants that. Use it on
/// the loop's thread.
class RepositoryOfJob {
  public:
    /// All of it must outlive this object.
    struct Parts {
        EventLoop& loop;
        const Clock& clock;
        const SecretsConfig& config;
        JobFacts facts;
        std::vector<std::string> names;  ///< of the agent's environment: agent_id, then its queues
        RepositoryCache& cache;
        std::filesystem::path scratch;  ///< a folder for git
        /// True for a variable that changes how programs run.
        std::function<bool(std::string_view name)> is_dangerous;
    };
    explicit RepositoryOfJob(Parts parts);

    /// Whether a repository is for this job.
    [[nodiscard]] bool concerns() const { return repository_ != nullptr; }
    /// Fetches the file and decrypts once, again only if it could not be read so far, and masks each value before it
    /// goes anywhere. Runs git, and the loop; bounded in time. `phase`: for the audit.
    [[nodiscard]] const RepositoryValues& values(std::string_view phase, SecretSink& sink);
    /// Makes a running values() end soon. Call this from a handler of the loop.
    void stop_now() { is_stopped_ = true; }

  private:
    /// What was made of the file on another thread.
    struct Opened {
        struct Secret {
            std::string name;
            Result<SecretString> value;
        };
        std::vector<Secret> secrets;
        nlohmann::json values = nlohmann::json::object();
        std::vector<std::string> notes;
    };
    using Tell = std::function<void(const std::string& name, SecretAccess::Outcome outcome, const std::string& why)>;

    void read(std::string_view phase, SecretSink& sink);
    [[nodiscard]] Opened open(const std::string& text) const;
    void leave_out(const std::string& why);
    void note(const std::string& line);
    /// True, with a note, for a variable that no phase gets.
    [[nodiscard]] bool refuses(const std::string& name, std::string_view value);
    void take_variables(const nlohmann::json& values);
    void take_secret(Opened::Secret& secret, SecretSink& sink, const Tell& tell);

    Parts parts_;
    const RepositorySecrets* repository_ = nullptr;
    std::optional<RepositoryValues> values_;
    std::atomic<bool> is_stopped_{false};  ///< read by the thread that decrypts
};

}  // namespace trebuchet
