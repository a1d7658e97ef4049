#include "agent/secrets/env_file.hpp"
#include "common/secret/base64.hpp"
#include "tests/fuzz/require.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

using trebuchet::require;

/// A .env file is refused, or its encoded form has the same values.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    static_cast<void>(trebuchet::base64_decoded(text));
    const auto entries = trebuchet::parse_env_file(text, "x.env");
    if (!entries) {
        require(entries.error().message().starts_with("x.env:"), "a refusal names the place");
        return 0;
    }
    const auto again = trebuchet::parse_env_file(trebuchet::encoded_env_file(*entries), "x.env");
    require(again.has_value(), "the encoded form is a .env file");
    for (const auto& entry : *entries) {
        const auto wanted = (entry.is_base64 && entry.name.starts_with("SECRET_") ? "" : "SECRET_") + entry.name;
        bool found = false;
        for (const auto& encoded : *again) {
            const auto value = trebuchet::base64_decoded(encoded.value);
            require(value.has_value(), "the encoded values are base64");
            found = found || (encoded.name == wanted && value->reveal() == std::string_view(entry.value));
        }
        // SECRET_A={{ 'x' | base64encode }} and A=y have one name.
        require(found || again->size() < entries->size(), "no value is lost");
    }
    return 0;
}
