#include "provision/multi/child_attachments.hpp"

#include "common/base/text.hpp"
#include "common/file/safe_file.hpp"

#include <filesystem>
#include <system_error>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using std::filesystem::path;

constexpr const char* phases[] = {"provision", "firmware_update", "test"};
constexpr auto packing_time = 1800s;

/// No way out of the folder, and no option of tar.
bool is_harmless(const path& name) {
    if (name.empty() || name.is_absolute() || name.native().front() == '-') return false;
    for (const auto& part : name) {
        if (part == ".." || part.native().find('\0') != std::string::npos) return false;
    }
    return true;
}

Result<path> find_attachment(const JobFile::ChildJob::Attachment& attachment) {
    const auto shown = trebuchet::quoted(attachment.phase + "/" + attachment.name);
    const path name(attachment.name);
    if (!is_harmless(name)) return fail("the attachment " + shown + ": expected a relative path without ..");
    const path own = path("attachments") / attachment.phase / name;
    if (open_untrusted(own)) return own;
    for (const auto* phase : phases) {
        const auto other = path("attachments") / phase / name;
        if (open_untrusted(other)) return other;
    }
    return fail("the attachment " + shown + " of a child job is not among the attachments of this job: expected " +
                own.string());
}

}  // namespace

Result<void> pack_child_attachments(const JobFile::ChildJob& child, const std::string& archive,
                                    CommandRunner& commands) {
    const path staging = archive + ".d";
    std::error_code error;
    if (auto done = remove_tree(staging); !done) return done;
    for (const auto& attachment : child.attachments) {
        const auto source = find_attachment(attachment);
        if (!source) return fail(source.error());
        const auto target = staging / attachment.phase / attachment.name;
        std::filesystem::create_directories(target.parent_path(), error);
        std::filesystem::create_hard_link(*source, target, error);
        if (error) std::filesystem::copy_file(*source, target, error);
        if (error) return fail("cannot copy " + source->string() + ": " + error.message());
    }
    Command tar;
    tar.argv = {"tar", "-czf", archive, "-C", staging.string(), "."};
    tar.timeout = packing_time;
    tar.capture_output = true;
    const auto result = commands.run(tar);
    (void)remove_tree(staging);
    if (succeeded(result)) return {};
    return fail("cannot pack the attachments of a child job: tar: " + describe(result));
}

}  // namespace trebuchet
