#include "tests/provision/conformance/effects.hpp"

#include "provision/ssh/connection_watch.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace trebuchet::conformance {
namespace {

using nlohmann::json;

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

std::vector<std::string> words_of(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) words.push_back(word);
    return words;
}

std::string base_name(const std::string& path) {
    return std::filesystem::path(path).filename().string();
}

/// The words without sshpass and its way to get the password, and without options of ssh.
std::vector<std::string> without_options(std::vector<std::string> argv) {
    if (!argv.empty()) argv.front() = base_name(argv.front());
    if (argv.size() > 1 && argv.front() == "sshpass") {
        argv.erase(argv.begin(), argv.begin() + (argv[1] == "-p" ? 3 : argv[1].starts_with("-") ? 2 : 1));
    }
    if (argv.empty() || (argv.front() != "ssh" && argv.front() != "scp" && argv.front() != "ssh-copy-id")) return argv;
    std::vector<std::string> kept{argv.front()};
    bool is_option = true;
    for (std::size_t i = 1; i < argv.size(); ++i) {
        const auto& word = argv[i];
        if (is_option && (word == "-o" || word == "-i")) {
            ++i;
        } else if (is_option && (word == "-t" || word == "-T" || word == "--" || word == "-q" || word == "-f")) {
            continue;
        } else {
            if (!word.starts_with("-")) is_option = false;
            if (!is_option && word == "--") continue;
            kept.push_back(word);
        }
    }
    return kept;
}

/// Decodes a quoted value of a curl configuration: "…" with backslashes.
std::string unescaped(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            out += text[i];
        } else {
            ++i;
            out += text[i] == 'n' ? '\n' : text[i];
        }
    }
    return out;
}

void read_config(const std::string& input, CurlCall& call) {
    std::istringstream lines(input);
    for (std::string line; std::getline(lines, line);) {
        const auto begin = line.find(" = \"");
        if (begin == std::string::npos || !line.ends_with('"')) continue;
        const auto name = line.substr(0, begin);
        const auto value = unescaped(line.substr(begin + 4, line.size() - begin - 5));
        if (name == "url") call.url = value;
        if (name == "data-raw" || name == "json") call.body += value;
        if (name == "form-string" && value.starts_with("request=")) call.body = value.substr(8);
        if (name == "form") call.file_field = value.substr(0, value.find('='));
    }
}

class Reader {
  public:
    explicit Reader(Flow& flow) : flow_(&flow) {}

    void steps(const json& list) {
        for (std::size_t i = 0; i < list.size(); ++i) {
            const auto& step = list[i];
            const std::string kind = step.at("kind");
            const auto by = step.value("by", "");
            if (is_in_program_ && (by == "nested" || by == "script")) continue;
            is_in_program_ = is_oem_program(step);
            if (kind == "repeat") {
                for (int n = step.at("times"); n > 0; --n) steps(step.at("steps"));
            } else if (kind == "sleep") {
                add_sleep(flow_->effects, step.at("seconds"));
            } else if (kind == "http") {
                request(step);
            } else if (kind == "run") {
                const bool has_nested = i + 1 < list.size() && list[i + 1].value("by", "") == "nested";
                if (step.contains("shell") && has_nested) continue;  // its nested steps follow
                if (step.contains("shell") && flow_->type() == "netboot")
                    continue;  // it calls nothing that has a double
                command(step);
            }
        }
    }

  private:
    /// What these programs do themselves is not a step of the connector.
    static bool is_oem_program(const json& step) {
        if (!step.contains("argv") || !step.at("argv").is_array() || step.at("argv").empty()) return false;
        const auto& first = step.at("argv").front();
        if (!first.is_string()) return false;
        const auto name = base_name(first.get<std::string>());
        return name == "recovery-from-iso.sh" || name == "provision-image.sh";
    }

