#include "tests/fakes/fake_job_server.hpp"

#include "common/base/text.hpp"
#include "common/file/safe_file.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <algorithm>
#include <utility>

namespace trebuchet {

using nlohmann::json;

AgentRecord record(const std::string& state, const std::string& comment) {
    AgentRecord agent;
    agent.state = state;
    agent.comment = comment;
    return agent;
}

bool FakeJobServer::fails(const std::string& call) {
    ++calls[call];
    for (std::size_t i = 0; i < moments_.size(); ++i) {  // by index: an action may add a moment
        const auto& [moment, action] = moments_[i];
        if (moment.call == call && moment.turn == calls[call]) action();
    }
    return is_down(call) || stopped;
}

Result<void> FakeJobServer::take(const std::string& call, const json& effect, const std::function<void()>& change) {
    return take_both(call, {effect}, change);
}

Result<void> FakeJobServer::take_both(const std::string& call, const std::vector<json>& both,
                                      const std::function<void()>& change) {
    if (fails(call)) return tl::unexpected(Error("the server is down", refuses_for_good));
    change();
    for (const auto& effect : both) {
        effects.push_back(effect);
        on_effect(effect);
    }
    return {};
}

void FakeJobServer::answer_log() {
    auto log = std::move(held_.front());
    held_.pop_front();
    answer(log.fragment, log.done);
}

void FakeJobServer::answer(const LogFragment& fragment, const std::function<void(LogAnswer)>& done) {
    attempts.push_back(fragment);
    if (fails("post_log")) return done({Arrival::refused, "the server is down"});
    const auto lost = lost_logs.find(static_cast<int>(attempts.size()));
    if (lost != lost_logs.end()) {
        if (lost->second == LostLog::invalid) return done({Arrival::invalid, "not accepted"});
        if (lost->second == LostLog::with_fragment) fragments.push_back(fragment);
        return done({Arrival::unknown, "the answer was lost"});
    }
    fragments.push_back(fragment);
    if (fragment.series == LogSeries::serial) {
        const auto text = std::string(fragment.text.bytes());
        effects.push_back({"serial", std::string(name_of(fragment.phase)), text});
        on_effect(effects.back());
    }
    done({Arrival::confirmed, ""});
}

std::string FakeJobServer::output_of(Phase phase) const {
    std::string text;
    for (const auto& fragment : fragments) {
        if (fragment.series == LogSeries::output && fragment.phase == phase) text += fragment.text.bytes();
    }
    return text;
}

Result<void> FakeJobServer::register_agent() {
    return take("register", {"register"});
}

Result<void> FakeJobServer::advertise() {
    return take("advertise", {"advertise"});
}

Result<void> FakeJobServer::post_agent_state(const AgentPost& post) {
    std::vector<json> both;
    if (post.job_id) both.push_back({"agent_job_id", *post.job_id});
    both.push_back({"agent_state", post.state, post.comment});
    return take_both("post_agent_state", both, [&] {
        agent.state = post.state;
        agent.comment = post.comment;
        if (post.job_id) agent.job_id = *post.job_id;
    });
}

void FakeJobServer::post_agent_state(const AgentPost& post, std::function<void(Result<void>)> done) {
    loop_.post([this, post, done = std::move(done)] { done(post_agent_state(post)); });
}

void FakeJobServer::read_agent(std::function<void(Result<AgentRecord>)> done) {
    loop_.post([this, done = std::move(done)] { done(read_agent()); });
}

Result<AgentRecord> FakeJobServer::read_agent() {
    if (fails("read_agent")) return fail("the server is down");
    return agent;
}

Result<std::optional<TakenJob>> FakeJobServer::take_job(const std::vector<std::string>& queues) {
    polled_queues = queues;
    if (fails("take_job")) return fail("the server is down");
    if (jobs.empty() && !too_long_job) {
        on_effect({"idle"});
        return std::optional<TakenJob>();
    }
    effects.push_back({"take_job"});
    on_effect(effects.back());
    if (too_long_job) return std::optional<TakenJob>(*std::exchange(too_long_job, std::nullopt));
    WipedString job(jobs.front());
    jobs.pop_front();
    return std::optional<TakenJob>(std::move(job));
}

Result<JobState> FakeJobServer::read_job_state(const std::string& job_id) {
    if (fails("read_job_state")) return fail("the server is down");
    return job_state_named(job_states[job_id]);
}

void FakeJobServer::read_job_state(const std::string& job_id, std::function<void(Result<JobState>)> done) {
    loop_.post([this, job_id, done = std::move(done)] { done(read_job_state(job_id)); });
}

Result<void> FakeJobServer::post_job_state(const std::string& job_id, JobState state, const PhaseStatus* status) {
    std::vector<json> both;
    if (status != nullptr) both.push_back({"result", {{"status", status_json(*status)}}});
    both.push_back({"result", {{"job_state", name_of(state)}}});
    return take_both("post_job_state", both, [&] { job_states[job_id] = name_of(state); });
}

Result<void> FakeJobServer::post_status(const std::string& /*job_id*/, const PhaseStatus& status) {
    return take("post_status", {"result", {{"status", status_json(status)}}});
}

Result<void> FakeJobServer::post_outcome(const std::string& job_id, const PhaseStatus& status, JobState state) {
    return take("post_outcome", {"result", {{"status", status_json(status)}, {"job_state", name_of(state)}}},
                [&] { job_states[job_id] = name_of(state); });
}

void FakeJobServer::post_outcome(const std::string& job_id, const PhaseStatus& status, JobState state,
                                 std::function<void(Result<void>)> done) {
    loop_.post([this, job_id, status, state, done = std::move(done)] { done(post_outcome(job_id, status, state)); });
}

Result<void> FakeJobServer::post_device_info(const std::string& /*job_id*/, const MaskedJson& info) {
    return take("post_device_info", {"result", {{"device_info", info.value()}}}, [&] { device_info = info.value(); });
}

Result<void> FakeJobServer::post_events(const std::string& /*job_id*/, const std::string& /*queue*/,
                                        const std::string& /*webhook*/, const std::vector<JobEvent>& all) {
    return take("post_events", {"event", all.back().name, all.back().detail.bytes()}, [&] { events = all; });
}

void FakeJobServer::post_provision_log(const std::string& /*job_id*/, int exit_code, const MaskedChunk& detail,
                                       std::function<void(Result<void>)> done) {
    loop_.post([this, exit_code, detail, done = std::move(done)] {
        done(take("post_provision_log", {"provision_log", exit_code, detail.bytes()}));
    });
}

void FakeJobServer::post_log(const std::string& /*job_id*/, const LogFragment& fragment,
                             std::function<void(LogAnswer)> done) {
    if (hold_logs) {
        held_.push_back({fragment, std::move(done)});
        return;
    }
    loop_.post([this, fragment, done = std::move(done)] { answer(fragment, done); });
}

Result<void> FakeJobServer::post_artifacts(const std::string& /*job_id*/, const std::filesystem::path& file) {
    return take("post_artifacts", {"artifact"}, [&] { archive = text_of(file); });
}

void FakeJobServer::post_artifacts(const std::string& job_id, const std::filesystem::path& file,
                                   std::function<void(Result<void>)> done) {
    loop_.post([this, job_id, file, done = std::move(done)] { done(post_artifacts(job_id, file)); });
}

Result<void> FakeJobServer::fetch_attachments(const std::string& /*job_id*/, const std::filesystem::path& file) {
    if (fails("fetch_attachments")) return fail("the server is down");
    return write_file(file, attachments);
}

void FakeJobServer::read_log(const std::string& /*job_id*/, LogSeries series, Phase phase, std::size_t tail_limit,
                             std::function<void(tl::expected<ShownLog, LogReadFailure>)> done) {
    loop_.post([this, series, phase, tail_limit, done = std::move(done)] {
        if (fails("read_log")) return done(tl::unexpected(LogReadFailure{read_log_is_away, "the server is down"}));
        std::string text;
        for (const auto& fragment : fragments) {
            if (fragment.series == series && fragment.phase == phase) text += to_valid_utf8(fragment.text.bytes());
        }
        done(ShownLog{text.size(), text.substr(text.size() - std::min(text.size(), tail_limit))});
    });
}

}  // namespace trebuchet
