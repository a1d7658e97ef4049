#pragma once

#include "common/base/result.hpp"
#include "common/secret/secret_string.hpp"
#include "provision/process/command.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace trebuchet {

struct SshTarget {
    std::string host;
    std::uint16_t port = 0;  ///< 0: ssh's own choice
    std::string user;
    std::string key_file;   ///< "": ssh's own choice
    SecretString password;  ///< empty: none. Given to sshpass by its environment

    [[nodiscard]] SshTarget clone() const { return {host, port, user, key_file, password.clone()}; }
};

struct SshCall {
    std::chrono::milliseconds timeout = std::chrono::minutes(1);
    std::optional<std::string_view> input{};  ///< stdin of the remote command: the place for what is secret
    bool capture_output = true;               ///< else its output is ours
    std::size_t output_limit = Command::usual_output_limit;
};

/// ssh could not connect, log in, or keep the connection (exit code 255, which a remote command should not use).
[[nodiscard]] bool is_transport_failure(const CommandEnd& end);

/// Commands and files on another host by the system's `ssh`. Host keys are not checked: devices are made anew all the
/// time. All calls share one connection, whose socket lies in a folder of its own (0700); once it is lost, the next
/// call makes a new one. Needs sshpass on the PATH where the target has a password. Lives on one thread.
///
/// Command lines are seen by everybody on both hosts: secrets go by `input` or by run_script.
class Ssh {
  public:
    /// `commands` must outlive it.
    Ssh(SshTarget target, CommandRunner& commands);
    /// Ends the shared connection.
    ~Ssh();
    Ssh(const Ssh&) = delete;
    Ssh& operator=(const Ssh&) = delete;

    /// Runs a command line by the remote user's shell.
    [[nodiscard]] CommandResult run(const std::string& command_line, const SshCall& call = {});
    /// Runs a script, which may hold secrets, by the remote /bin/sh, which reads it from its stdin. The script's own
    /// stdin is /dev/null.
    [[nodiscard]] CommandResult run_script(std::string_view script, const SshCall& call = {});
    /// Starts a remote command, with its stdin or stdout as a pipe.
    [[nodiscard]] tl::expected<std::unique_ptr<RunningCommand>, CommandEnd> start(const std::string& command_line,
                                                                                  Piped piped);

    /// Replaces a remote file. `mode` as chmod takes it, such as "0600".
    [[nodiscard]] Result<void> upload(std::string_view content, const std::string& remote_file,
                                      const std::string& mode = "0600");
    [[nodiscard]] Result<void> upload_file(const std::filesystem::path& file, const std::string& remote_file,
                                           std::chrono::milliseconds timeout, const std::string& mode = "0600");
    /// The file is made anew; what was copied of it when the connection broke is removed.
    [[nodiscard]] Result<void> download(const std::string& remote_file, const std::filesystem::path& file,
                                        std::chrono::milliseconds timeout);

    /// Whether a login works.
    [[nodiscard]] Result<void> check_login(std::chrono::milliseconds timeout = std::chrono::seconds(20));

    /// The device restarts, or was somebody else's: the next call makes a new connection.
    void disconnect();

    /// "user@host", or "user@host port 2222"
    [[nodiscard]] std::string name() const;

  private:
    [[nodiscard]] std::vector<std::string> arguments() const;
    [[nodiscard]] Command command(std::string_view command_line) const;
    [[nodiscard]] std::string destination() const;

    SshTarget target_;
    CommandRunner* commands_;
    std::unique_ptr<Environment> environment_;  ///< with the password; null: our own
    std::filesystem::path folder_;              ///< of the shared connection's socket; empty: not shared
    bool may_be_connected_ = false;
};

}  // namespace trebuchet
