#include "provision/connectors/job_image.hpp"

#include "common/base/backoff.hpp"
#include "common/base/text.hpp"
#include "provision/log/tries_left.hpp"
#include "provision/process/curl_config.hpp"

#include <algorithm>
#include <string_view>
#include <system_error>
#include <utility>

#include <unistd.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

constexpr int tries = 3;

/// Of a list of checksums.
constexpr std::size_t max_checksums = std::size_t{1024} * 1024;

bool is_url(std::string_view text) {
    return text.find("://") != std::string_view::npos;
}

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
        {"url", KeyKind::text, "",
         "URL of the image: raw, zstd, xz, gzip, bzip2 or zip. A fragment has the checksum: #sha256=…&verify", false,
         true},
        {"use_attachment", KeyKind::text, "", "image among the job's attachments, instead of url"},
        {"checksum", KeyKind::text, "",
         "SHA-256 or SHA-512 of the file (before decompression), or the URL of a SHA256SUMS file"},
        {"verify", KeyKind::flag, "false", "read the written image back and compare"},
    };
}

std::vector<KeySpec> JobImage::config_keys() {
    return {
        {"image_checksum", KeyKind::text, "",
         "for jobs without a checksum: name of the list beside the image, such as SHA256SUMS, or its URL"},
        {"image_verify", KeyKind::flag, "false", "read every written image back and compare"},
    };
}

Result<JobImage> JobImage::of(const JobFile& job, const ConnectorConfig& config) {
    const auto attachment = job.provision_text("use_attachment");
    if (!attachment) return fail(attachment.error());
    auto url = job.provision_secret("url");
    if (!url) return fail(url.error());
    auto checksum = job.provision_text("checksum");
    if (!checksum) return fail(checksum.error());
    const auto verify = job.provision_flag("verify", false);
    if (!verify) return fail(verify.error());
    if (attachment->has_value() == url->has_value()) {
        return fail(url->has_value()
                        ? "provision_data: found url and use_attachment, expected one of them"
                        : "In the \"provision_data\" section of your job_data you must provide a value for "
                          "\"url\" or for \"use_attachment\"");
    }
    JobImage image;
    image.verify_ = *verify;
    if (*attachment) {
        const auto path = attachment_path(**attachment);
        if (!path) return fail(path.error());
        std::error_code error;
        if (!std::filesystem::exists(*path, error)) {
            return fail(
                "In the \"provision_data\" section of your job_data you have provided a value for "
                "\"use_attachment\" but that attachment doesn't exist: " +
                **attachment);
        }
        image.attachment_ = *path;
        image.name_ = path->string();
        image.file_name_ = path->filename().string();
    } else {
        image.url_ = std::move(**url);
        if (auto done = image.take_fragment(); !done) return fail(done.error());
        image.name_ = redacted_url(image.url_.reveal());
        const auto path = image.name_.substr(0, image.name_.find('?'));
        image.file_name_ = path.substr(path.rfind('/') + 1);
    }
    if (*checksum) image.checksum_ = std::move(**checksum);
    const auto scalar = [&](const char* key) {
        const auto found = config.scalars.find(key);
        return found == config.scalars.end() ? std::string() : found->second;
    };
    if (scalar("image_verify") == "true") image.verify_ = true;
    if (const auto given = scalar("image_checksum"); !image.checksum_ && !given.empty()) {
        const bool is_name = !is_url(given) && !parse_checksum(given, image.file_name_);
        if (!is_name) {
            image.checksum_ = given;
        } else if (image.attachment_.empty()) {
            const WipedString whole(image.url_.reveal());
            const auto path = std::string_view(whole).substr(0, whole.find_first_of("?#"));
            image.checksum_ = std::string(path.substr(0, path.rfind('/') + 1)) + given;
        }
    }
    if (image.checksum_ && !is_url(*image.checksum_)) {
        const auto parsed = parse_checksum(*image.checksum_, image.file_name_);
        if (!parsed) return fail(parsed.error());
    }
    return image;
}

