#pragma once

#include "common/base/result.hpp"
#include "common/secret/secret_string.hpp"
#include "provision/http/rest_call.hpp"
#include "provision/stages/stage.hpp"

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace trebuchet {

/// The Testflinger server, as a submitter of jobs uses it: with the credentials of `client_id` and `secret_key_file`,
/// where the configuration has them. Every request has a limit of 15 s. Lives on one thread.
class ChildServer {
  public:
    /// `testflinger_server`, `client_id`, `secret_key_file`. `commands` and `context` must outlive it.
    [[nodiscard]] static Result<ChildServer> of(StageContext& context, CommandRunner& commands);

    /// Returns the new job's id.
    [[nodiscard]] tl::expected<std::string, StageError> submit(std::string_view job);
    /// The archive for a job that waits for its attachments.
    [[nodiscard]] tl::expected<void, StageError> send_attachments(const std::string& id, const std::string& archive);
    /// What the server has of a job; null if there is nothing, or no answer that can be read.
    [[nodiscard]] nlohmann::json result(const std::string& id);
    /// Logged, and never fatal. A job that has ended is fine.
    void cancel(const std::string& id);

  private:
    ChildServer(std::string url, StageContext& context, CommandRunner& commands)
        : url_(std::move(url)), context_(&context), commands_(&commands) {}

    /// With a token, if there are credentials; once more with a new one where the server refuses it.
    [[nodiscard]] tl::expected<RestAnswer, RestFailure> call(RestCall call);
    [[nodiscard]] tl::expected<void, RestFailure> log_in();

    std::string url_;
    std::string client_id_{};
    std::string secret_key_file_{};
    SecretString token_{};
    StageContext* context_;
    CommandRunner* commands_;
};

}  // namespace trebuchet
