#include "tests/provision/conformance/replay.hpp"

#include "common/file/safe_file.hpp"
#include "common/process/environment.hpp"
#include "tests/fakes/temporary_folder.hpp"
#include "tests/provision/conformance/socket.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace trebuchet::conformance {
namespace {

using nlohmann::json;

/// The timeout for one flow, in which nothing really waits.
constexpr int patience_ms = 60'000;
/// How long a double waits whose program was told to stop.
constexpr int held_ms = 2'000;
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

int worst_code(const std::deque<json>& answers) {
    int worst = 0;
    for (const auto& answer : answers) worst = std::max(worst, answer.value("rc", 0));
    return worst;
}

/// The recorded answer of the first command on the control host that contains `part`; with `must_succeed`, of the first
/// that succeeded. Null if there is none.
json recorded_answer(const Flow& flow, const std::string& part, bool must_succeed = false) {
    for (const auto& [text, answer] : flow.card_work) {
        if (text.find(part) != std::string::npos && (!must_succeed || answer.value("rc", 0) == 0)) return answer;
    }
    return nullptr;
}

/// The image type: the first one that our script looks for whose file the reference found too.
std::string image_type(const Flow& flow, const std::string& script) {
    std::istringstream lines(script);
    for (std::string line; std::getline(lines, line);) {
        const auto name_at = line.find("then echo ");
        if (!line.starts_with("if { ") || name_at == std::string::npos) continue;
        const auto name = line.substr(name_at + 10, line.find(';', name_at) - name_at - 10);
        if (name == "unknown") return name;
        for (const auto* file :
             {"writable/.disk/info", "writable/lib/firmware/*-tegra*", "writable/usr/bin/firefox", "writable/etc",
              "writable/system-data", "ubuntu-seed/snaps", "cloudimg-rootfs/etc/cloud/cloud.cfg"}) {
            if (line.find(std::string(file) + " ") == std::string::npos &&
                line.find(std::string(file) + ";") == std::string::npos) {
                continue;
            }
            const auto answer = recorded_answer(flow, std::string("/") + file, true);
            if (answer.is_null()) continue;
            const auto version = text_in(answer, "out");
            if (name == "ce-oem-iot-24" && version < "2400" && version < "24") continue;
            if (name == "pi-desktop" && text_in(recorded_answer(flow, "os-release"), "out") < "25") continue;
            return name;
        }
    }
    return "none";
}

/// Our few scripts on the card replace many commands of the reference. Their answers are derived from its answers.
json card_answer(const Flow& flow, const std::string& script) {
    const auto has = [&](const char* part) { return script.find(part) != std::string::npos; };
    const auto code_of = [&](const char* part) {
        const auto answer = recorded_answer(flow, part);
        return json{{"rc", answer.is_null() ? 0 : answer.value("rc", 0)}};
    };
    if (has("hdparm")) return code_of("hdparm");
    if (has("lsblk -J")) {
        const auto answer = recorded_answer(flow, "lsblk ");
        return {{"rc", 0}, {"out", text_in(answer, "out")}};
    }
    if (has("if { ")) return {{"rc", 0}, {"out", image_type(flow, script) + "\n"}};
    if (has("sudo mount ")) return code_of("sudo mount ");
    return json::object();
}

/// The text with $CWD for the run's folder, as recorded.
std::string with_cwd(std::string text, const std::string& folder) {
    for (auto at = text.find(folder); at != std::string::npos; at = text.find(folder)) {
        text.replace(at, folder.size(), "$CWD");
    }
    return text;
}

/// Gives the recorded answers in their order. If the program keeps asking, repeats the last one.
class World {
  public:
    World(const Flow& flow, std::string folder) : flow_(&flow), folder_(std::move(folder)), answers_(flow.answers) {}

