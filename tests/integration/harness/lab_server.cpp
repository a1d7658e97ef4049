#include "tests/integration/harness/lab_server.hpp"

#include "tests/integration/harness/tar_gz.hpp"
#include "tests/integration/harness/wait.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace trebuchet::harness {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(std::string_view method, const std::string& target, const Reply& reply) {
    throw std::runtime_error(std::string(method) + " " + target + ": " + std::to_string(reply.status) + " " +
                             reply.body);
}

Json clients_file() {
    Json all = Json::object();
    for (const auto& [name, role] : {std::pair{clients::agent, "agent"},
                                     {clients::submitter, "contributor"},
                                     {clients::other_submitter, "contributor"},
                                     {clients::administrator, "admin"}}) {
        all[name] = {{"secret_key", std::string("key of ") + name}, {"role", role}};
    }
    return all;
}

}  // namespace

LabServer::LabServer(const fs::path& folder, const TestAuthority& authority, std::uint16_t port,
                     const std::vector<std::string>& options)
    : authority_(authority.certificate()), port_(port) {
    const auto files = authority.issue("server", "IP:127.0.0.1,DNS:localhost");
    const auto clients = folder / "clients.json";
    fs::create_directories(folder);
    std::ofstream(clients) << clients_file();
    arguments_ = {"--cert", files.certificate, "--key", files.key, "--clients", clients};
    arguments_.insert(arguments_.end(), options.begin(), options.end());
    start();
}

void LabServer::start() {
    auto arguments = arguments_;
    arguments.insert(arguments.end(), {"--listen", "127.0.0.1:" + std::to_string(port_)});
    program_ = std::make_unique<ChildProgram>(Command{TREBUCHET_LABSERVER, arguments});
    if (!program_->prints("\n")) throw std::runtime_error("the labserver did not get ready: " + program_->err());
    const auto out = program_->out();
    const auto start = out.find("https://");
    if (start == std::string::npos)
        throw std::runtime_error("the labserver printed no address: " + out + program_->err());
    url_ = out.substr(start, out.find_first_of(" \n", start) - start);
    port_ = static_cast<std::uint16_t>(std::stoul(url_.substr(url_.rfind(':') + 1)));
}

void LabServer::kill() {
    program_->signal(SIGKILL);
    static_cast<void>(program_->wait());
}

Reply LabServer::ask(const std::string& client, std::string_view method, const std::string& target, const Json& body) {
    std::string token;
    if (!client.empty()) {
        auto& known = access_tokens_[client];
        if (known.empty()) known = tokens(client)["access_token"];
        token = known;
    }
    auto reply = send_request(url_, authority_, method, target, token, body);
    if (reply.status != 401 || client.empty()) return reply;
    access_tokens_[client] = tokens(client)["access_token"];
    return send_request(url_, authority_, method, target, access_tokens_[client], body);
}

Json LabServer::control(std::string_view method, const std::string& target, const Json& body) {
    const auto reply = send_request(url_, authority_, method, "/control" + target, "", body);
    if (reply.status != 200) refuse(method, target, reply);
    return reply.json();
}

Json LabServer::tokens(const std::string& client) {
    return control("POST", "/tokens", {{"client_id", client}});
}

Json LabServer::requests(std::uint64_t since) {
    return control("GET", "/requests?since=" + std::to_string(since));
}

void LabServer::advance_clock(std::chrono::seconds by) {
    static_cast<void>(control("POST", "/clock", {{"advance_seconds", by.count()}}));
}

void LabServer::rotate_key() {
    static_cast<void>(control("POST", "/keys/rotate"));
    access_tokens_.clear();
}

bool LabServer::faults_have_hit() {
    return eventually([&] {
        try {
            const auto faults = control("GET", "/faults");
            return std::all_of(faults.begin(), faults.end(), [](const Json& fault) {
                return fault["hits"] >= std::max<std::uint64_t>(fault["count"].get<std::uint64_t>(), 1);
            });
        } catch (const std::exception&) {
            return false;
        }
    });
}

std::string LabServer::post_job(const Json& job) {
    const auto reply = ask(clients::submitter, "POST", "/v1/job", job);
    if (reply.status != 200) refuse("POST", "/v1/job", reply);
    return reply.json()["job_id"];
}

void LabServer::attach(const std::string& job_id, const fs::path& archive) {
    const auto token = tokens(clients::submitter)["access_token"].get<std::string>();
    const auto sent = run({"/usr/bin/curl",
                           {"-sS", "--fail-with-body", "--cacert", authority_, "-H", "Authorization: Bearer " + token,
                            "-F", "file=@" + archive.string(), url_ + "/v1/job/" + job_id + "/attachments"}});
    if (sent.code != 0) throw std::runtime_error("the server refused the attachments: " + sent.out + sent.err);
}

void LabServer::store_secret(const std::string& path, const std::string& value) {
    const auto target = std::string("/v1/secrets/") + clients::submitter + "/" + path;
    const auto reply = ask(clients::submitter, "PUT", target, {{"value", value}});
    if (reply.status != 200) refuse("PUT", target, reply);
}

void LabServer::cancel(const std::string& job_id) {
    const auto target = "/v1/job/" + job_id + "/action";
    const auto reply = ask(clients::submitter, "POST", target, {{"action", "cancel"}});
    if (reply.status != 200) refuse("POST", target, reply);
}

Json LabServer::result(const std::string& job_id) {
    return ask(clients::submitter, "GET", "/v1/result/" + job_id).json();
}

std::string LabServer::job_state(const std::string& job_id) {
    const auto known = result(job_id);
    return known.is_object() ? known.value("job_state", "") : "";
}

std::string LabServer::log(const std::string& job_id, const std::string& phase, const std::string& series) {
    auto target = "/v1/result/" + job_id;
    target += "/log/" + series + "?phase=" + phase;
    const auto reply = ask(clients::submitter, "GET", target);
    if (reply.status != 200) refuse("GET", target, reply);
    return reply.json()[series][phase]["log_data"];
}

std::map<std::string, std::string> LabServer::artifacts(const std::string& job_id) {
    const auto target = "/v1/result/" + job_id + "/artifact";
    const auto reply = ask(clients::submitter, "GET", target);
    if (reply.status == 204) return {};
    if (reply.status != 200) refuse("GET", target, reply);
    return unpack_tar_gz(reply.body);
}

bool LabServer::reaches(const std::string& job_id, const std::string& state) {
    return eventually([&] { return job_state(job_id) == state; });
}

bool LabServer::shows(const std::string& job_id, const std::string& phase, std::string_view text) {
    return eventually([&] { return log(job_id, phase).find(text) != std::string::npos; });
}

Json LabServer::agent(const std::string& name) {
    return ask(clients::submitter, "GET", "/v1/agents/data/" + name).json();
}

bool LabServer::agent_is(const std::string& name, const std::string& state) {
    return eventually([&] { return agent(name).value("state", "") == state; });
}

}  // namespace trebuchet::harness
