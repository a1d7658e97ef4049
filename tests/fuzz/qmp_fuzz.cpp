#include "provision/power/qmp_client.hpp"
#include "tests/fuzz/require.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

using trebuchet::require;

/// A line from QEMU's control socket is parsed as a message or refused.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using Kind = trebuchet::QmpMessage::Kind;
    const auto message = trebuchet::parse_qmp_message(std::string(data, data + size));
    if (!message) {
        require(!message.error().message().empty(), "a refusal has a reason");
        return 0;
    }
    require(message->kind == Kind::result || message->result.is_null(), "only a result message has a result");
    require(message->kind != Kind::error || !message->text.empty(), "an error has a text");
    return 0;
}