    json answer(const json& message, Run& run) {
        if (message.contains("sleep")) {
            add_sleep(run.effects, message.at("sleep"));
            return json::object();
        }
        if (message.contains("without_limit")) {
            run.without_limit.push_back(message.at("without_limit").dump());
            return json::object();
        }
        auto argv = message.at("argv").get<std::vector<std::string>>();
        for (auto& word : argv) word = with_cwd(word, folder_);
        const std::string input = message.at("stdin");
        auto effect = effect_of(argv, input);
        if (!effect || effect->text.starts_with("HEAD ")) return json::object();
        const auto text = effect->text;
        effect = counted(*flow_, std::move(*effect));
        if (!effect) return card_answer(*flow_, text);
        if (effect->text == "user files" && text.find("sudo mount ") != std::string::npos) {
            const auto mounted = card_answer(*flow_, "sudo mount ");
            if (mounted.value("rc", 0) != 0) return mounted;
        }
        run.effects.push_back(*effect);
        if (effect->text == "user files") return {{"rc", worst_code(answers_[effect->text])}};
        auto& answers = answers_[effect->text];
        const bool is_request = effect->kind == Effect::Kind::http;
        if (answers.empty()) return is_request ? json{{"rc", curl_could_not_connect}} : json::object();
        auto next = answers.front();
        if (answers.size() > 1) answers.pop_front();
        if (is_request) return curl_answer(parse_curl(argv, input), next);
        return next.contains("hang") ? next : json{{"rc", next.value("rc", 0)}, {"out", text_in(next, "out")}};
    }

