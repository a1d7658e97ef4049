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

/// A host that is reached by ssh: a real sshd on the loopback, as the user that runs the tests, who finds the programs
/// in bin() before those of this machine. Logs in who has key().
class SshHost {
  public:
    SshHost();

    [[nodiscard]] std::uint16_t port() const { return port_.number(); }
    [[nodiscard]] std::filesystem::path key() const { return folder_ / "key"; }
    [[nodiscard]] static std::string user();
    [[nodiscard]] const TemporaryFolder& folder() const { return folder_; }

    /// A program for /bin/sh in bin(). Every call of it is noted in calls().
    void program(const std::string& name, const std::string& script) const;
    /// Command lines of the programs, one per line, as /proc shows them.
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

/// Programs, as SshHost has them, in a folder for a PATH.
void write_noting_program(const std::filesystem::path& bin, const std::string& name, const std::string& script,
                          const std::filesystem::path& calls);

}  // namespace trebuchet::harness