    void command(const json& step) {
        auto argv = words_of(step.value("shell", ""));
        if (step.contains("argv") && step.at("argv").is_array()) {
            argv.clear();
            for (const auto& word : step.at("argv"))
                argv.push_back(word.is_string() ? word.get<std::string>() : word.dump());
        }
        const bool is_test_command = step.contains("shell") && flow_->file.at("stage") == "runtest";
        if (argv.empty() || is_test_command) return;
        for (auto& word : argv) {
            if (word.starts_with("$HOME/")) word = "$CWD" + word.substr(5);
        }
        auto effect = effect_of(argv, "");
        if (!effect) return;
        const auto program = words_of(effect->text).front();
        const auto& answer = step.at("answer");
        if (answer.is_string() && answer == "TypeError") return;  // the command never ran
        if (answer.is_string() && answer == "FileNotFoundError") {
            flow_->missing_programs.push_back(program);
            return;
        }
        flow_->programs.push_back(program);
        const auto text = effect->text;
        effect = counted(*flow_, std::move(*effect));
        if (!effect) {
            flow_->card_work.emplace_back(text, answer.is_string() ? json{{"rc", 124}} : answer);
            return;
        }
        flow_->effects.push_back(*effect);
        flow_->answers[effect->text].push_back(answer.is_string() ? json{{"hang", true}} : answer);
    }

    void request(const json& step) {
        auto body = step.value("json", json());
        if (const auto form = step.find("data"); form != step.end() && form->contains("request")) {
            body = json::parse(form->at("request").get<std::string>());
        }
        auto effect = effect_of_request(step.at("method"), step.at("url"), body);
        if (const auto files = step.find("files"); files != step.end() && files->is_object() && !files->empty()) {
            effect.text += " with " + files->begin().key();
        }
        const auto& answer = step.at("answer");
        if (answer.is_object() && !answer.contains("body")) flow_->skipped = "the answers' bodies are not recorded";
        flow_->answers[effect.text].push_back(answer);
        flow_->effects.push_back(std::move(effect));
    }

    Flow* flow_;
    bool is_in_program_ = false;
};

}  // namespace

/// The user of the host that writes a device's disk; "": the device writes it itself.
std::string writing_host(const Flow& flow) {
    if (flow.type() == "dragonboard") return "linaro";
    if (flow.type() == "muxpi" || flow.type() == "cm3") return flow.file.at("config").value("control_user", "ubuntu");
    return "";
}

std::optional<Effect> counted(const Flow& flow, Effect effect) {
    if (effect.kind != Effect::Kind::run) return effect;
    auto& text = effect.text;
    const auto has = [&](const char* part) { return text.find(part) != std::string::npos; };
    if (flow.stage() == "reserve") {
        const auto words = words_of(text);
        if (words.front() == "ssh-copy-id") text = "copy keys to " + words.back();
        if (words.front() == "ssh" && has("add()")) text = "copy keys to " + words.at(1);
        if (words.front() == "ssh" && has("grep -vxF")) return std::nullopt;  // the keys are removed again
        return effect;
    }
    if (flow.stage() == "firmware_update") {
        for (const auto* detail : {"chassis_type", " apt ", "fwupdmgr --version", "command -v fwupdmgr"}) {
            if (has(detail)) return std::nullopt;
        }
        if (const auto at = text.find(" 2>/dev/null"); at != std::string::npos) text.erase(at);
        if (const auto at = text.find("sudo cat "); at != std::string::npos) text.erase(at, 5);
        return effect;
    }
    if (flow.type() == "control_host_kvm" && has("sudo chpasswd")) text = "change the password";
    const auto writer = writing_host(flow);
    if (writer.empty()) return effect;
    const auto control = "ssh " + writer + "@";
    if (flow.type() != "muxpi") text.erase(std::remove(text.begin(), text.end(), '\''), text.end());
    while (text.ends_with(' ')) text.pop_back();
    if (text.starts_with("scp ") ||
        (text.starts_with(control) && (has("sudo tee") || has(" sudo cp ") || has("bash -c \"echo ")))) {
        text = "user files";
        return effect;
    }
    if (!text.starts_with(control)) return effect;
    if (has("| sudo dd of=")) {
        auto device = text.substr(text.find("of=") + 3);
        device.erase(std::remove_if(device.begin(), device.end(), [](char c) { return c == '\'' || c == '\\'; }),
                     device.end());
        text = "write " + device.substr(0, device.find_first_of(" \n"));
        return effect;
    }
    const auto command = text.substr(std::min(text.find(' ', control.size()) + 1, text.size()));
    for (const auto* work :
         {"{", "sudo umount ", "sudo hdparm ", "sudo mkdir ", "sudo mount ", "sudo rm -f /mnt", "sudo sed ",
          "sudo bash ", "sync", "lsblk ", "mkdir ", "grep ", "ls ", "set -e", "for place "}) {
        if (command.starts_with(work)) return std::nullopt;
    }
    if (flow.type() == "muxpi" && command.starts_with("test ")) return std::nullopt;
    if (flow.type() == "dragonboard" && command.starts_with("sudo sgdisk -o ")) return std::nullopt;
    constexpr std::string_view limit = "sudo timeout -k 10 1800 ";
    if (command.starts_with(limit)) text.erase(text.find(limit) + 5, limit.size() - 5);
    return effect;
}

