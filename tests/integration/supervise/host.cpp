#include "tests/integration/supervise/host.hpp"

#include "tests/integration/harness/wait.hpp"

#include <csignal>
#include <sstream>

namespace trebuchet::harness {
namespace {

/// The test phase: holds the device of the agent, and notes the job's begin and end.
constexpr const char* test_script = R"sh(#!/bin/sh
here=$(dirname "$0")
job=$(basename "$PWD")
echo "$job" >> "$here/begun"
mkdir "$here/device-$agent_id" || echo "$agent_id" >> "$here/clashes"
sleep "$(sed -n 's/.*"test_cmds": *"\([0-9.]*\)".*/\1/p' testflinger.json)"
rmdir "$here/device-$agent_id"
echo "$job" >> "$here/ended"
)sh";

std::vector<std::string> lines_of(const std::filesystem::path& file) {
    std::istringstream text(text_of(file));
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
}

}  // namespace

Host::Host(LabServer& server) : server_(server), program_path_(TREBUCHET_AGENT) {
    namespace fs = std::filesystem;
    fs::create_directories(tree());
    fs::create_directories(folder_ / "status");
    fs::permissions(folder_.write("test-phase", test_script), fs::perms::owner_all);
    const Json token{{"refresh_token", server.tokens(clients::agent)["refresh_token"]}};
    const auto token_file = folder_.write("refresh_token", token.dump());
    fs::permissions(token_file, fs::perms::owner_read | fs::perms::owner_write);
    arguments_ = {"supervise",    tree(),     "--status-dir", folder_ / "status",
                  "--token-file", token_file, "--quiet-ms",   "50",
                  "--removal-ms", "300",      "--program-ms", "200"};
    environment_ = {
        {"TMPDIR", folder_.path()}, {"RUNTIME_DIRECTORY", memory_ / "runtime"}, {"STATE_DIRECTORY", state()}};
}

Host::~Host() {
    if (!program_) return;
    program_->signal(SIGTERM);
    static_cast<void>(eventually([&] { return !program_->is_running(); }));
}

void Host::write(const std::string& folder, const std::string& agent_id, const Json& more) const {
    Json config{{"agent_id", agent_id},
                {"server_address", server_.url()},
                {"job_queues", {agent_id}},
                {"polling_interval", 1},
                {"test_command", (folder_ / "test-phase").string()},
                {"trebuchet", {{"tls", {{"ca_file", server_.authority()}}}}}};
    config.merge_patch(more);
    std::filesystem::create_directories(tree() / folder);
    static_cast<void>(folder_.write("tree/" + folder + "/testflinger-agent.conf", config.dump(2)));
}

void Host::start() {
    program_ = std::make_unique<ChildProgram>(Command{program_path_, arguments_, environment_, folder_.path()});
}

bool Host::logs_text(std::string_view text) const {
    return eventually([&] { return log().find(text) != std::string::npos; });
}

Json Host::row(const std::string& name) const {
    const auto shown =
        run({TREBUCHET_AGENT, {"status", "--json", "--dir", folder_ / "status", "--root", folder_.path()}});
    const auto rows = Json::parse(shown.out, nullptr, false);
    if (!rows.is_array()) return nullptr;
    for (const auto& row : rows) {
        if (row["name"] == name) return row;
    }
    return nullptr;
}

bool Host::is(const std::string& agent_id, const std::string& state) const {
    return eventually([&] {
        const auto shown = row(agent_id);
        return shown.is_object() && shown["health"] == "running" && shown["state"] == state;
    });
}

pid_t Host::pid_of(const std::string& agent_id) const {
    const auto shown = row(agent_id);
    return shown.is_object() ? shown.value("pid", 0) : 0;
}

std::string Host::post(const std::string& agent_id, const std::string& seconds) {
    return server_.post_job({{"job_queue", agent_id}, {"test_data", {{"test_cmds", seconds}}}});
}

std::vector<std::string> Host::begun() const {
    return lines_of(folder_ / "begun");
}

std::vector<std::string> Host::ended() const {
    return lines_of(folder_ / "ended");
}

}  // namespace trebuchet::harness
