#pragma once

#include "common/file/safe_file.hpp"

namespace trebuchet::harness {

/// /run/sshd, without which an sshd of root's takes no connection. Made where there is none, and removed by the last
/// of its users, in whatever process. One that was there before stays.
class SshdFolder {
  public:
    SshdFolder();
    ~SshdFolder();
    SshdFolder(const SshdFolder&) = delete;
    SshdFolder& operator=(const SshdFolder&) = delete;

  private:
    FileDescriptor folder_;  ///< locked as long as we use it; none: nothing to do
};

}  // namespace trebuchet::harness
