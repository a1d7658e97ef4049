#pragma once

#include "common/file/safe_file.hpp"

namespace trebuchet::harness {

/// /run/sshd, which an sshd run by root needs. Created if missing, and removed by the last user in any process. A
/// folder that existed before stays.
class SshdFolder {
  public:
    SshdFolder();
    ~SshdFolder();
    SshdFolder(const SshdFolder&) = delete;
    SshdFolder& operator=(const SshdFolder&) = delete;

  private:
    FileDescriptor folder_;  ///< locked while it is in use; empty: nothing to remove
};

}  // namespace trebuchet::harness
