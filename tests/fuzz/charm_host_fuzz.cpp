#include "agent/host/host_status.hpp"
#include "agent/import/phase_script.hpp"
#include "agent/import/supervisord_conf.hpp"
#include "tests/fuzz/require.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

/// What an import and `status` read of a host: never a crash, and the status of `supervise` is written as it was read.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace trebuchet;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    for (const auto& program : parse_supervisord_conf(text)) static_cast<void>(split_command(program.value("command")));
    static_cast<void>(split_command(text));
    static_cast<void>(look_at_script("/usr/local/bin/tf-x", text, "/nonexistent"));
    const auto status = parse_host_status(text);
    if (!status) return 0;
    const auto again = parse_host_status(host_status_json(*status));
    require(again && again->pid == status->pid && again->agents.size() == status->agents.size(),
            "a status is written as it was read");
    return 0;
}
