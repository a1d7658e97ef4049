#include "tests/integration/harness/agent.hpp"

#include "tests/integration/harness/left_files.hpp"
#include "tests/integration/harness/wait.hpp"

#include <cstdlib>

#include <unistd.h>

namespace trebuchet::harness {
namespace {

constexpr const char* config_file = "testflinger-agent.conf";
constexpr const char* token_file = "refresh_token";

void give_to(uid_t user, const std::filesystem::path& folder) {
    if (user == 0) return;
    auto paths = everything_in(folder);
    paths.push_back(folder);
    for (const auto& path : paths) {
        if (::lchown(path.c_str(), user, user) != 0) continue;  // deleted meanwhile
    }
}

}  // namespace

Agent::Agent(LabServer& server) : server_(server) {
    if (const char* other = std::getenv("TREBUCHET_AGENT_UNDER_TEST"); other != nullptr) executable_ = other;
    config_ = {{"agent_id", agent_id},         {"server_address", server.url()},
               {"job_queues", {queue}},        {"polling_interval", 1},
               {"execution_basedir", runs()},  {"logging_basedir", logs()},
               {"results_basedir", results()}, {"trebuchet", {{"tls", {{"ca_file", server.authority()}}}}}};
    environment_ = {{"TMPDIR", folder_.path()}, {"RUNTIME_DIRECTORY", secrets()}, {"STATE_DIRECTORY", state()}};
    write_token(server.tokens(clients::agent)["refresh_token"]);
}

void Agent::configure(const Json& keys) {
    config_.merge_patch(keys);
}

void Agent::fail_at(const std::string& point) {
    executable_ = TREBUCHET_AGENT_FAILING;
    environment_["TREBUCHET_FAIL_POINT"] = point;
}

void Agent::write_token(const std::string& refresh_token) const {
    const auto file = folder_.write("token.new", Json{{"refresh_token", refresh_token}}.dump());
    std::filesystem::rename(file, folder_ / token_file);
}

void Agent::write_configuration() const {
    folder_.write(config_file, config_.dump(2));  // JSON is YAML
}

void Agent::start() {
    write_configuration();
    std::vector<std::string> arguments{"-c", folder_ / config_file, "--token-file", folder_ / token_file};
    arguments.insert(arguments.end(), arguments_.begin(), arguments_.end());
    if (program_) former_.push_back(std::move(program_));
    Command command{executable_, arguments, environment_, folder_.path()};
    command.confinement = confinement_;
    for (const auto& folder : {folder_.path(), memory_.path()}) give_to(confinement_.user, folder);
    program_ = std::make_unique<ChildProgram>(command);
}

bool Agent::is_ready() {
    return eventually(
               [&] { return !program_->is_running() || server_.agent(agent_id).value("queues", Json()).is_array(); }) &&
           program_->is_running();
}

std::string Agent::log() const {
    std::string text;
    for (const auto& program : former_) text += program->out() + program->err();
    if (program_) text += program_->out() + program_->err();
    for (const auto& file : everything_in(logs())) text += text_of(file);
    return text;
}

bool Agent::logs_text(std::string_view text) const {
    return eventually([&] { return log().find(text) != std::string::npos; });
}

std::vector<std::filesystem::path> Agent::files_holding(std::string_view text) const {
    auto found = harness::files_holding(folder_.path(), text);
    const auto in_memory = harness::files_holding(memory_.path(), text);
    found.insert(found.end(), in_memory.begin(), in_memory.end());
    return found;
}

}  // namespace trebuchet::harness
