#include "common/repository_file/request_patch.hpp"
#include "tests/fuzz/require.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using trebuchet::require;

/// `.testing-farm.yaml` is refused with a place, or patches any request of the API's form.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    static_cast<void>(trebuchet::parse_encrypted_entry(text));
    const auto pattern = trebuchet::NamePattern::parse(text);
    if (pattern) static_cast<void>(pattern->matches(text));
    const auto file = trebuchet::parse_repository_file(text);
    if (!file) {
        require(!file.error().empty(), "a refusal says why");
        return 0;
    }
    auto request = nlohmann::json::parse(R"({"environments": [{"name": "rpi4", "kept": 1}]})");
    const auto patched = trebuchet::patch_request(request, *file, "/smoke", trebuchet::keep_encrypted);
    if (!patched) return 0;
    const auto again = trebuchet::patch_request(*patched, *file, "/smoke", trebuchet::keep_encrypted);
    require(again.has_value() || (*patched)["environments"][0].value("name", nlohmann::json()) != "rpi4",
            "what was patched can be patched");
    return 0;
}
