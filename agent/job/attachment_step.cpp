#include "agent/job/attachment_step.hpp"

#include "agent/job/job_step.hpp"
#include "common/archive/tar_gz_reader.hpp"
#include "common/event/beside.hpp"
#include "common/file/remove_tree.hpp"
#include "common/log/log.hpp"

#include <system_error>

namespace trebuchet {

Result<void> AttachmentStep::run(const RunFolder& folder) {
    if (!parts_.job.has_attachments || !parts_.fetch_attachments) return {};
    const auto archive = folder.path() / "attachments.tar.gz";
    auto done = parts_.fetch_attachments(archive);
    if (!done) return fail(done.error().with_context("its attachments cannot be fetched"));
    reached("attachments arrived");
    const auto target = folder.path() / "attachments";
    run_beside(parts_.loop, [&] {
        UnpackLimits limits;
        limits.stop = &stopping_now_;
        const auto unpacked = unpack_tar_gz(archive, target, {"provision", "firmware_update", "test"}, limits);
        if (unpacked) return;
        done = fail(unpacked.error().with_context("its attachments cannot be unpacked"));
        if (auto removed = set_aside(target); !removed) log_warning(removed.error().message());
    });
    std::error_code ignored;
    std::filesystem::remove(archive, ignored);
    reached("attachments unpacked");
    return done;
}

}  // namespace trebuchet
