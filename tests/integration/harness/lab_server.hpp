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

/// The clients that the server of a test knows.
namespace clients {
inline constexpr const char* agent = "lab-agent";
inline constexpr const char* submitter = "submitter";
inline constexpr const char* other_submitter = "other-submitter";
inline constexpr const char* administrator = "administrator";
}  // namespace clients

/// trebuchet-labserver on loopback, over TLS. Calls throw if there is no answer, or an unexpected one.
class LabServer {
  public:
    /// Starts the server and waits until it is ready. `folder`: for its files. `port` 0: any free port. `options`:
    /// additional command line options.
    LabServer(const std::filesystem::path& folder, const TestAuthority& authority, std::uint16_t port = 0,
              const std::vector<std::string>& options = {});

    /// Kills the server.
    void kill();
    /// Starts it again with the same command line on the same port.
    void start();
    void kill_and_start_again() {
        kill();
        start();
    }

    [[nodiscard]] const std::string& url() const { return url_; }
    /// The CA certificate that signed the server's certificate.
    [[nodiscard]] const std::filesystem::path& authority() const { return authority_; }

    /// Calls the server as `client` ("": anonymous) and returns any answer.
    [[nodiscard]] Reply ask(const std::string& client, std::string_view method, const std::string& target,
                            const Json& body = nullptr);
    /// {"access_token", "refresh_token"} of a client.
    [[nodiscard]] Json tokens(const std::string& client);

    // Calls of a submitter.
    std::string post_job(const Json& job);
    /// Uploads a tar.gz for a job that waits for its attachments.
    void attach(const std::string& job_id, const std::filesystem::path& archive);
    void store_secret(const std::string& path, const std::string& value);
    void cancel(const std::string& job_id);
    [[nodiscard]] Json result(const std::string& job_id);
    [[nodiscard]] std::string job_state(const std::string& job_id);
    /// `series`: "output" or "serial".
    [[nodiscard]] std::string log(const std::string& job_id, const std::string& phase,
                                  const std::string& series = "output");
    [[nodiscard]] std::map<std::string, std::string> artifacts(const std::string& job_id);

    /// Waits until the job has this state. Returns false after harness::patience.
    [[nodiscard]] bool reaches(const std::string& job_id, const std::string& state);
    /// Waits until the phase's log contains `text`. Returns false after harness::patience.
    [[nodiscard]] bool shows(const std::string& job_id, const std::string& phase, std::string_view text);

    /// The server's record of the agent.
    [[nodiscard]] Json agent(const std::string& name);
    /// Waits until the agent has this state. Returns false after harness::patience.
    [[nodiscard]] bool agent_is(const std::string& name, const std::string& state);

    // Calls of a test only.
    /// The recorded requests after number `since`, with their bodies.
    [[nodiscard]] Json requests(std::uint64_t since = 0);
    [[nodiscard]] Json control(std::string_view method, const std::string& target, const Json& body = nullptr);
    void advance_clock(std::chrono::seconds by);
    /// Makes all existing access tokens invalid.
    void rotate_key();

    /// Injects a fault from now on: {"what": …}, see tests/labserver/README.md.
    void add_fault(const Json& fault) { static_cast<void>(control("POST", "/faults", fault)); }
    /// Waits until each fault has hit as often as its count says (once, if the count is 0). Also works while the server
    /// is down.
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
