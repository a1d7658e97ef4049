#pragma once

#include "tests/labserver/recorder.hpp"
#include "tests/labserver/router.hpp"
#include "tests/labserver/state.hpp"

#include <chrono>
#include <cstdint>
#include <string_view>

namespace trebuchet::labserver {

/// The whole server without its network: /v1 behind the recorder, /control beside it.
class Labserver final : public Handler {
  public:
    explicit Labserver(const Clock& clock, TokenLifetimes lifetimes = {});

    [[nodiscard]] Response handle(const Request& request) override;

    /// Bytes of body that this target takes; more is answered with 413.
    [[nodiscard]] static std::uint64_t body_limit(std::string_view target);

    [[nodiscard]] Result<std::vector<std::string>> add_clients(const Json& clients) {
        return state_.clients.add(clients);
    }

  private:
    void forget_what_is_old();

    State state_;
    Router api_;
    Recorder recorder_;
    Router control_;
    std::chrono::system_clock::time_point next_sweep_{};
};

}  // namespace trebuchet::labserver
