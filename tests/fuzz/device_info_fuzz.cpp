#include "agent/job/job.hpp"
#include "agent/job/run_folder.hpp"
#include "agent/metrics/os_release.hpp"
#include "agent/metrics/release_listener.hpp"
#include "common/base/text.hpp"
#include "common/mask/masked_json.hpp"
#include "tests/fakes/temporary_folder.hpp"
#include "tests/fuzz/require.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

using trebuchet::require;

namespace {

using nlohmann::json;

/// No part of these can be part of a mask, which consists of "**" and hexadecimal digits.
constexpr std::string_view text_secret = "xyzzy-plugh";
constexpr std::string_view number_secret = "80443117.25";

void require_no_secret(std::string_view text) {
    require(text.find(text_secret) == std::string_view::npos, "the text secret is masked");
    require(text.find(number_secret) == std::string_view::npos, "the number secret is masked");
    require(trebuchet::to_valid_utf8(text) == text, "what is sent is UTF-8");
}

void require_none_in(const json& value) {
    if (value.is_string()) return require_no_secret(value.get_ref<const std::string&>());
    if (value.is_primitive()) return require_no_secret(value.dump());
    for (const auto& [key, element] : value.items()) {
        if (value.is_object()) require_no_secret(key);
        require_none_in(element);
    }
}

std::shared_ptr<const trebuchet::MaskSet> make_masks() {
    std::vector<trebuchet::NamedSecret> secrets;
    secrets.push_back({"TEXT", trebuchet::SecretString(std::string(text_secret))});
    secrets.push_back({"NUMBER", trebuchet::SecretString(std::string(number_secret))});
    auto masks = trebuchet::MaskSet::build(std::move(secrets));
    require(masks.has_value(), "the masks can be compiled");
    return std::move(*masks);
}

/// A run folder in memory, with the inputs in the files that a phase writes.
class Device {
  public:
    Device() : folder_(make()), masks_(make_masks()) {}

    void leave(const char* file, std::string_view text) {
        require(trebuchet::write_file(folder_.path() / file, text).has_value(), "the input can be written");
    }

    [[nodiscard]] const trebuchet::RunFolder& folder() const { return folder_; }
    [[nodiscard]] const trebuchet::MaskSet& masks() const { return *masks_; }

  private:
    trebuchet::RunFolder make() {
        trebuchet::Job job;
        job.id = "fuzz";
        job.public_document = "{}";
        auto made = trebuchet::RunFolder::make(base_ / "run", base_ / "secret", job);
        if (!made) std::cerr << made.error().message() << '\n';
        require(made.has_value(), "the run folder can be made");
        return std::move(*made);
    }

    trebuchet::TemporaryFolder base_{"/dev/shm"};
    trebuchet::RunFolder folder_;
    std::shared_ptr<const trebuchet::MaskSet> masks_;
};

}  // namespace

/// What a device and its phases leave behind is read or refused. What is sent of it contains no secret.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Device device;
    const std::string text(data, data + size);

    device.leave("device-info.json", text);
    if (const auto info = device.folder().read_device_info(); info && *info) {
        require((*info)->is_object(), "the device info is an object");
        const trebuchet::MaskedJson masked(device.masks(), **info);
        require_none_in(masked.value());
        require(json::parse(masked.value().dump()) == masked.value(), "the masked device info is valid JSON");
    } else if (!info) {
        const auto& message = info.error().message();
        require(message.find('\n') == std::string::npos, "a refusal is one line");
    }

    device.leave("device-connector-error.json", text);
    for (const auto phase : {trebuchet::Phase::provision, trebuchet::Phase::test}) {
        const auto reason = device.folder().read_connector_error(phase);
        require(reason.size() <= 3 * size + 64, "the error is not much longer than its file");
        require_no_secret(trebuchet::to_valid_utf8(device.masks().mask(reason).bytes()));
    }

    const auto release = trebuchet::parse_os_release(text);
    require(release.size() <= 64 && release.find_first_of(std::string_view("\"\\{}\n\0 ", 7)) == std::string::npos,
            "a release is a plain word");

    if (const auto command = trebuchet::os_release_command(text, text)) {
        require(std::count(command->begin(), command->end(), '\'') == 4,
                "user and address do not break out of their quotes");
        require(command->find("-l '-") == std::string::npos && command->find("-- '-") == std::string::npos,
                "neither user nor address is an option");
        require(command->find_first_of(std::string_view("\n\0$`\\\"", 6)) == std::string::npos,
                "the command has no special shell characters");
    }
    return 0;
}