  private:
    const Flow* flow_;
    std::string folder_;
    std::map<std::string, std::deque<json>> answers_;
};

/// The list that an earlier provision of a multi job left, as far as the recording shows it.
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

/// Those that the job names, but for flows in which one is missing.
void write_attachments(const Flow& flow, const TemporaryFolder& folder) {
    if (flow.name.ends_with("-missing")) return;
    const auto data = flow.file.at("job").value("provision_data", json());
    if (!data.is_object()) return;
    std::vector<std::string> names;
    for (const auto* key : {"use_attachment", "user_data", "redeploy_cfg", "authorized_keys", "token_file"}) {
        if (auto name = text_in(data, key); !name.empty()) names.push_back(std::move(name));
    }
    for (const auto& attachment : data.value("attachments", json::array())) {
        names.push_back(attachment.at("agent"));
    }
    for (const auto& name : names) {
        const auto file = "attachments/provision/" + name;
        std::filesystem::create_directories((folder / file).parent_path());
        folder.write(file, "IMAGE-BYTES");
    }
}

void prepare(const Flow& flow, const Programs& programs, const TemporaryFolder& folder) {
    auto config = flow.file.at("config");
    if (flow.type() == "netboot") config["image_server_address"] = "192.0.2.1";
    folder.write("default.yaml", config.dump());
    folder.write("testflinger.json", flow.file.at("job").dump());
    if (flow.file.at("type") == "multi" && flow.file.at("stage") != "provision") {
        if (const auto list = child_list(flow); !list.is_null()) folder.write("job_list.json", list.dump());
    }
    write_attachments(flow, folder);
    if (!flow.name.ends_with("-no-public-key")) {
        std::filesystem::create_directories(folder / ".ssh");
        folder.write(".ssh/id_rsa.pub", "ssh-rsa AAAAEXAMPLEKEY agent@agent-host.example\n");
    }
    std::filesystem::create_directories(folder / "bin");
    std::set<std::string> names{"maas", "ssh",  "sshpass", "ssh-copy-id", "ssh-import-id",
                                "curl", "ping", "nc",      "powerctl"};
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
        throw std::runtime_error("cannot listen at " + path);
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

void send_answer(const FileDescriptor& client, const json& answer) {
    const auto text = answer.dump();
    (void)::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL);
}

/// A double whose program was told to stop while the double waits for its answer. It goes on waiting, like a command
/// that has not ended yet, unless the program lets it finish.
struct Held {
    FileDescriptor client;
    json answer;
};

/// Answers the doubles until the program has ended.
void serve(pid_t pid, const FileDescriptor& listener, World& world, const Stop& stop, Run& run) {
    bool is_stopped = stop.signal == 0;
    std::optional<Held> held;
    const FileDescriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    while (true) {
        std::array<pollfd, 2> ready{pollfd{process.get(), POLLIN, 0}, pollfd{listener.get(), POLLIN, 0}};
        const int count = ::poll(ready.data(), ready.size(), held ? held_ms : patience_ms);
        if (count <= 0 && held) {
            send_answer(held->client, held->answer);
            held.reset();
        } else if (count <= 0) {
            run.is_stuck = true;
            ::kill(-pid, SIGKILL);
            return;
        } else if (ready[1].revents != 0) {
            FileDescriptor client(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
            const auto message = json::parse(read_to_end(client.get()), nullptr, false);
            if (!message.is_object()) continue;
            auto answer = world.answer(message, run);
            const bool stops_now = !is_stopped && run.effects.size() > stop.at;
            if (stops_now) {
                is_stopped = true;
                ::kill(pid, stop.signal);
            }
            if (stops_now && !message.contains("sleep")) {
                held.emplace(Held{std::move(client), std::move(answer)});
            } else {
                send_answer(client, answer);
            }
        } else if (ready[0].revents != 0) {
            return;
        }
    }
}

bool is_request_for_results(const Effect& effect) {
    return effect.kind == Effect::Kind::http && effect.text.starts_with("GET ") &&
           effect.text.find("/v1/result/") != std::string::npos;
}

/// Keeps a command once if it is repeated at once or after a pause.
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

/// After its last attempt the reference pauses once more, and fails. Ours lets a module boot its own system again.
std::vector<Effect> without_end_of_failure(const Flow& flow, std::vector<Effect> effects) {
    if (flow.file.at("exit") == 0 || effects.empty()) return effects;
    if (effects.back().text.ends_with(" sudo pi3gpio set low 16")) effects.pop_back();
    if (!effects.empty() && effects.back().kind == Effect::Kind::sleep) effects.pop_back();
    return effects;
}

/// Removes the commands by which ours asks the device whether the user wants to end the reservation. The reference does
/// not ask.
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

/// Without waits, and without a final command that connects the card to the device: ours runs it after each failure.
std::vector<Effect> without_end_of_card_work(const Flow& flow, const std::vector<Effect>& effects) {
    std::vector<Effect> kept;
    for (const auto& effect : effects) {
        if (effect.kind != Effect::Kind::sleep) kept.push_back(effect);
    }
    kept = without_repetitions(kept);
    // Ours tries a download, and writing it, up to three times; both look again and again whether a device is up.
    for (std::size_t i = 0; i + 3 < kept.size();) {
        const bool is_again = kept[i].line() == kept[i + 2].line() && kept[i + 1].line() == kept[i + 3].line();
        if (!is_again) ++i;
        if (is_again)
            kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(i),
                       kept.begin() + static_cast<std::ptrdiff_t>(i + 2));
    }
    const auto device_command = flow.file.at("config").value("control_switch_device_cmd", "stm -dut");
    const auto is_switch = [&](const std::string& text) {
        return text.ends_with(" " + device_command) || text.ends_with(" set DUT");
    };
    if (flow.file.at("exit") != 0 && !kept.empty() && is_switch(kept.back().text)) kept.pop_back();
    return kept;
}

/// For multi, leaves out looks at the children: ours looks at all of them at once, so their number differs. See
/// README.md.
std::vector<Effect> comparable(const Flow& flow, const std::vector<Effect>& effects, bool after_stop) {
    const std::string type = flow.file.at("type");
    if (flow.file.at("stage") == "reserve") return without_looks_for_orders(effects);
    if (type == "maas2" || type == "fake_connector") return effects;
    if (type == "muxpi" || type == "dragonboard" || type == "netboot") return without_end_of_card_work(flow, effects);
    if (type != "multi") return without_end_of_failure(flow, without_repetitions(effects));
    std::vector<Effect> kept;
    for (const auto& effect : effects) {
        if (effect.kind == Effect::Kind::sleep || is_request_for_results(effect)) continue;
        if (after_stop && effect.text.find("/action ") != std::string::npos) continue;  // cancels jobs of the first run
        kept.push_back(effect);
    }
    return kept;
}

double slept(const std::vector<Effect>& effects) {
    double sum = 0;
    for (const auto& effect : effects) sum += effect.seconds;
    return sum;
}

/// Whether our pause, which has jitter, matches the recorded one. After its last attempt the reference waits another 60
/// or 100 s before the reservation begins.
bool is_backoff(const Flow& flow, const Effect& expected, const Effect& found, bool is_last) {
    const auto more = expected.seconds - found.seconds;
    if (flow.stage() == "reserve" && is_last && (more == 60 || more == 100)) return true;
    return flow.stage() == "reserve" && expected.kind == Effect::Kind::sleep && found.kind == Effect::Kind::sleep &&
           found.seconds >= expected.seconds / 2 - 1 && found.seconds <= expected.seconds + 1;
}

/// Whether this is the name of an exception of Python or its libraries, which the reference did not catch.
bool is_crash(const std::string& name) {
    static const std::set<std::string> names{"KeyError",          "TypeError",       "AttributeError",
                                             "ValueError",        "IndexError",      "UnboundLocalError",
                                             "TimeoutExpired",    "ReadTimeout",     "JSONDecodeError",
                                             "FileNotFoundError", "ConnectionError", "CalledProcessError"};
    return names.count(name) != 0;
}

std::string effects_difference(const Flow& flow, const Run& run, bool until_crash = false) {
    const bool after_stop = run.stopped_code != 0;
    const auto expected = comparable(flow, flow.effects, after_stop);
    const auto found = comparable(flow, run.effects, after_stop);
    const auto end = until_crash ? std::min(expected.size(), found.size()) : std::max(expected.size(), found.size());
    for (std::size_t i = 0; i < end; ++i) {
        const auto wanted = i < expected.size() ? expected[i].line() : "nothing more";
        const auto got = i < found.size() ? found[i].line() : "nothing more";
        if (wanted == got) continue;
        if (i < expected.size() && i < found.size() && is_backoff(flow, expected[i], found[i], i + 1 == end)) continue;
        return "effect " + std::to_string(i + 1) + ": expected " + wanted + ", found " + got;
    }
    const std::string type = flow.type();
    const bool has_waits_left_out = type == "multi" || type == "muxpi";
    if (has_waits_left_out && !until_crash && flow.file.at("exit") == 0 && slept(run.effects) > slept(flow.effects))
        return "waits longer than recorded";
    return "";
}

std::string error_difference(const Flow& flow, const Run& run) {
    const auto& expected = flow.file.at("error_file");
    if (expected.is_null() && (run.error_file.is_null() || flow.stage() == "firmware_update")) return "";
    if (expected.is_null()) return "found an error file, expected none: " + run.error_file.dump();
    if (run.error_file.is_null()) return "no error file, expected " + expected.dump();
    const auto& wanted = expected.begin().value();
    const auto key = expected.begin().key();
    if (!run.error_file.contains(key)) return "error file: no " + key;
    const auto& found = run.error_file.at(key);
    const std::string name = wanted.at("exception_name");
    std::string message = wanted.at("exception_message");
    message.erase(std::min(message.find('{'), message.size()));  // a Python set, in any order
    const std::string ours = found.at("exception_message");
    if (is_crash(name)) return ours.empty() ? "error file: an empty message" : "";
    if (name != found.at("exception_name")) return "error file: " + found.dump() + ", expected the name " + name;
    const bool has_no_text = message.empty() || message.starts_with("b'") || message.starts_with("b\"") ||
                             name == "MaasStorageError" || message == "timeout reaching control host!" ||
                             message == "None" || flow.type() == "muxpi" || flow.type() == "dragonboard";
    if (has_no_text ? ours.empty() : !ours.starts_with(message)) {
        return "error file: found the message \"" + ours + "\", expected \"" + message + "\"";
    }
    return "";
}

}  // namespace