Result<void> JobImage::take_fragment() {
    const WipedString whole(url_.reveal());
    const auto begin = whole.find('#');
    if (begin == WipedString::npos) return {};
    std::string_view rest = std::string_view(whole).substr(begin + 1);
    while (!rest.empty()) {
        const auto part = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(part.size() + 1, rest.size()));
        if (part == "verify") {
            verify_ = true;
        } else if (part.starts_with("sha256=") || part.starts_with("sha512=")) {
            checksum_ = std::string(part);
        } else if (part.starts_with("checksum=")) {
            checksum_ = std::string(part.substr(9));
        } else if (part.find('=') != std::string_view::npos) {
            // A checksum that is misspelt would go unnoticed.
            return fail("provision_data.url: found the fragment " +
                        trebuchet::quoted(part.substr(0, part.find('=') + 1)) +
                        ", expected #sha256=…, #sha512=…, #checksum=… or #verify");
        }
    }
    url_ = SecretString(std::string_view(whole).substr(0, begin));
    return {};
}

Result<std::optional<Checksum>> JobImage::checksum(CommandRunner& commands) const {
    if (!checksum_) return std::optional<Checksum>();
    std::string text = *checksum_;
    if (is_url(text)) {
        auto list = download_text(text, max_checksums, commands);
        if (!list) return fail(list.error());
        text = std::move(*list);
    }
    auto parsed = parse_checksum(text, file_name_);
    if (!parsed) return fail(parsed.error());
    return std::optional(std::move(*parsed));
}

Result<std::optional<std::string>> JobImage::identity(StageContext& context) const {
    if (checksum_) {
        const auto parsed = checksum(context.commands);
        if (!parsed) return fail(parsed.error());
        return std::optional((*parsed)->hex);
    }
    if (attachment_.empty()) return std::optional<std::string>();
    return sha256_of(attachment_, context).map([](std::string sum) { return std::optional(std::move(sum)); });
}

tl::expected<void, ImageError> JobImage::write(const OpenTarget& open_target, StageContext& context,
                                               std::chrono::milliseconds timeout) const {
    const auto deadline = context.clock.now() + timeout;
    Backoff backoff(5s, 30s, context.jitter);
    std::string wrong_checksum;
    std::optional<Checksum> expected;
    for (int left = tries;; --left) {
        const auto now = context.clock.now();
        const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - now);
        auto done = write_once(open_target, context, rest, expected);
        if (done || left == 1 || context.clock.now() >= deadline || done.error().is_final || done.error().signal != 0)
            return done;
        // The same bytes twice: it is the checksum that is wrong.
        if (!wrong_checksum.empty() && wrong_checksum == done.error().wrong_checksum) return done;
        wrong_checksum = done.error().wrong_checksum;
        context.log.warning("Writing the image failed: " + done.error().message + "; retrying, " +
                            tries_left(left - 1));
        if (const int signal = context.interrupt.wait_for(backoff.next()); signal != 0) {
            return tl::unexpected(ImageError{"stopped by a signal", signal, false});
        }
    }
}

tl::expected<void, ImageError> JobImage::write_once(const OpenTarget& open_target, StageContext& context,
                                                    std::chrono::milliseconds timeout,
                                                    std::optional<Checksum>& expected) const {
    const auto failed = [](const Error& error) { return tl::unexpected(ImageError{error.message(), 0, false}); };
    if (!expected) {
        auto found = checksum(context.commands);
        if (!found) return failed(found.error());
        expected = std::move(*found);
    }
    auto source = attachment_.empty() ? open_image_url(url_, context.commands) : open_image_file(attachment_);
    if (!source) return tl::unexpected(ImageError{source.error().message(), 0, is_attached()});
    ImageOptions options;
    options.verify = verify_;
    options.timeout = timeout;
    options.checksum = expected;
    const auto target = open_target();
    if (!target) return failed(target.error());
    const int terminal = ::isatty(STDERR_FILENO) == 1 ? STDERR_FILENO : -1;
    const auto written =
        write_image(**source, **target, options, {context.log, context.interrupt, context.clock, terminal});
    if (!written) return tl::unexpected(written.error());
    return {};
}

}  // namespace trebuchet
