#pragma once

#include "tests/fakes/temporary_folder.hpp"
#include "tests/integration/harness/child_program.hpp"
#include "tests/integration/harness/reserved_port.hpp"
#include "tests/integration/provision/sshd_folder.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace trebuchet::harness {

/// A host reached by ssh: a real sshd on loopback, run by the user that runs the tests. key() logs in. Commands find
/// the programs added with program() before those of this machine.
class SshHost {
  public:
    SshHost();

    [[nodiscard]] std::uint16_t port() const { return port_.number(); }
    [[nodiscard]] std::filesystem::path key() const { return folder_ / "key"; }
    [[nodiscard]] static std::string user();
    [[nodiscard]] const TemporaryFolder& folder() const { return folder_; }

    /// Adds a shell script as a program. Each call of it is recorded in calls().
    void program(const std::string& name, const std::string& script) const;
    /// The recorded command lines, one per line, as in /proc.
    [[nodiscard]] std::string calls() const;

    void stop() { sshd_.reset(); }
    void start();
    [[nodiscard]] std::string log() const { return sshd_ ? sshd_->err() : ""; }

  private:
    SshdFolder sshd_folder_;
    TemporaryFolder folder_;
    ReservedPort port_;
    std::unique_ptr<ChildProgram> sshd_;
};

/// Writes a script that records its command line in the file `calls`, into a folder for PATH.
void write_noting_program(const std::filesystem::path& bin, const std::string& name, const std::string& script,
                          const std::filesystem::path& calls);

}  // namespace trebuchet::harness
