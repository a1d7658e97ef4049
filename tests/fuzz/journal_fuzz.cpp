#include "agent/delivery/job_record.hpp"
#include "tests/fuzz/require.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

using trebuchet::require;

/// Each line of the input is an entry. Whatever they say, the record stays one that a start can go by.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    trebuchet::JobRecord record;
    while (!rest.empty()) {
        const auto line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        static_cast<void>(trebuchet::apply_entry(line, record));
    }
    require(record.id.empty() || trebuchet::is_job_id(record.id), "an id names a folder");
    require(!record.outcome || is_final(record.outcome->state), "an outcome is final");
    for (const auto& processes : record.processes) {
        require(!processes.supervisor || processes.supervisor->pid > 1, "nobody signals everybody");
    }
    const auto job = trebuchet::job_of(record);
    require(job.id == record.id || trebuchet::is_job_id(job.id), "a job has an id");
    return 0;
}
