#include "agent/delivery/job_record.hpp"

#include "agent/delivery/masked_store.hpp"
#include "common/base/clock.hpp"
#include "common/mask/masked_json.hpp"

#include <stdexcept>
#include <utility>

namespace trebuchet {

/// Only this class may read masked texts back from a journal.
class JournalReader {
  public:
    [[nodiscard]] static JobEvent event(const nlohmann::json& entry) {
        JobEvent event;
        event.name = entry.at("name").get<std::string>();
        event.timestamp = entry.at("time").get<std::string>();
        event.detail = MaskedStore::read_back(entry.at("detail").get<std::string>());
        return event;
    }
};

namespace {

using nlohmann::json;

// The readers throw json::exception or std::invalid_argument for invalid values.

Phase read_phase(const json& value) {
    const auto phase = phase_named(value.get<std::string>());
    if (!phase) throw std::invalid_argument("no phase");
    return *phase;
}

template <typename T>
T read_number(const json& value) {
    const bool fits = value.is_number_unsigned()
                          ? std::in_range<T>(value.get<std::uint64_t>())
                          : value.is_number_integer() && std::in_range<T>(value.get<std::int64_t>());
    if (!fits) throw std::invalid_argument("no such number");
    return value.get<T>();
}

PhaseStatus read_status(const json& value) {
    PhaseStatus status;
    for (const auto& [name, code] : value.items()) status[read_phase(name)] = read_number<int>(code);
    return status;
}

JobState read_state(const json& value) {
    const auto state = job_state_named(value.get<std::string>());
    if (!is_final(state)) throw std::invalid_argument("no final state");
    return state;
}

void read_taken(const json& entry, JobRecord& record) {
    auto id = entry.at("job_id").get<std::string>();
    const auto time = parse_iso8601(entry.at("time").get<std::string>());
    if (!is_job_id(id) || !time) throw std::invalid_argument("no job");
    record.id = std::move(id);
    record.taken_at = *time;
}

void read_started(const json& entry, JobRecord& record) {
    if (record.processes.empty()) throw std::invalid_argument("nothing to be started");
    const auto pid = read_number<pid_t>(entry.at("pid"));
    if (pid <= 1 || pid > (1 << 30)) throw std::invalid_argument("no pid");
    record.processes.back().supervisor = ProcessIdentity{pid, read_number<std::uint64_t>(entry.at("start_time")),
                                                         entry.at("boot_id").get<std::string>()};
}

void take_in(const json& entry, JobRecord& record) {
    const auto& what = entry.at("what").get_ref<const std::string&>();
    if (what == "taken") {
        read_taken(entry, record);
    } else if (what == "read") {
        record.document = entry.at("job");
        record.has_secrets = entry.at("has_secrets").get<bool>();
    } else if (what == "mask added") {
        record.has_secrets = true;
    } else if (what == "run folder") {
        record.has_run_folder = true;
    } else if (what == "entered") {
        record.has_run_folder = true;
        record.entered = read_phase(entry.at("phase"));
    } else if (what == "starts") {
        auto marker = entry.at("marker").get<std::string>();
        record.running = read_phase(entry.at("phase"));
        record.serial_end = read_number<std::uint64_t>(entry.value("serial_end", json(0U)));
        record.processes.push_back({std::nullopt, std::move(marker)});
    } else if (what == "started") {
        read_started(entry, record);
    } else if (what == "ran") {
        record.status = read_status(entry.at("status"));
        record.running.reset();
    } else if (what == "cancelled") {
        record.cancelled = true;
    } else if (what == "event") {
        record.events.push_back(JournalReader::event(entry));
    } else if (what == "artifacts sent") {
        record.artifacts_sent = true;
    } else if (what == "withheld") {
        record.is_withheld = true;
    } else if (what == "not withheld") {
        record.is_withheld = false;
    } else if (what == "logged in") {
        record.accessors.push_back(entry.at("accessor").get<std::string>());
    } else if (what == "logged out") {
        record.accessors.clear();
    } else if (what == "recovers") {
        ++record.recoveries;
    } else if (what == "decided") {
        record.outcome = JobRecord::Decision{read_status(entry.at("status")), read_state(entry.at("state"))};
    } else if (what == "outcome sent") {
        record.outcome_sent = true;
    } else if (what == "aged") {
        record.age = std::chrono::milliseconds(read_number<std::uint32_t>(entry.at("seconds")) * std::int64_t{1000});
    } else {
        throw std::invalid_argument("no entry");
    }
}

}  // namespace

JournalEntry JournalEntry::taken(const std::string& job_id, std::chrono::system_clock::time_point time) {
    return JournalEntry(json::object({{"what", "taken"}, {"job_id", job_id}, {"time", iso8601(time)}}));
}

JournalEntry JournalEntry::read(const Job& job, const MaskSet& masks) {
    const auto document = json::parse(job.public_document, nullptr, false);
    return JournalEntry(
        json::object({{"what", "read"},
                      {"has_secrets", job.has_secrets()},
                      {"job", document.is_discarded() ? json() : MaskedJson(masks, document).value()}}));
}

JournalEntry JournalEntry::mask_added() {
    return JournalEntry(json::object({{"what", "mask added"}}));
}

JournalEntry JournalEntry::run_folder() {
    return JournalEntry(json::object({{"what", "run folder"}}));
}

JournalEntry JournalEntry::entered(Phase phase) {
    return JournalEntry(json::object({{"what", "entered"}, {"phase", name_of(phase)}}));
}

JournalEntry JournalEntry::starts(Phase phase, const std::string& marker, std::uint64_t serial_end) {
    return JournalEntry(
        json::object({{"what", "starts"}, {"phase", name_of(phase)}, {"marker", marker}, {"serial_end", serial_end}}));
}

JournalEntry JournalEntry::started(const ProcessIdentity& supervisor) {
    return JournalEntry(json::object({{"what", "started"},
                                      {"pid", supervisor.pid},
                                      {"start_time", supervisor.start_time},
                                      {"boot_id", supervisor.boot_id}}));
}

JournalEntry JournalEntry::ran(const PhaseStatus& status) {
    return JournalEntry(json::object({{"what", "ran"}, {"status", status_json(status)}}));
}

JournalEntry JournalEntry::cancelled() {
    return JournalEntry(json::object({{"what", "cancelled"}}));
}

JournalEntry JournalEntry::event(const JobEvent& event) {
    return JournalEntry(json::object({{"what", "event"},
                                      {"name", event.name},
                                      {"time", event.timestamp},
                                      {"detail", std::string(event.detail.bytes())}}));
}

JournalEntry JournalEntry::artifacts_sent() {
    return JournalEntry(json::object({{"what", "artifacts sent"}}));
}

JournalEntry JournalEntry::withheld() {
    return JournalEntry(json::object({{"what", "withheld"}}));
}

JournalEntry JournalEntry::not_withheld() {
    return JournalEntry(json::object({{"what", "not withheld"}}));
}

JournalEntry JournalEntry::logged_in(const std::string& accessor) {
    return JournalEntry(json::object({{"what", "logged in"}, {"accessor", accessor}}));
}

JournalEntry JournalEntry::logged_out() {
    return JournalEntry(json::object({{"what", "logged out"}}));
}

JournalEntry JournalEntry::recovers() {
    return JournalEntry(json::object({{"what", "recovers"}}));
}

JournalEntry JournalEntry::decided(const PhaseStatus& status, JobState state) {
    return JournalEntry(
        json::object({{"what", "decided"}, {"status", status_json(status)}, {"state", name_of(state)}}));
}

JournalEntry JournalEntry::outcome_sent() {
    return JournalEntry(json::object({{"what", "outcome sent"}}));
}

JournalEntry JournalEntry::aged(std::chrono::milliseconds age) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
    return JournalEntry(json::object({{"what", "aged"}, {"seconds", seconds}}));
}

std::string JournalEntry::text() const {
    return value_.dump(-1, ' ', false, json::error_handler_t::replace);
}

bool apply_entry(std::string_view text, JobRecord& record) {
    try {
        take_in(json::parse(text), record);
    } catch (const json::exception&) {
        return false;
    } catch (const std::invalid_argument&) {
        return false;
    }
    return true;
}

Job job_of(const JobRecord& record) {
    if (auto job = parse_job(record.document.dump())) return std::move(*job);
    Job job;
    job.id = record.id;
    job.public_document = json{{"job_id", record.id}}.dump();
    return job;
}

}  // namespace trebuchet
