#pragma once

#include "tests/labserver/api/router.hpp"
#include "tests/labserver/control/recorder.hpp"
#include "tests/labserver/faults/faults.hpp"
#include "tests/labserver/store/state.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace trebuchet::labserver {

/// The whole server without its network: /v1 behind the recorder and the faults, /control beside them.
class Labserver final : public Handler {
  public:
    explicit Labserver(const Clock& clock, TokenLifetimes lifetimes = {});

    [[nodiscard]] Response handle(const Request& request) override;

    /// Whether the connection of a request is to be cut before its body is read.
    [[nodiscard]] std::optional<Cut> cut(std::string_view method, std::string_view target);
    void add_fault(Fault fault) { faults_.add(std::move(fault)); }

    /// Bytes of body that this target takes; more is answered with 413.
    [[nodiscard]] static std::uint64_t body_limit(std::string_view target);

    [[nodiscard]] Result<std::vector<std::string>> add_clients(const Json& clients) {
        return state_->clients.add(clients);
    }

    /// Knows again what the file holds, and keeps in it what it learns before it answers. To be called first; the file
    /// must outlive this.
    [[nodiscard]] Result<void> keep_in(DataFile& data);

  private:
    void forget_what_is_old();
    /// As if the program had been killed and started again: what is in no file is forgotten.
    void restart();

    const Clock& clock_;
    TokenLifetimes lifetimes_;
    DataFile* data_ = nullptr;
    std::optional<State> state_;  ///< made anew by a restart, at the same place: who refers to it may go on
    Router api_;
    Faults faults_;
    Recorder recorder_;
    Router control_;
    std::chrono::system_clock::time_point next_sweep_{};
};

}  // namespace trebuchet::labserver
