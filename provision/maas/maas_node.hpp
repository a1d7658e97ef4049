#pragma once

#include "provision/stages/stage.hpp"

#include <chrono>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace trebuchet {

/// Why something of MAAS failed, or that we were told to stop.
struct MaasError {
    StageError error;
    int signal = 0;  ///< then this is no error
};
template <typename T>
using MaasResult = tl::expected<T, MaasError>;

[[nodiscard]] tl::unexpected<MaasError> maas_error(StageError error);
[[nodiscard]] tl::unexpected<MaasError> maas_stopped(int signal);
/// The stage's result: 128 + signal if we were told to stop.
[[nodiscard]] StageResult stage_result(MaasError error);

/// One machine of a MAAS, by the site's `maas` command, which a profile must have logged in. Every command has a time
/// limit. Lives on one thread.
class MaasNode {
  public:
    static constexpr std::chrono::seconds command_timeout{300};

    /// `context` must outlive it.
    MaasNode(std::string profile, std::string node, StageContext& context)
        : profile_(std::move(profile)), node_(std::move(node)), context_(&context) {}

    [[nodiscard]] const std::string& id() const { return node_; }

    struct Answer {
        bool is_success = false;
        int signal = 0;      ///< we were told to stop
        int code = 0;        ///< as a shell counts
        std::string output;  ///< its stdout
        std::string said;    ///< both outputs, for people
        std::string end;     ///< for people: "exit code 2, it said: …"
    };
    /// `maas PROFILE WORDS…`, once.
    [[nodiscard]] Answer run(const std::vector<std::string>& words) const;

    /// Tried four times, 10, 20 and 40 s apart. The error's message lists the tries as `[(2, 'text\n'), …]`, a form
    /// that users know. `shown`: the words as they may be logged, if they hold what is long or secret.
    [[nodiscard]] MaasResult<std::string> retry(const std::vector<std::string>& words,
                                                const std::vector<std::string>& shown = {}) const;
    /// The same, for an answer in JSON.
    [[nodiscard]] MaasResult<nlohmann::json> retry_json(const std::vector<std::string>& words) const;
    /// `machine read`
    [[nodiscard]] MaasResult<nlohmann::json> read() const { return retry_json({"machine", "read", node_}); }
    /// Its `status_name`, "" if there is none.
    [[nodiscard]] MaasResult<std::string> status() const;

    void info(const std::string& text) const { context_->log.info("MAAS: " + text); }
    void warning(const std::string& text) const { context_->log.warning("MAAS: " + text); }
    void error(const std::string& text) const { context_->log.error("MAAS: " + text); }

  private:
    std::string profile_;
    std::string node_;
    StageContext* context_;
};

/// A text as Python shows it, with its quotes, as in the messages that users of the reference know.
[[nodiscard]] std::string python_quoted(std::string_view text);

}  // namespace trebuchet
