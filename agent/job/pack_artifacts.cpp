#include "agent/job/pack_artifacts.hpp"

#include "common/archive/tar_gz_writer.hpp"
#include "common/base/system_text.hpp"
#include "common/file/safe_file.hpp"
#include "common/record_file/record_file.hpp"

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include <unistd.h>

namespace trebuchet {

Result<PackedArtifacts> pack_artifacts(const std::filesystem::path& folder, const std::filesystem::path& archive,
                                       ArtifactsMasking masking, std::shared_ptr<const MaskSet> masks,
                                       const std::atomic<bool>* stop) {
    std::error_code ignored;
    std::filesystem::remove_all(archive, ignored);
    // A temporary name, so that an incomplete file after a crash is not taken for an archive.
    const auto unfinished = std::filesystem::path(archive).concat(".new");
    std::filesystem::remove_all(unfinished, ignored);
    const auto file = create_new_file(unfinished);
    if (!file) return fail(file.error());
    TarGzLimits limits;
    limits.stop = stop;
    limits.withholds_text = masking == ArtifactsMasking::withhold || masking == ArtifactsMasking::fail;
    if (masking == ArtifactsMasking::off) masks = MaskSet::none();
    auto report = write_tar_gz(folder, file->get(), std::move(masks), limits);
    if (!report) {
        std::filesystem::remove(unfinished, ignored);
        return fail(report.error());
    }

    PackedArtifacts packed;
    packed.may_be_sent = masking != ArtifactsMasking::fail || report->found.empty();
    if (!packed.may_be_sent) {
        packed.withheld.emplace_back(
            "ERROR: none of the artifacts is sent, because they or their names contain a secret");
        std::filesystem::remove(unfinished, ignored);
    } else if (::fdatasync(file->get()) != 0 || ::rename(unfinished.c_str(), archive.c_str()) != 0) {
        return fail("cannot keep " + archive.string() + ": " + system_text(errno));
    } else if (auto durable = sync_folder(archive.parent_path()); !durable) {
        return fail(durable.error());
    }
    for (auto& line : report->withheld) packed.withheld.push_back("artifact " + std::move(line));
    if (report->withheld_count > report->withheld.size()) {
        packed.withheld.push_back("and " + std::to_string(report->withheld_count - report->withheld.size()) +
                                  " more artifacts are withheld");
    }
    packed.left_out = std::move(report->left_out);
    if (report->left_out_count > packed.left_out.size()) {
        packed.left_out.push_back("and " + std::to_string(report->left_out_count - packed.left_out.size()) + " more");
    }
    packed.found = std::move(report->found);
    return packed;
}

}  // namespace trebuchet