std::string Effect::line() const {
    switch (kind) {
        case Kind::run:
            return "run   " + text;
        case Kind::http:
            return "http  " + text;
        case Kind::sleep:
            break;
    }
    std::ostringstream out;
    out << "sleep " << seconds;
    return out.str();
}

std::optional<Effect> effect_of(const std::vector<std::string>& argv, const std::string& input) {
    auto words = without_options(argv);
    if (words.size() > 1 && words[0] == "ssh" && words[1] == "-O") return std::nullopt;
    if (!words.empty() && words[0] == "curl") {
        const auto call = parse_curl(words, input);
        auto effect = effect_of_request(call.method, call.url, json::parse(call.body, nullptr, false));
        if (!call.file_field.empty() && call.file_field != "file") effect.text += " with " + call.file_field;
        return effect;
    }
    if (words.size() > 2 && words[0] == "ssh" && words.back() == "/bin/sh -s") {
        const auto watch = connection_watch();
        words.back() = input.starts_with(watch) ? input.substr(watch.size()) : input;
    }
    Effect effect;
    effect.text = joined(words);
    return effect;
}

Effect effect_of_request(const std::string& method, const std::string& url, const json& body) {
    Effect effect;
    effect.kind = Effect::Kind::http;
    auto shown = url;
    constexpr std::string_view server = "/writeimage?server=";
    if (const auto at = shown.find(server); at != std::string::npos) {
        const auto begin = at + server.size();
        shown.replace(begin, shown.find('\\', begin) - begin, "192.0.2.1:PORT");
    }
    effect.text = method + " " + shown + (body.is_object() ? " " + body.dump() : "");
    return effect;
}

void add_sleep(std::vector<Effect>& effects, double seconds) {
    if (seconds <= 0) return;
    if (!effects.empty() && effects.back().kind == Effect::Kind::sleep) {
        effects.back().seconds += seconds;
        return;
    }
    Effect effect;
    effect.kind = Effect::Kind::sleep;
    effect.seconds = seconds;
    effects.push_back(effect);
}

CurlCall parse_curl(const std::vector<std::string>& argv, const std::string& input) {
    CurlCall call;
    for (std::size_t i = 1; i < argv.size(); ++i) {
        const auto& word = argv[i];
        const auto next = i + 1 < argv.size() ? argv[i + 1] : std::string();
        if (word == "-X") call.method = next;
        if (word == "-w") call.format = next;
        if (word == "-o") call.prints_body = false;
        if (word == "-I") call.method = "HEAD";
        if (word == "-K") read_config(input, call);
        if (word.starts_with("-s") && word.find('f') != std::string::npos) call.fails_on_error = true;
        if (word.starts_with("http")) call.url = word;
    }
    return call;
}

Flow read_flow(const std::string& path) {
    Flow flow;
    flow.name = std::filesystem::path(path).stem().string();
    std::ifstream file(path);
    flow.file = json::parse(file);
    Reader(flow).steps(flow.file.at("steps"));
    return flow;
}

}  // namespace trebuchet::conformance
