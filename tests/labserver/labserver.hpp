#pragma once

#include "tests/labserver/api/router.hpp"
#include "tests/labserver/control/recorder.hpp"
#include "tests/labserver/faults/faults.hpp"
#include "tests/labserver/store/state.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

namespace trebuchet::labserver {

/// The server without the network. Requests to /v1 pass the recorder and the faults; requests to /control do not.
class Labserver final : public Handler {
  public:
    explicit Labserver(const Clock& clock, TokenLifetimes lifetimes = {});

    [[nodiscard]] Response handle(const Request& request) override;

    /// Whether the connection of a request is to be cut before its body is read.
    [[nodiscard]] std::optional<Cut> cut(std::string_view method, std::string_view target);
    void add_fault(Fault fault) { faults_.add(std::move(fault)); }

    /// The largest body that this target accepts, in bytes. A larger one is answered with 413.
    [[nodiscard]] static std::uint64_t body_limit(std::string_view target);

    [[nodiscard]] Result<std::vector<std::string>> add_clients(const Json& clients) {
        return state_->clients.add(clients);
    }

    /// {"queues", "clients", "secrets"}: what a lab takes to another server, without keys and values of secrets.
    [[nodiscard]] Json exported() const {
        return {{"queues", state_->queues.exported()},
                {"clients", state_->clients.exported()},
                {"secrets", state_->secrets.names()}};
    }

    /// Serves the public keys of the pairs in this folder.
    void serve_keys_of(const std::filesystem::path& folder) { state_->keys = folder; }

    /// Loads the data in the file, and from then on saves every change before the answer is sent. Call it first; the
    /// file must outlive this server.
    [[nodiscard]] Result<void> keep_in(DataFile& data);

  private:
    void forget_what_is_old();
    /// Acts like a kill and a new start: everything that is not in the data file is lost, except clients.
    void restart();

    const Clock& clock_;
    TokenLifetimes lifetimes_;
    DataFile* data_ = nullptr;
    std::optional<State> state_;  ///< a restart replaces it in place, so references stay valid
    Router api_;
    Faults faults_;
    Recorder recorder_;
    Router control_;
    std::chrono::system_clock::time_point next_sweep_{};
};

}  // namespace trebuchet::labserver
