#include "provision/maas/maas_node.hpp"

#include "common/base/text.hpp"
#include "provision/process/foreign_json.hpp"

#include <array>
#include <cstdio>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::chrono::seconds, 3> between_tries{10s, 20s, 40s};
/// A machine with many disks and interfaces is described by some hundred kilobytes.
constexpr std::size_t max_answer = std::size_t{8} * 1024 * 1024;
/// Of one try in an error's message.
constexpr std::size_t max_said = 1000;

std::string joined(const std::vector<std::string>& words) {
    std::string line;
    for (const auto& word : words) line += " " + word;
    return line;
}

}  // namespace

tl::unexpected<MaasError> maas_error(StageError error) {
    return tl::unexpected(MaasError{std::move(error), 0});
}

tl::unexpected<MaasError> maas_stopped(int signal) {
    return tl::unexpected(MaasError{{}, signal});
}

StageResult stage_result(MaasError error) {
    if (error.signal != 0) return exit_by_signal(error.signal);
    return tl::unexpected(std::move(error.error));
}

std::string python_quoted(std::string_view text) {
    const char quote =
        text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos ? '"' : '\'';
    std::string out(1, quote);
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\\' || c == quote) {
            out += {'\\', c};
        } else if (c == '\n') {
            out += "\\n";
        } else if (c == '\r') {
            out += "\\r";
        } else if (c == '\t') {
            out += "\\t";
        } else if (byte < 0x20 || byte == 0x7f) {
            std::array<char, 5> hex{};
            std::snprintf(hex.data(), hex.size(), "\\x%02x", byte);
            out += hex.data();
        } else {
            out += c;
        }
    }
    return out + quote;
}

MaasNode::Answer MaasNode::run(const std::vector<std::string>& words) const {
    Command command;
    command.argv = {"maas", profile_};
    command.argv.insert(command.argv.end(), words.begin(), words.end());
    command.timeout = command_timeout;
    command.capture_output = true;
    command.errors_apart = true;  // a warning must not spoil the JSON
    command.output_limit = max_answer;
    auto result = context_->commands.run(command);

    Answer answer;
    if (const auto* stopped = std::get_if<CommandInterrupted>(&result.end)) answer.signal = stopped->signal;
    answer.code = exit_code(result.end);
    answer.is_success = answer.code == 0;
    answer.said = to_valid_utf8(result.output + result.errors);
    answer.output = std::move(result.output);
    answer.end = describe(CommandResult{result.end, answer.said});
    return answer;
}

MaasResult<std::string> MaasNode::retry(const std::vector<std::string>& words,
                                        const std::vector<std::string>& shown) const {
    const auto line = "maas " + profile_ + joined(shown.empty() ? words : shown);
    std::string tries;
    for (std::size_t i = 0;; ++i) {
        auto answer = run(words);
        if (answer.is_success) return std::move(answer.output);
        if (answer.signal != 0) return maas_stopped(answer.signal);
        tries += (i == 0 ? "(" : ", (") + std::to_string(answer.code) + ", " +
                 python_quoted(std::string_view(answer.said).substr(0, max_said)) + ")";
        if (i == between_tries.size()) {
            error("maas error running: " + line + "; maximum retries reached: " + answer.end);
            return maas_error({"ProvisioningError", "[" + tries + "]", std::nullopt, 1});
        }
        const auto pause = between_tries.at(i);
        warning("maas error running: " + line + "; trying again in " + std::to_string(pause.count()) +
                " seconds: " + answer.end);
        if (const int signal = context_->interrupt.wait_for(pause); signal != 0) return maas_stopped(signal);
    }
}

MaasResult<nlohmann::json> MaasNode::retry_json(const std::vector<std::string>& words) const {
    auto text = retry(words);
    if (!text) return tl::unexpected(text.error());
    auto value = parse_foreign_json(*text);
    if (!value.is_discarded()) return value;
    return maas_error({"ProvisioningError",
                       "maas " + profile_ + joined(words) + " answered no JSON: found " +
                           trebuchet::quoted(to_valid_utf8(*text), 200),
                       std::nullopt, 1});
}

MaasResult<std::string> MaasNode::status() const {
    auto machine = read();
    if (!machine) return tl::unexpected(machine.error());
    if (!machine->is_object()) return "";
    const auto status = machine->find("status_name");
    return status != machine->end() && status->is_string() ? status->get<std::string>() : std::string();
}

}  // namespace trebuchet
