#pragma once

#include <filesystem>
#include <memory>
#include <string>

struct evp_pkey_st;
struct x509_st;

namespace trebuchet {

/// PEM files.
struct TestCertificate {
    std::filesystem::path certificate;
    std::filesystem::path key;
};

/// A certificate authority for a test.
class TestAuthority {
  public:
    /// Writes its certificate to `folder`/`name`.pem.
    TestAuthority(std::filesystem::path folder, const std::string& name);

    [[nodiscard]] const std::filesystem::path& certificate() const { return file_; }
    /// The certificate's key.
    [[nodiscard]] std::filesystem::path key() const;

    /// Issues a certificate. `subject`: an entry of subjectAltName, "DNS:lab.example.com" or "IP:127.0.0.1". Valid for
    /// `seconds` from now; negative (down to an hour): already expired.
    [[nodiscard]] TestCertificate issue(const std::string& name, const std::string& subject,
                                        long seconds = 86'400) const;

  private:
    std::filesystem::path folder_;
    std::filesystem::path file_;
    std::shared_ptr<evp_pkey_st> key_;
    std::shared_ptr<x509_st> certificate_;
};

}  // namespace trebuchet
