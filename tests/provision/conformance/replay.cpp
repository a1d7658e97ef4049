#include "tests/provision/conformance/replay.hpp"

#include "common/file/safe_file.hpp"
#include "common/process/environment.hpp"
#include "tests/fakes/temporary_folder.hpp"
#include "tests/provision/conformance/socket.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <set>
#include <sstream>

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace trebuchet::conformance {
namespace {

using nlohmann::json;

/// For one flow, in which nothing waits.
constexpr int patience_ms = 60'000;
constexpr int curl_could_not_connect = 7;
constexpr int curl_timed_out = 28;
constexpr int curl_got_nothing = 52;
constexpr int curl_http_error = 22;

/// "" if there is none.
std::string text_in(const json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

json curl_answer(const CurlCall& call, const json& recorded) {
    if (recorded.is_string()) {
        const std::string how = recorded;
        if (how == "timeout" || how.find("Timeout") != std::string::npos) return {{"rc", curl_timed_out}};
        return {{"rc", how == "ConnectionError" ? curl_could_not_connect : curl_got_nothing}};
    }
    if (!recorded.contains("status")) return {{"rc", curl_got_nothing}};
    const int status = recorded.at("status");
    if (call.fails_on_error && status >= 400) return {{"rc", curl_http_error}};
    std::string out = call.prints_body ? text_in(recorded, "body") : "";
    auto format = call.format;
    for (auto at = format.find("\\n"); at != std::string::npos; at = format.find("\\n")) format.replace(at, 2, "\n");
    if (const auto at = format.find("%{http_code}"); at != std::string::npos) {
        format.replace(at, 12, std::to_string(status));
    }
    return {{"rc", 0}, {"out", out + format}};
}

/// Answers in the order of the recording; the last one again for what goes on asking.
class World {
  public:
    explicit World(const Flow& flow) : answers_(flow.answers) {}

    json answer(const json& message, Run& run) {
        if (message.contains("sleep")) {
            add_sleep(run.effects, message.at("sleep"));
            return json::object();
        }
        if (message.contains("without_limit")) {
            run.without_limit.push_back(message.at("without_limit").dump());
            return json::object();
        }
        const auto argv = message.at("argv").get<std::vector<std::string>>();
        const std::string input = message.at("stdin");
        const auto effect = effect_of(argv, input);
        if (!effect) return json::object();
        run.effects.push_back(*effect);
        auto& answers = answers_[effect->text];
        const bool is_request = effect->kind == Effect::Kind::http;
        if (answers.empty()) return is_request ? json{{"rc", curl_could_not_connect}} : json::object();
        auto next = answers.front();
        if (answers.size() > 1) answers.pop_front();
        if (is_request) return curl_answer(parse_curl(argv, input), next);
        return next.contains("hang") ? next : json{{"rc", next.value("rc", 0)}, {"out", text_in(next, "out")}};
    }

  private:
    std::map<std::string, std::deque<json>> answers_;
};

/// What an earlier provision of a multi job has left, as far as the recording lets one tell.
json child_list(const Flow& flow) {
    const auto text = flow.file.dump();
    if (text.find("job_list.json not found") != std::string::npos) return nullptr;
    auto list = json::array();
    for (const auto* number : {"1", "2"}) {
        const auto id = std::string("aaaaaaaa-0000-4000-8000-00000000000") + number;
        json info = {{"agent_name", std::string("agent-2") + number}};
        const auto address = std::string("192.0.2.2") + number;
        if (text.find("DEVICE_IP_" + std::string(number) + "\": \"") != std::string::npos ||
            text.find("DEVICE_IP_" + std::string(number) + "\":\"") != std::string::npos) {
            info["device_ip"] = address;
        }
        if (text.find("'NoneType' object has no attribute 'get'") != std::string::npos) info = nullptr;
        list.push_back({{"job_id", id}, {"device_info", info}});
    }
    return list;
}

void prepare(const Flow& flow, const Programs& programs, const TemporaryFolder& folder) {
    folder.write("default.yaml", flow.file.at("config").dump());
    folder.write("testflinger.json", flow.file.at("job").dump());
    if (flow.file.at("type") == "multi" && flow.file.at("stage") != "provision") {
        if (const auto list = child_list(flow); !list.is_null()) folder.write("job_list.json", list.dump());
    }
    std::filesystem::create_directories(folder / "bin");
    std::set<std::string> names{"maas", "ssh", "sshpass", "ssh-copy-id", "ssh-import-id", "curl", "ping", "nc"};
    names.insert(flow.programs.begin(), flow.programs.end());
    for (const auto& missing : flow.missing_programs) names.erase(missing);
    for (const auto& name : names) {
        if (name.find('/') == std::string::npos) {
            std::filesystem::create_symlink(programs.double_, folder / "bin" / name);
        }
    }
}

FileDescriptor listen_at(const std::string& path) {
    FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto address = address_of(path);
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
        ::listen(socket.get(), 16) != 0) {
        throw std::runtime_error("can't listen at " + path);
    }
    return socket;
}

pid_t start(const Flow& flow, const Programs& programs, const TemporaryFolder& folder, const std::string& socket) {
    auto environment = Environment::inherited();
    environment.set("PATH", (folder / "bin").string() + ":/usr/bin:/bin");
    environment.set(socket_variable, socket);
    environment.set("HOME", folder.path().string());
    environment.unset("DISABLE_CONTROL_HOST_POWERCYCLE");
    if (flow.file.contains("environ")) {
        for (const auto& [name, value] : flow.file.at("environ").items())
            environment.set(name, value.get<std::string>());
    }
    EnvironmentBlock block(environment);
    std::vector<std::string> words{
        programs.provision.string(), flow.file.at("type"), flow.file.at("stage"), "-c", "default.yaml",
        "testflinger.json"};
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    ::setpgid(0, 0);
    if (::chdir(folder.path().c_str()) != 0) ::_exit(125);
    const int out = ::open("stdout", O_WRONLY | O_CREAT, 0600);
    const int err = ::open("stderr", O_WRONLY | O_CREAT, 0600);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    ::execve(argv.front(), argv.data(), block.data());
    ::_exit(125);
}

/// Serves the doubles until the program has ended.
void serve(pid_t pid, const FileDescriptor& listener, World& world, const Stop& stop, Run& run) {
    bool is_stopped = stop.signal == 0;
    const FileDescriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    while (true) {
        std::array<pollfd, 2> ready{pollfd{process.get(), POLLIN, 0}, pollfd{listener.get(), POLLIN, 0}};
        if (::poll(ready.data(), ready.size(), patience_ms) <= 0) {
            run.is_stuck = true;
            ::kill(-pid, SIGKILL);
            return;
        }
        if (ready[1].revents != 0) {
            const FileDescriptor client(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
            const auto message = json::parse(read_to_end(client.get()), nullptr, false);
            if (!message.is_object()) continue;
            auto answer = world.answer(message, run);
            if (!is_stopped && run.effects.size() > stop.at) {
                is_stopped = true;
                ::kill(pid, stop.signal);
                if (!message.contains("sleep")) continue;  // whoever asked is stopped while it waits
            }
            (void)::send(client.get(), answer.dump().data(), answer.dump().size(), MSG_NOSIGNAL);
        } else if (ready[0].revents != 0) {
            return;
        }
    }
}

bool is_request_for_results(const Effect& effect) {
    return effect.kind == Effect::Kind::http && effect.text.starts_with("GET ") &&
           effect.text.find("/v1/result/") != std::string::npos;
}

/// A command that is run again, at once or after a pause, once.
std::vector<Effect> without_repetitions(const std::vector<Effect>& effects) {
    std::vector<Effect> kept;
    for (const auto& effect : effects) {
        if (effect.kind != Effect::Kind::sleep) {
            const auto size = kept.size();
            if (size > 0 && kept.back().line() == effect.line()) continue;
            if (size > 1 && kept.back().kind == Effect::Kind::sleep && kept[size - 2].line() == effect.line()) {
                kept.pop_back();
                continue;
            }
        }
        kept.push_back(effect);
    }
    return kept;
}

/// Whoever has reserved a device can say on it what is to become of the reservation; the reference does not look there.
std::vector<Effect> without_looks_for_orders(const std::vector<Effect>& effects) {
    std::vector<Effect> kept;
    for (const auto& effect : effects) {
        if (effect.kind == Effect::Kind::sleep) {
            add_sleep(kept, effect.seconds);
        } else if (effect.text.find("trebuchet-end") == std::string::npos) {
            kept.push_back(effect);
        }
    }
    return kept;
}

/// A multi job's children are looked at all at once, so that there are other and fewer looks: see README.md.
std::vector<Effect> comparable(const Flow& flow, const std::vector<Effect>& effects, bool after_stop) {
    const std::string type = flow.file.at("type");
    if (flow.file.at("stage") == "reserve") return without_looks_for_orders(effects);
    if (type == "maas2" || type == "fake_connector") return effects;
    if (type != "multi") return without_repetitions(effects);
    std::vector<Effect> kept;
    for (const auto& effect : effects) {
        if (effect.kind == Effect::Kind::sleep || is_request_for_results(effect)) continue;
        if (after_stop && effect.text.find("/action ") != std::string::npos) continue;  // of what the first one left
        kept.push_back(effect);
    }
    return kept;
}

double slept(const std::vector<Effect>& effects) {
    double sum = 0;
    for (const auto& effect : effects) sum += effect.seconds;
    return sum;
}

std::string effects_difference(const Flow& flow, const Run& run) {
    const bool after_stop = run.stopped_code != 0;
    const auto expected = comparable(flow, flow.effects, after_stop);
    const auto found = comparable(flow, run.effects, after_stop);
    for (std::size_t i = 0; i < std::max(expected.size(), found.size()); ++i) {
        const auto wanted = i < expected.size() ? expected[i].line() : "nothing more";
        const auto got = i < found.size() ? found[i].line() : "nothing more";
        if (wanted != got) return "effect " + std::to_string(i + 1) + ": expected " + wanted + ", found " + got;
    }
    if (flow.file.at("type") == "multi" && slept(run.effects) > slept(flow.effects))
        return "waits longer than recorded";
    return "";
}

/// What Python's own exceptions are called: the reference crashed there, and ours says what is wrong in its own words.
bool is_crash(const std::string& name) {
    static const std::set<std::string> names{"KeyError",          "TypeError",  "AttributeError",  "ValueError",
                                             "UnboundLocalError", "IndexError", "JSONDecodeError", "FileNotFoundError"};
    return names.count(name) != 0;
}

std::string error_difference(const Flow& flow, const Run& run) {
    const auto& expected = flow.file.at("error_file");
    if (expected.is_null() && run.error_file.is_null()) return "";
    if (expected.is_null()) return "an error file, expected none: " + run.error_file.dump();
    if (run.error_file.is_null()) return "no error file, expected " + expected.dump();
    const auto& wanted = expected.begin().value();
    const auto key = expected.begin().key();
    if (!run.error_file.contains(key)) return "error file: no " + key;
    const auto& found = run.error_file.at(key);
    const std::string name = wanted.at("exception_name");
    const std::string message = wanted.at("exception_message");
    const std::string ours = found.at("exception_message");
    if (is_crash(name)) return ours.empty() ? "error file: an empty message" : "";
    if (name != found.at("exception_name")) return "error file: " + found.dump() + ", expected the name " + name;
    const bool has_no_text =
        message.empty() || message.starts_with("b'") || message.starts_with("b\"") || name == "MaasStorageError";
    if (has_no_text ? ours.empty() : ours != message) {
        return "error file: found the message \"" + ours + "\", expected \"" + message + "\"";
    }
    return "";
}

}  // namespace

Run replay(const Flow& flow, const Programs& programs, const Stop& stop) {
    const TemporaryFolder folder;
    prepare(flow, programs, folder);
    const auto socket = (folder / "s").string();
    const auto listener = listen_at(socket);
    const auto run_once = [&](const Stop& how) {
        Run run;
        World world(flow);
        const auto pid = start(flow, programs, folder, socket);
        serve(pid, listener, world, how, run);
        int status = 0;
        ::waitpid(pid, &status, 0);
        run.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
        return run;
    };
    int stopped_code = 0;
    if (stop.signal != 0) {
        stopped_code = run_once(stop).exit_code;
        std::filesystem::remove(folder / "device-connector-error.json");
    }
    auto run = run_once({});
    run.stopped_code = stopped_code;
    run.log = read_file(folder / "stderr", std::size_t{4} * 1024 * 1024).value_or("");
    if (const auto text = read_file(folder / "device-connector-error.json", std::size_t{1024} * 1024)) {
        run.error_file = json::parse(*text, nullptr, false);
    }
    return run;
}

std::string difference(const Flow& flow, const Run& run) {
    if (run.is_stuck) return "it does not end";
    if (!run.without_limit.empty()) return "no time limit: " + run.without_limit.front();
    const int expected = flow.file.at("exit");
    if (run.exit_code != expected) {
        return "exit code " + std::to_string(run.exit_code) + ", expected " + std::to_string(expected) + "; " +
               effects_difference(flow, run);
    }
    if (auto found = effects_difference(flow, run); !found.empty()) return found;
    return error_difference(flow, run);
}

}  // namespace trebuchet::conformance
