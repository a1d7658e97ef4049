#include "agent/delivery/delivery.hpp"

#include "common/file/safe_file.hpp"
#include "common/log/log.hpp"

#include <ctime>
#include <system_error>
#include <utility>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

/// If the log takes longer, the next attempt continues it.
constexpr std::chrono::seconds log_limit{60};

}  // namespace

struct Delivery::Series {
    Series(const Parts& parts, JobFolder& folder, LogSeries series, const char* name)
        : spool(folder.worker(), folder.path(), name, parts.config.trebuchet.spool),
          uploader(parts.loop, parts.clock, parts.server, spool, series, folder.path().filename().string(),
                   parts.draw) {}
    Spool spool;
    LogUploader uploader;
};

std::chrono::milliseconds Delivery::since_boot() {
    timespec time{};
    ::clock_gettime(CLOCK_BOOTTIME, &time);
    return std::chrono::seconds(time.tv_sec) +
           std::chrono::ceil<std::chrono::milliseconds>(std::chrono::nanoseconds(time.tv_nsec));
}

Delivery::Delivery(const Parts& parts, std::unique_ptr<JobFolder> folder, std::function<void(Result<void>)> done)
    : parts_(parts),
      job_id_(folder->path().filename().string()),
      folder_(std::move(folder)),
      done_(std::move(done)),
      limit_(parts.loop),
      worker_(parts.loop) {}

Delivery::Delivery(const Parts& parts, ReferenceResult result, std::function<void(Result<void>)> done)
    : parts_(parts),
      job_id_(result.job_id()),
      reference_(std::move(result)),
      done_(std::move(done)),
      limit_(parts.loop),
      worker_(parts.loop) {}

Delivery::~Delivery() {
    stop_ = true;
}

template <typename... Arguments>
auto Delivery::guarded(void (Delivery::*handler)(Arguments...)) {
    return [this, handler, alive = std::weak_ptr(alive_)](auto&&... arguments) {
        if (!alive.expired()) (this->*handler)(std::forward<decltype(arguments)>(arguments)...);
    };
}

void Delivery::start() {
    if (folder_) return send_logs();
    pack_artifacts();
}

void Delivery::send_logs() {
    output_ = std::make_unique<Series>(parts_, *folder_, LogSeries::output, output_spool_name);
    serial_ = std::make_unique<Series>(parts_, *folder_, LogSeries::serial, serial_spool_name);
    const auto go_on = [this] {
        if (!output_->uploader.is_done() || !serial_->uploader.is_done()) return;
        limit_.stop();
        send_artifacts();
    };
    output_->uploader.on_done(go_on);
    serial_->uploader.on_done(go_on);
    output_->uploader.finish();
    serial_->uploader.finish();
    limit_.start(log_limit, [this] { finish(fail("its log could not be sent yet")); });
    go_on();
}

void Delivery::pack_artifacts() {
    if (!reference_->has_artifacts_to_pack()) return send_artifacts();
    const auto packed = std::make_shared<Result<void>>();
    const auto own = std::make_shared<std::vector<NamedSecret>>(parts_.own_secrets->all());
    worker_.run(
        [this, packed, own, result = *reference_, config = parts_.config.trebuchet] {
            *packed = result.pack_artifacts(config, std::move(*own), &stop_);
        },
        [this, packed] { artifacts_packed(*packed); });
}

void Delivery::artifacts_packed(const Result<void>& packed) {
    if (packed) return send_artifacts();
    if (!packed.error().is_final()) return finish(packed);
    give_up("artifacts", packed.error());
    reference_->remove_artifacts();
    send_outcome();
}

void Delivery::send_artifacts() {
    const auto archive = folder_ ? folder_->archive() : reference_->archive();
    std::error_code error;
    const bool is_there = fs::symlink_status(archive, error).type() != fs::file_type::not_found && !error;
    if (!is_there || (folder_ && folder_->record().artifacts_sent)) return send_outcome();
    if (auto usable = open_untrusted(archive); !usable) {
        give_up("artifacts", usable.error());
        return send_outcome();
    }
    parts_.server.post_artifacts(job_id_, archive, guarded(&Delivery::artifacts_posted));
}

void Delivery::artifacts_posted(Result<void> posted) {
    if (!posted && !posted.error().is_final()) return finish(posted);
    if (!posted) give_up("artifacts", posted.error());
    if (folder_) folder_->note(JournalEntry::artifacts_sent());
    if (reference_) reference_->remove_artifacts();
    send_outcome();
}

void Delivery::send_outcome() {
    if (folder_) {
        const auto& record = folder_->record();
        if (!record.outcome || record.outcome_sent) return finish({});
        status_ = record.outcome->status;
        state_ = record.outcome->state;
    } else {
        const auto status = reference_->read_status();
        if (!status) {
            give_up("outcome", status.error());
            return finish({});
        }
        status_ = *status;
        state_ = JobState::complete;
    }
    parts_.server.read_job_state(job_id_, guarded(&Delivery::state_read));
}

void Delivery::state_read(Result<JobState> state) {
    if (!state && state.error().is_final()) return outcome_posted(fail(state.error()));
    if (!state) return finish(fail(state.error()));
    state_ = *state_to_post(state_, *state);
    parts_.server.post_outcome(job_id_, status_, state_, guarded(&Delivery::outcome_posted));
}

void Delivery::outcome_posted(Result<void> posted) {
    if (!posted && !posted.error().is_final()) return finish(posted);
    if (!posted) give_up("outcome", posted.error());
    if (folder_) folder_->note(JournalEntry::outcome_sent());
    finish({});
}

void Delivery::finish(const Result<void>& result) {
    limit_.stop();
    parts_.loop.post([this, result, alive = std::weak_ptr(alive_)] {
        if (!alive.expired()) std::exchange(done_, [](const Result<void>&) {})(result);
    });
}

void Delivery::give_up(const std::string& what, const Error& reason) const {
    log_error("job " + job_id_ + ": giving up on its " + what + ", which cannot be delivered: " + reason.message());
}

void Delivery::remove() {
    output_.reset();
    serial_.reset();
    if (folder_) return folder_->remove();
    reference_->remove();
}

}  // namespace trebuchet
