#pragma once

#include "provision/ssh/ssh.hpp"
#include "provision/stages/stage.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Whether `text` is a public key itself, "ssh-ed25519 AAAA… comment", and not the name of somebody who has keys. It is
/// one line, without the options that may stand before a key in authorized_keys.
[[nodiscard]] bool is_public_key(std::string_view text);

/// The keys that a reservation lets into the device: put into the user's authorized_keys, and taken out again as far as
/// they were not there before.
class ReservationKeys {
  public:
    enum class Outcome { done, given_up, interrupted };

    /// `device` and `context` must outlive it.
    ReservationKeys(Ssh& device, StageContext& context) : device_(&device), context_(&context) {}

    /// `key`: a public key, or a name as ssh-import-id takes it (lp:NAME, gh:NAME). Each of the steps is tried ten
    /// times. Trouble is logged.
    [[nodiscard]] Outcome install(const std::string& given);

    /// Removes what was installed. Logged, and never fatal: the device may be gone. `device`: the same, by commands
    /// that run although we were told to stop.
    void remove(Ssh& device);

  private:
    [[nodiscard]] Outcome import(const std::string& name, std::vector<std::string>& lines);
    [[nodiscard]] Outcome copy(const std::vector<std::string>& lines);
    void note_added(const std::vector<std::string>& lines, const std::string& output);

    Ssh* device_;
    StageContext* context_;
    std::vector<std::string> installed_;
};

}  // namespace trebuchet
