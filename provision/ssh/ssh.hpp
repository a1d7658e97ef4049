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
    std::uint16_t port = 0;  ///< 0: ssh's default
    std::string user;
    std::string key_file;   ///< "": ssh's default keys
    SecretString password;  ///< empty: none. Passed to sshpass in its environment
    /// Set as LC_TREBUCHET in the environment of remote commands, where the server's AcceptEnv lets it (Debian's does);
    /// "": not set. Finds commands that outlived their connection.
    std::string mark{};

    [[nodiscard]] SshTarget clone() const { return {host, port, user, key_file, password.clone(), mark}; }
};

struct SshCall {
    std::chrono::milliseconds timeout = std::chrono::minutes(1);
    std::optional<std::string_view> input{};  ///< stdin of the remote command; may be secret
    bool capture_output = true;               ///< false: the output goes to our stdout and stderr
    std::size_t output_limit = Command::usual_output_limit;
};

/// True if ssh could not connect, log in or keep the connection (exit code 255; a remote command should not use it).
[[nodiscard]] bool is_transport_failure(const CommandEnd& end);

/// Runs commands and copies files on another host with the system's `ssh`. Host keys are not checked, because devices
/// are reinstalled all the time. All calls share one connection, whose socket is in a private folder (0700); if it is
/// lost, the next call reconnects. Needs sshpass on the PATH if the target has a password. Not thread-safe.
///
/// Every user of both hosts can see command lines: pass secrets by `input` or run_script.
class Ssh {
  public:
    /// `commands` must outlive it.
    Ssh(SshTarget target, CommandRunner& commands);
    /// Closes the shared connection.
    ~Ssh();
    Ssh(const Ssh&) = delete;
    Ssh& operator=(const Ssh&) = delete;

    /// Runs a command line in the remote user's shell.
    [[nodiscard]] CommandResult run(const std::string& command_line, const SshCall& call = {});
    /// Feeds a script to the remote /bin/sh on stdin; it may contain secrets. The script's commands get /dev/null as
    /// stdin, and end with the connection: see connection_watch().
    [[nodiscard]] CommandResult run_script(std::string_view script, const SshCall& call = {});
    /// Starts a remote command with a pipe as its stdin or stdout.
    [[nodiscard]] tl::expected<std::unique_ptr<RunningCommand>, CommandEnd> start(const std::string& command_line,
                                                                                  Piped piped);

    /// Replaces a remote file. `mode` is an argument of chmod, such as "0600".
    [[nodiscard]] Result<void> upload(std::string_view content, const std::string& remote_file,
                                      const std::string& mode = "0600");
    [[nodiscard]] Result<void> upload_file(const std::filesystem::path& file, const std::string& remote_file,
                                           std::chrono::milliseconds timeout, const std::string& mode = "0600");
    /// Replaces `file`. After a failure there is no partial file.
    [[nodiscard]] Result<void> download(const std::string& remote_file, const std::filesystem::path& file,
                                        std::chrono::milliseconds timeout);

    /// Fails if a login does not work.
    [[nodiscard]] Result<void> check_login(std::chrono::milliseconds timeout = std::chrono::seconds(20));

    /// Closes the shared connection, for example before the device restarts. The next call reconnects.
    void disconnect();

    [[nodiscard]] const SshTarget& target() const { return target_; }
    /// "user@host", or "user@host port 2222"
    [[nodiscard]] std::string name() const;

  private:
    [[nodiscard]] std::vector<std::string> arguments() const;
    [[nodiscard]] Command command(std::string_view command_line) const;
    [[nodiscard]] std::string destination() const;

    SshTarget target_;
    CommandRunner* commands_;
    std::unique_ptr<Environment> environment_;  ///< contains the password; null: inherit ours
    std::filesystem::path folder_;              ///< holds the shared connection's socket; empty: not shared
    bool may_be_connected_ = false;
};

}  // namespace trebuchet
