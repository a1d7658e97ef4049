#pragma once

#include "agent/secrets/secret_read.hpp"
#include "common/secret/secret_string.hpp"

#include <map>
#include <string>
#include <vector>

namespace trebuchet {

/// The fields of a document: texts as they are, other values as JSON.
using SecretFields = std::map<std::string, SecretString>;

/// Where the documents of `vault:` come from, for one job. Calls run the loop, and are for the main flow only.
class DocumentSource {
  public:
    virtual ~DocumentSource() = default;

    /// Reads each path once. The document is valid until the next call.
    [[nodiscard]] virtual SecretResult<const SecretFields*> read(const std::string& path) = 0;

    /// Makes a running read fail at once. Call this from a handler of the loop.
    virtual void interrupt() = 0;

    /// Ends logins of a job that an earlier agent made and could not end, as far as this agent may. Bounded in time.
    /// False if that failed, which the log then says.
    virtual bool end_logins(const std::vector<std::string>& accessors) = 0;

    /// The job is over: gives back what it got. Bounded in time.
    virtual void end() = 0;
    /// Makes later reads fail at once, and end() fast, also while it runs. Call this from a handler of the loop.
    virtual void stop_now() = 0;
};

/// Stands where no Vault is in reach.
class NoDocuments final : public DocumentSource {
  public:
    [[nodiscard]] SecretResult<const SecretFields*> read(const std::string& /*path*/) override {
        return tl::unexpected(SecretProblem{SecretProblem::Kind::unreachable, "there is no Vault"});
    }
    void interrupt() override {}
    bool end_logins(const std::vector<std::string>& /*accessors*/) override { return false; }
    void end() override {}
    void stop_now() override {}
};

}  // namespace trebuchet
