#include "agent/metrics/release_listener.hpp"

#include "agent/job/phase_environment.hpp"
#include "agent/metrics/os_release.hpp"
#include "common/log/log.hpp"

#include <algorithm>
#include <cctype>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

using nlohmann::json;

constexpr std::size_t answer_limit = 65536;
constexpr std::chrono::seconds time_limit{20};
/// The user of the images that labs provision; the reference agent's default.
constexpr const char* default_user = "ubuntu";

bool is_safe(const std::string& word) {
    return !word.empty() && word.size() <= 255 && word[0] != '-' &&
           std::all_of(word.begin(), word.end(), [](unsigned char c) {
               return (c < 0x80 && std::isalnum(c) != 0) || c == '.' || c == ':' || c == '-' || c == '_';
           });
}

std::string user_of(const Job& job) {
    const auto document = json::parse(job.public_document, nullptr, false);
    if (!document.is_object()) return default_user;
    const auto data = document.find("test_data");
    if (data == document.end() || !data->is_object()) return default_user;
    const auto user = data->find("test_username");
    return user != data->end() && user->is_string() ? user->get<std::string>() : default_user;
}

}  // namespace

std::optional<std::string> os_release_command(const std::string& user, const std::string& address) {
    if (!is_safe(user) || !is_safe(address)) return std::nullopt;
    // The host key is not checked: a device has a new one after each provision. No secret is sent over this connection.
    return "exec ssh -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "
           "-o ConnectTimeout=10 -l '" +
           user + "' -- '" + address + "' cat /etc/os-release 2>/dev/null";
}

void ReleaseListener::job_taken(const Job& job) {
    user_ = user_of(job);
}

void ReleaseListener::device_info(const MaskedJson& info) {
    const auto address = info.value().find("device_ip");
    if (address != info.value().end() && address->is_string()) address_ = address->get<std::string>();
    ask_device();
}

void ReleaseListener::provision_log(int exit_code, const MaskedChunk& /*detail*/) {
    is_provisioned_ = exit_code == 0;
}

void ReleaseListener::ask_device() {
    if (!is_provisioned_ || ssh_ || address_.empty()) return;
    const auto command = os_release_command(user_, address_);
    if (!command) {
        log_warning(
            "cannot ask the device for its release: its address or user name has characters that are not allowed");
        is_provisioned_ = false;
        return;
    }
    ProcessSpec spec;
    spec.title = "os-release";
    spec.command = *command;
    spec.folder = "/";
    spec.environment = phase_environment(Environment::inherited(), config_, {});
    spec.kill_grace = std::chrono::milliseconds(0);
    ssh_ = Process::start(loop_, spec,
                          {[this](std::string_view bytes) {
                               answer_.append(bytes.substr(0, answer_limit - std::min(answer_limit, answer_.size())));
                           },
                           [this](const ProcessEnd&, std::size_t) {
                               limit_.stop();
                               const auto release = parse_os_release(answer_);
                               log_debug("the device runs the release \"" + release + "\"");
                               metrics_.release_known(release);
                           },
                           nullptr});
    limit_.start(time_limit, [this] { ssh_->kill(); });
}

void ReleaseListener::job_finished(const PhaseStatus& /*status*/, bool /*cancelled*/) {
    limit_.stop();
    ssh_.reset();
}

}  // namespace trebuchet
