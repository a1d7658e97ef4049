#pragma once

#include "common/vault/vault_client.hpp"
#include "tests/fakes/fake_vault.hpp"
#include "tests/fakes/temporary_folder.hpp"
#include "tests/fakes/test_authority.hpp"

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {

/// A client and a fake Vault over TLS.
class VaultTest : public testing::Test {
  protected:
    [[nodiscard]] VaultOptions options() const {
        VaultOptions options;
        options.server.origin = vault_.origin();
        options.server.ca_file = authority_.certificate();
        options.max_retries = 0;
        return options;
    }
    VaultClient& client() {
        if (!client_) client_.emplace(loop_, options_ ? *options_ : options(), [] { return 0.0; });
        return *client_;
    }

    /// Runs the loop until `start` calls what it gets.
    template <typename T>
    T wait_for(const std::function<void(std::function<void(T)>)>& start) {
        std::optional<T> result;
        start([&](T value) { result.emplace(std::move(value)); });
        EXPECT_TRUE(loop_.wait_for(std::chrono::seconds(60), [&] { return result.has_value(); }));
        return std::move(*result);
    }
    VaultResult<SecretJson> send(VaultRequest request) {
        return wait_for<VaultResult<SecretJson>>(
            [&](auto done) { client().send(std::move(request), std::move(done)); });
    }
    VaultResult<SecretJson> get(const std::string& path) {
        VaultRequest request;
        request.path = path;
        request.token = &token_;
        return send(std::move(request));
    }

    EventLoop loop_;
    TemporaryFolder folder_;
    TestAuthority authority_{folder_.path(), "authority"};
    TestCertificate files_ = authority_.issue("vault", "IP:127.0.0.1");
    FakeVault vault_{ServerIdentity{files_.certificate, files_.key, {}}};
    SecretString token_{vault_.make_token(std::chrono::hours(1))};
    std::optional<VaultOptions> options_;

  private:
    std::optional<VaultClient> client_;
};

}  // namespace trebuchet
