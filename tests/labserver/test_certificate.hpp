#pragma once

#include <filesystem>

namespace trebuchet::labserver {

/// A folder of its own with a fresh self-signed certificate for 127.0.0.1 and localhost, removed at the end.
class TestCertificate {
  public:
    TestCertificate();
    TestCertificate(const TestCertificate&) = delete;
    TestCertificate& operator=(const TestCertificate&) = delete;
    ~TestCertificate();

    [[nodiscard]] std::filesystem::path folder() const { return folder_; }
    [[nodiscard]] std::filesystem::path certificate() const { return folder_ / "cert.pem"; }
    [[nodiscard]] std::filesystem::path key() const { return folder_ / "key.pem"; }

  private:
    std::filesystem::path folder_;
};

}  // namespace trebuchet::labserver
