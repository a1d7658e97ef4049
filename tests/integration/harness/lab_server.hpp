#pragma once

#include "tests/fakes/test_authority.hpp"
#include "tests/integration/harness/child_program.hpp"
#include "tests/integration/harness/https_client.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet::harness {

/// Who may log in to the server of a test.
namespace clients {
inline constexpr const char* agent = "lab-agent";
inline constexpr const char* submitter = "submitter";
inline constexpr const char* other_submitter = "other-submitter";
inline constexpr const char* administrator = "administrator";
}  // namespace clients

/// trebuchet-labserver on loopback, over TLS. Calls throw if there is no answer, or not the one that they are for.
class LabServer {
  public:
    /// Is ready when made. `port` 0: any. `folder`: for its files. `options`: further ones of its command line.
    LabServer(const std::filesystem::path& folder, const TestAuthority& authority, std::uint16_t port = 0,
              const std::vector<std::string>& options = {});

    /// Kills it; start() starts it with the same command line on the same port.
    void kill();
    void start();
    void kill_and_start_again() {
        kill();
        start();
    }

    [[nodiscard]] const std::string& url() const { return url_; }
    /// The certificate of the authority that its own is from.
    [[nodiscard]] const std::filesystem::path& authority() const { return authority_; }

    /// The answer, whatever it is, to a call as `client`; "" for nobody.
    [[nodiscard]] Reply ask(const std::string& client, std::string_view method, const std::string& target,
                            const Json& body = nullptr);
    /// {"access_token", "refresh_token"} of a client.
    [[nodiscard]] Json tokens(const std::string& client);

    // What a submitter does.
    std::string post_job(const Json& job);
    /// `archive`: a tar.gz, for a job that waits for its attachments.
    void attach(const std::string& job_id, const std::filesystem::path& archive);
    void store_secret(const std::string& path, const std::string& value);
    void cancel(const std::string& job_id);
    [[nodiscard]] Json result(const std::string& job_id);
    [[nodiscard]] std::string job_state(const std::string& job_id);
    /// `series`: "output" or "serial".
    [[nodiscard]] std::string log(const std::string& job_id, const std::string& phase,
                                  const std::string& series = "output");
    [[nodiscard]] std::map<std::string, std::string> artifacts(const std::string& job_id);

    /// Waits for it; false after harness::patience.
    [[nodiscard]] bool reaches(const std::string& job_id, const std::string& state);
    [[nodiscard]] bool shows(const std::string& job_id, const std::string& phase, std::string_view text);

    /// What the server knows of the agent.
    [[nodiscard]] Json agent(const std::string& name);
    [[nodiscard]] bool agent_is(const std::string& name, const std::string& state);

    // What only a test does.
    /// Requests from number `since` on, with their bodies.
    [[nodiscard]] Json requests(std::uint64_t since = 0);
    [[nodiscard]] Json control(std::string_view method, const std::string& target, const Json& body = nullptr);
    void advance_clock(std::chrono::seconds by);
    /// Every access token so far is invalid.
    void rotate_key();

    /// Something that goes wrong from now on, as tests/labserver/README.md has it: {"what": …}.
    void add_fault(const Json& fault) { static_cast<void>(control("POST", "/faults", fault)); }
    /// Waits until each fault has hit as often as it says (once, if that is always), also while the server is away.
    [[nodiscard]] bool faults_have_hit();

  private:
    std::filesystem::path authority_;
    std::uint16_t port_;
    std::vector<std::string> arguments_;
    std::unique_ptr<ChildProgram> program_;
    std::string url_;
    std::map<std::string, std::string> access_tokens_;
};

}  // namespace trebuchet::harness
