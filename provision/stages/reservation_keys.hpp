#pragma once

#include "provision/ssh/ssh.hpp"
#include "provision/stages/stage.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// True for a public key, "ssh-ed25519 AAAA… comment"; false for a name such as "lp:NAME". A key is one line, without
/// the options that authorized_keys allows in front of it.
[[nodiscard]] bool is_public_key(std::string_view text);

/// Adds a reservation's ssh keys to the user's authorized_keys on the device, and removes the ones that it added.
class ReservationKeys {
  public:
    enum class Outcome { done, given_up, interrupted };

    /// `device` and `context` must outlive it.
    ReservationKeys(Ssh& device, StageContext& context) : device_(&device), context_(&context) {}

    /// `given`: a public key or an ssh-import-id name (lp:NAME, gh:NAME). Import and copy are each tried ten times;
    /// failures are logged.
    [[nodiscard]] Outcome install(const std::string& given);

    /// Removes the added keys. A failure is only logged: the device may be gone. `device`: a connection whose commands
    /// run even after a stop signal.
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