Run replay(const Flow& flow, const Programs& programs, const Stop& stop) {
    const TemporaryFolder folder;
    prepare(flow, programs, folder);
    int runs = 0;
    const auto run_once = [&](const Stop& how) {
        Run run;
        // A socket of its own: what a killed run left may still report its effects.
        const auto socket = (folder / ("s" + std::to_string(++runs))).string();
        const auto listener = listen_at(socket);
        World world(flow, folder.path().string());
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
        run.error_file = json::parse(with_cwd(*text, folder.path().string()), nullptr, false);
    }
    return run;
}

bool has_crashed(const Flow& flow) {
    const auto& error = flow.file.at("error_file");
    return error.is_object() && !error.empty() && is_crash(error.begin().value().value("exception_name", ""));
}

bool is_equal_until_crash(const Flow& flow, const Run& run) {
    return has_crashed(flow) && !run.is_stuck && run.without_limit.empty() &&
           effects_difference(flow, run, true).empty();
}

std::string difference(const Flow& flow, const Run& run) {
    if (run.is_stuck) return "it hangs";
    if (!run.without_limit.empty()) return "a command without a timeout: " + run.without_limit.front();
    const int expected = flow.file.at("exit");
    if (run.exit_code != expected) {
        return "exit code " + std::to_string(run.exit_code) + ", expected " + std::to_string(expected) + "; " +
               effects_difference(flow, run);
    }
    if (auto found = effects_difference(flow, run); !found.empty()) return found;
    return error_difference(flow, run);
}

}  // namespace trebuchet::conformance
