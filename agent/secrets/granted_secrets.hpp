#pragma once

#include "agent/config/secrets_config.hpp"
#include "agent/secrets/document_source.hpp"
#include "agent/secrets/grant_decision.hpp"
#include "agent/secrets/job_facts.hpp"
#include "agent/secrets/local_sources.hpp"
#include "common/base/result.hpp"
#include "common/secret/secret_string.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// The longest `NAME=value` in bytes that Linux takes (MAX_ARG_STRLEN, without the final NUL).
inline constexpr std::size_t longest_variable = 131'071;

/// What grants give to one phase.
struct PhaseSecrets {
    std::map<std::string, SecretString> env;    ///< "": asked for, and not given
    std::map<std::string, SecretString> files;  ///< variable with the path → content
    std::string notes;                          ///< lines for the job's log; no value, and nothing of the sources
    Result<void> ready;                         ///< an Error: the phase must not run
};

/// One access to a secret, or the refusal of one: for the audit.
struct SecretAccess {
    enum class Outcome { given, refused, missing, denied, unreachable };
    std::string grant;
    std::string reference;  ///< as in the configuration; "" if the grant itself is refused
    std::string name;       ///< of the variable; of a whole document, "*"
    std::string phase;      ///< "": before the first
    Outcome outcome = Outcome::given;
    std::string why;  ///< "" if given

    /// "vault", "env", …; "grant" if that is refused.
    [[nodiscard]] std::string_view source() const {
        return reference.empty() ? "grant" : std::string_view(reference).substr(0, reference.find(':'));
    }
};
[[nodiscard]] std::string_view name_of(SecretAccess::Outcome outcome);

/// Is told of what a job gets.
class SecretSink {
  public:
    virtual ~SecretSink() = default;
    /// Masks the value from now on. Called before the value goes anywhere.
    virtual void secret_value(const std::string& name, std::string_view value) = 0;
    virtual void secret_access(const SecretAccess& access) = 0;
};

/// The lab's secrets for one job:
///
///     taken      each grant is decided                                   refusal()
///     a phase    grants that want a restricted queue are decided again, once; what the phase gets is read
///                                                                        for_phase()
///     ended      what was got is given back                              end()
///
/// Values are read when the first phase needs them, and never twice. Use it on the loop's thread.
class GrantedSecrets {
  public:
    struct Parts {
        const SecretsConfig& config;
        JobFacts facts;  ///< when the job was taken
        LocalSources local;
        DocumentSource& documents;
        /// Asks the server again. May run the loop.
        std::function<QueueRestriction()> ask_restriction;
        /// The value that the job's test_data.secrets has for the name; null: none.
        std::function<const SecretString*(const std::string& name)> server_value;
        /// True for a variable that a document must not set: it changes how programs run.
        std::function<bool(std::string_view name)> is_dangerous;
    };
    /// All of it must outlive this object.
    explicit GrantedSecrets(Parts parts);

    /// Why the job must not run, by a grant with `otherwise: refuse`; "" mostly.
    [[nodiscard]] std::string refusal(SecretSink& sink) const;

    /// Whether the conditions of some grant hold for the job, whether it asks or not.
    [[nodiscard]] bool is_allowed_something() const;

    /// Whether the job asks for something that it may have.
    [[nodiscard]] bool gives_something() const;

    /// Whether for_phase() would read or refuse something.
    [[nodiscard]] bool concerns(std::string_view phase) const;
    /// Reads what the phase gets. Runs the loop.
    [[nodiscard]] PhaseSecrets for_phase(std::string_view phase, SecretSink& sink);
    /// Makes a running for_phase() end soon, without the values that are missing. Call this from a handler of the loop.
    void interrupt() {
        is_interrupted_ = true;
        parts_.documents.interrupt();
    }

    /// Gives back what the job got. Runs the loop; bounded in time.
    void end() { parts_.documents.end(); }
    /// Call this from a handler of the loop.
    void stop_now() {
        interrupt();
        parts_.documents.stop_now();
    }

  private:
    struct Entry {
        const SecretGrant& grant;
        GrantDecision at_pick_up;
        std::optional<GrantDecision> now{};
    };
    class PhaseReader;

    [[nodiscard]] static bool is_for(const Entry& entry, std::string_view phase);
    const GrantDecision& decide_now(Entry& entry);
    [[nodiscard]] SecretResult<SecretString> read(const SecretReference& reference);
    [[nodiscard]] SecretResult<const SecretFields*> read_document(const std::string& path);

    Parts parts_;
    std::vector<Entry> entries_;
    std::optional<QueueRestriction> restriction_now_;
    bool is_interrupted_ = false;  ///< the running for_phase()
    /// Documents, by path, that the running for_phase() could not reach: they are not asked for again.
    std::map<std::string, SecretProblem> out_of_reach_;
    std::map<std::string, SecretString> values_;  ///< of this host, by reference
};

}  // namespace trebuchet
