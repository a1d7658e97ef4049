#include "agent/delivery/job_record.hpp"
#include "tests/fuzz/require.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

using trebuchet::require;

/// Each line of the input is an entry. Whatever they contain, an agent that starts can use the record.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    trebuchet::JobRecord record;
    while (!rest.empty()) {
        const auto line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        static_cast<void>(trebuchet::apply_entry(line, record));
    }
    require(record.id.empty() || trebuchet::is_job_id(record.id), "an id is empty or a valid folder name");
    require(!record.outcome || is_final(record.outcome->state), "an outcome is final");
    for (const auto& processes : record.processes) {
        require(!processes.supervisor || processes.supervisor->pid > 1,
                "a pid is above 1, so no signal goes to init or to all processes");
    }
    const auto job = trebuchet::job_of(record);
    require(job.id == record.id || trebuchet::is_job_id(job.id), "the job's id is valid");
    return 0;
}
