#include "agent/daemon/device_health.hpp"

#include "agent/job/exit_codes.hpp"
#include "common/file/planted_file.hpp"
#include "common/file/safe_file.hpp"
#include "common/log/log.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

constexpr std::string_view quarantined = "Quarantined by the agent";
constexpr std::size_t file_limit = 65536;
constexpr std::size_t most_failures = 100;  ///< also the most that trebuchet.quarantine may ask for
constexpr std::size_t most_named = 3;
constexpr std::size_t longest_submitter = 200;

std::string text_of(const nlohmann::json& json, const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

DeviceHealth::DeviceHealth(const DaemonParts& parts, std::function<bool()> is_stopping)
    : parts_(parts), is_stopping_(std::move(is_stopping)), file_(parts.state_base / device_health_file) {
    read_file();
    show();
}

void DeviceHealth::read_file() {
    if (kind_of_file(file_).empty()) return;
    const auto text = read_untrusted(file_, file_limit);
    const auto json = text ? nlohmann::json::parse(*text, nullptr, false) : nlohmann::json();
    const auto list = json.is_object() ? json.value("failures", nlohmann::json()) : nlohmann::json();
    if (!list.is_array() || list.size() > most_failures) {
        return log_warning(file_.string() + " cannot be understood: counting failed provisions from 0");
    }
    is_kept_ = true;
    for (const auto& failure : list) {
        if (!failure.is_object() || !is_job_id(text_of(failure, "job"))) continue;
        const auto code = failure.find("code");
        failures_.push_back({text_of(failure, "job"), text_of(failure, "submitter"),
                             code != failure.end() && code->is_number_integer() ? code->get<int>() : 0});
    }
    const auto count = json.find("in_a_row");
    in_a_row_ = count != json.end() && count->is_number_unsigned() ? count->get<unsigned>()
                                                                   : static_cast<unsigned>(failures_.size());
}

void DeviceHealth::phase_ran(Phase phase, const PhaseStatus& status) {
    const auto code = status.find(Phase::provision);
    if (phase != Phase::provision || code == status.end() || job_ == nullptr) return;
    if (code->second == 0) return reset();
    if (code->second == ended_by_agent_code && is_stopping_()) return;
    if (code->second == could_not_start_code) return;  // no command ran, for example because Vault was away
    add({job_->id, job_->client_id.value_or("").substr(0, longest_submitter), code->second});
}

void DeviceHealth::add(Failure failure) {
    ++in_a_row_;
    if (!failure.submitter.empty()) {
        std::erase_if(failures_, [&](const Failure& other) { return other.submitter == failure.submitter; });
    }
    failures_.push_back(std::move(failure));
    if (failures_.size() > most_failures) failures_.erase(failures_.begin());
    keep();
    show();
    if (is_quarantined()) log_error("taking no more jobs: " + comment());
}

void DeviceHealth::keep() {
    auto list = nlohmann::json::array();
    for (const auto& failure : failures_) {
        list.push_back({{"job", failure.job}, {"submitter", failure.submitter}, {"code", failure.code}});
    }
    const nlohmann::json json{{"in_a_row", in_a_row_}, {"failures", std::move(list)}};
    const auto written = write_file(file_, json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    is_kept_ = written.has_value();
    const bool was_told = std::exchange(told_of_disk_, !is_kept_);
    if (is_kept_ || was_told) return;
    log_warning("cannot keep the number of failed provisions, trying again: " + written.error().message());
}

void DeviceHealth::show() {
    parts_.metrics.device_health(in_a_row_, is_quarantined());
}

void DeviceHealth::refresh() {
    if (!is_kept_ && !failures_.empty()) return keep();  // the disk was full: `resume` ends it by removing the file
    if (is_kept_ && kind_of_file(file_).empty()) reset();
}

void DeviceHealth::reset() {
    if (is_quarantined()) log_info("the quarantine is over: taking jobs again");
    if (in_a_row_ == 0 && failures_.empty()) return;
    in_a_row_ = 0;
    failures_.clear();
    if (auto removed = remove_tree(file_); !removed) log_warning(removed.error().message());
    is_kept_ = false;
    show();
}

bool DeviceHealth::is_quarantined() const {
    const auto limit = parts_.config.trebuchet.quarantine;
    return limit > 0 && failures_.size() >= limit;
}

std::string DeviceHealth::comment() const {
    if (!is_quarantined()) return "";
    std::string text =
        std::string(quarantined) + ": " + std::to_string(in_a_row_) + " provisions in a row failed, last ";
    const auto named = std::min(most_named, failures_.size());
    for (auto failure = failures_.end() - static_cast<std::ptrdiff_t>(named); failure != failures_.end(); ++failure) {
        text += "job " + failure->job + " (exit code " + std::to_string(failure->code) + ")" +
                (failure + 1 == failures_.end() ? "" : ", ");
    }
    return text + ". Repair the device, then run trebuchet-agent resume";
}

bool DeviceHealth::is_own_comment(std::string_view comment) {
    return comment.starts_with(quarantined);
}

}  // namespace trebuchet
