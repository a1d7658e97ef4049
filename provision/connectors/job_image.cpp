#include "provision/connectors/job_image.hpp"

#include "common/base/backoff.hpp"
#include "provision/log/tries_left.hpp"
#include "provision/process/curl_config.hpp"

#include <utility>

#include <unistd.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

constexpr int tries = 3;

Result<std::string> sha256_of(const std::filesystem::path& file, StageContext& context) {
    Command command;
    command.argv = {"sha256sum", "-b", "--", file.string()};
    command.capture_output = true;
    const auto result = context.commands.run(command);
    if (!succeeded(result)) return fail("cannot read the image " + file.string() + ": " + describe(result));
    return result.output.substr(0, result.output.find(' '));
}

}  // namespace

std::vector<KeySpec> JobImage::keys() {
    return {
        {"url", KeyKind::text, "", "URL of the image: raw, zstd, xz, gzip, bzip2 or zip", false, true},
        {"use_attachment", KeyKind::text, "", "image among the job's attachments, instead of url"},
        {"checksum", KeyKind::text, "", "SHA-256 or SHA-512 of the file (before decompression), in hex"},
        {"verify", KeyKind::flag, "false", "read the written image back and compare"},
    };
}

Result<JobImage> JobImage::of(const JobFile& job) {
    const auto attachment = job.provision_text("use_attachment");
    if (!attachment) return fail(attachment.error());
    auto url = job.provision_secret("url");
    if (!url) return fail(url.error());
    auto checksum = job.provision_text("checksum");
    if (!checksum) return fail(checksum.error());
    const auto verify = job.provision_flag("verify", false);
    if (!verify) return fail(verify.error());
    if (attachment->has_value() == url->has_value()) {
        return fail("provision_data: expected either url or use_attachment");
    }
    JobImage image;
    image.checksum_ = std::move(*checksum);
    image.verify_ = *verify;
    if (*attachment) {
        const auto path = attachment_path(**attachment);
        if (!path) return fail(path.error());
        image.attachment_ = *path;
        image.name_ = path->string();
    } else {
        image.url_ = std::move(**url);
        image.name_ = redacted_url(image.url_.reveal());
    }
    return image;
}

Result<std::optional<std::string>> JobImage::identity(StageContext& context) const {
    if (checksum_) {
        const auto parsed = parse_checksum(*checksum_, std::filesystem::path(name_).filename().string());
        if (!parsed) return fail(parsed.error());
        return std::optional(parsed->hex);
    }
    if (attachment_.empty()) return std::optional<std::string>();
    return sha256_of(attachment_, context).map([](std::string sum) { return std::optional(std::move(sum)); });
}

tl::expected<void, ImageError> JobImage::write(const OpenTarget& open_target, StageContext& context,
                                               std::chrono::milliseconds timeout) const {
    const auto deadline = context.clock.now() + timeout;
    Backoff backoff(5s, 30s, context.jitter);
    for (int left = tries;; --left) {
        const auto now = context.clock.now();
        const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - now);
        auto done = write_once(open_target, context, rest);
        if (done || left == 1 || context.clock.now() >= deadline || done.error().is_final || done.error().signal != 0)
            return done;
        context.log.warning("Writing the image failed: " + done.error().message + "; retrying, " +
                            tries_left(left - 1));
        if (const int signal = context.interrupt.wait_for(backoff.next()); signal != 0) {
            return tl::unexpected(ImageError{"stopped by a signal", signal, false});
        }
    }
}

tl::expected<void, ImageError> JobImage::write_once(const OpenTarget& open_target, StageContext& context,
                                                    std::chrono::milliseconds timeout) const {
    const auto failed = [](const Error& error) { return tl::unexpected(ImageError{error.message(), 0, false}); };
    auto source = attachment_.empty() ? open_image_url(url_, context.commands) : open_image_file(attachment_);
    if (!source) return tl::unexpected(ImageError{source.error().message(), 0, is_attached()});
    ImageOptions options;
    options.verify = verify_;
    options.timeout = timeout;
    if (checksum_) {
        const auto parsed = parse_checksum(*checksum_, (*source)->file_name);
        if (!parsed) return tl::unexpected(ImageError{parsed.error().message(), 0, true});
        options.checksum = *parsed;
    }
    const auto target = open_target();
    if (!target) return failed(target.error());
    const int terminal = ::isatty(STDERR_FILENO) == 1 ? STDERR_FILENO : -1;
    const auto written =
        write_image(**source, **target, options, {context.log, context.interrupt, context.clock, terminal});
    if (!written) return tl::unexpected(written.error());
    return {};
}

}  // namespace trebuchet
