#include "provision/image/image_writer.hpp"

#include "common/file/safe_file.hpp"
#include "provision/image/block_queue.hpp"
#include "provision/image/image_content.hpp"
#include "provision/image/image_decoder.hpp"
#include "provision/image/image_progress.hpp"

#include <atomic>
#include <csignal>
#include <thread>
#include <utility>

#include <pthread.h>

// How an image is written:
//
//  1. The reader thread reads the source, decompresses it, hashes the compressed bytes for the checksum, and fills
//     blocks of 1 MiB. A target with zstdcat (`takes_compressed`) gets zstd, gzip and xz unchanged, except with
//     `verify`, which needs a digest of the decompressed bytes. It looks at the first bytes first, and refuses what is
//     no image before a byte is written.
//  2. The writer thread writes the blocks to the target. If there are no empty blocks, the reader waits; if there are
//     no full ones, the writer waits. With 8 blocks, memory use is bounded.
//  3. The calling thread polls every 50 ms: done, stop signal, timeout, progress.
//  4. It ends both sides from the outside first: stop the source (or ask it for its result if its stream has ended) and
//     finish the target. Only then does it join the threads, because a thread blocked in read or write wakes up only
//     when its descriptor is closed at the other end.
//  5. It reports the first cause that applies: stop signal, timeout, incomplete source, read error, image too large,
//     target's error, write error, checksum. Otherwise success, after reading the target back with `verify`.
//
// Example: the card is full. `dd` on the control host exits with "No space left on device", and our next write fails
// with EPIPE. The writer stops the queue, which ends the reader. Step 4 gives dd 2 s to exit, and step 5 reports dd's
// message instead of "broken pipe". It is final, because a retry would fill the same card again.
namespace trebuchet {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t blocks = 8;
constexpr auto tick = 50ms;
/// Time for a target that closed its pipe to report its error.
constexpr auto target_error_timeout = 2s;

/// The reader and the writer thread, and their results.
class Pipeline {
  public:
    Pipeline(ImageSource& source, ImageTarget& target, const ImageOptions& options, const ConnectorLog& log)
        : source_(&source),
          target_(&target),
          options_(&options),
          log_(&log),
          decompress_(!target.takes_compressed || options.verify),
          written_digest_(options.verify ? std::optional(Digest(DigestKind::sha256)) : std::nullopt) {}
    Pipeline(const Pipeline&) = delete;
    Pipeline& operator=(const Pipeline&) = delete;
    ~Pipeline() { stop(); }

    void start() {
        reader_ = std::thread([this] { run(&Pipeline::read); });
        writer_ = std::thread([this] { run(&Pipeline::write); });
    }
    /// Joins the threads. Stop the source and finish the target first, or this may block.
    void stop() {
        stopping_ = true;
        queue_.stop();
        if (reader_.joinable()) reader_.join();
        if (writer_.joinable()) writer_.join();
    }

    [[nodiscard]] bool is_done() const { return running_ == 0 || failed_; }
    [[nodiscard]] std::uint64_t bytes_read() const { return read_; }
    [[nodiscard]] std::uint64_t bytes_written() const { return written_; }
    /// The source's stream is at its end; the image may be incomplete.
    [[nodiscard]] bool source_ended() const { return source_ended_; }
    /// All bytes were written, and the target is closed or being closed.
    [[nodiscard]] bool target_closed() const { return target_closed_; }

    // Valid after stop():
    [[nodiscard]] const std::optional<Error>& read_error() const { return read_error_; }
    [[nodiscard]] const std::optional<Error>& write_error() const { return write_error_; }
    [[nodiscard]] const std::string& source_digest() const { return source_digest_; }
    [[nodiscard]] std::string written_digest() { return written_digest_->hex(); }

  private:
    void run(Result<void> (Pipeline::*work)()) {
        // Makes a write to a closed pipe fail with EPIPE instead of killing the process.
        sigset_t pipe;
        sigemptyset(&pipe);
        sigaddset(&pipe, SIGPIPE);
        ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
        if (auto done = (this->*work)(); !done) {
            (work == &Pipeline::read ? read_error_ : write_error_) = done.error();
            failed_ = true;
            queue_.stop();
        }
        --running_;
    }

    Result<void> read() {
        ImageDecoder::Options how;
        if (options_->checksum) how.digest = options_->checksum->kind;
        how.decompress = decompress_;
        auto decoder = ImageDecoder::open(source_->fd(), how);
        if (!decoder) return fail(decoder.error());
        auto done = inspect(*decoder);
        if (done) done = decode(*decoder);
        source_ended_ = decoder->source_ended();
        return done;
    }

    Result<void> inspect(const ImageDecoder& decoder) const {
        const auto content = inspect_image(decoder.start());
        if (!content.warning.empty()) log_->warning(source_->name + ": " + content.warning);
        if (content.refusal.empty()) return {};
        return fail(
            Error("cannot write " + source_->name + ": it is " + content.refusal + "; expected an image", true));
    }

    Result<void> decode(ImageDecoder& decoder) {
        if (auto fits = check_size(decoder); !fits) return fits;
        while (auto block = queue_.take_empty()) {
            const auto count = decoder.read(block->data.get(), Block::capacity);
            read_ = decoder.bytes_read();
            if (!count) return fail(count.error());
            block->size = *count;
            const bool is_last = *count < Block::capacity;
            queue_.push(std::move(*block));
            if (!is_last) continue;
            auto digest = decoder.finish();
            if (!digest) return fail(digest.error());
            source_digest_ = std::move(*digest);
            read_ = decoder.bytes_read();
            queue_.finish();
            return {};
        }
        return {};
    }

    Result<void> check_size(const ImageDecoder& decoder) const {
        auto size = decoder.known_size();
        if (decoder.compression() == Compression::none) size = source_->size;
        if (!size || !target_->capacity || *size <= *target_->capacity) return {};
        return too_large("has " + format_size(static_cast<double>(*size)));
    }

    [[nodiscard]] tl::unexpected<Error> too_large(const std::string& what) const {
        return fail(Error("the image " + what + ", but " + target_->name + " has only " +
                              format_size(static_cast<double>(*target_->capacity)),
                          true));
    }

    Result<void> write() {
        while (auto block = queue_.pop()) {
            if (target_->capacity && written_ + block->size > *target_->capacity) return too_large("is larger");
            if (auto done = write_all(target_->fd(), {block->data.get(), block->size}); !done) {
                return fail("cannot write " + target_->name + ": " + done.error().message());
            }
            if (written_digest_) written_digest_->update(block->data.get(), block->size);
            written_ += block->size;
            queue_.recycle(std::move(*block));
        }
        if (failed_ || stopping_) return {};
        target_closed_ = true;
        return target_->close();
    }

    ImageSource* source_;
    ImageTarget* target_;
    const ImageOptions* options_;
    const ConnectorLog* log_;
    bool decompress_;
    BlockQueue queue_{blocks};
    std::optional<Digest> written_digest_;
    std::string source_digest_;
    std::atomic<std::uint64_t> read_ = 0;
    std::atomic<std::uint64_t> written_ = 0;
    std::atomic<int> running_ = 2;
    std::atomic<bool> failed_ = false;
    std::atomic<bool> target_closed_ = false;
    std::atomic<bool> stopping_ = false;
    std::atomic<bool> source_ended_ = false;
    std::optional<Error> read_error_;
    std::optional<Error> write_error_;
    std::thread reader_;
    std::thread writer_;
};

using Written = tl::expected<std::uint64_t, ImageError>;

tl::unexpected<ImageError> image_error(std::string message, int signal = 0, bool is_final = false) {
    return tl::unexpected(ImageError{std::move(message), signal, is_final});
}

Written read_back(Pipeline& pipeline, ImageTarget& target, const ImageTools& tools) {
    tools.log.info("Verifying: reading " + target.name + " back");
    const auto digest = target.read_back(pipeline.bytes_written(), [&] { return tools.interrupt.wait_for(0ms) == 0; });
    if (const int signal = tools.interrupt.wait_for(0ms); signal != 0) return image_error("stopped", signal);
    if (!digest) return image_error("cannot read " + target.name + " back: " + digest.error().message());
    if (*digest != pipeline.written_digest()) {
        return image_error(
            "the content of " + target.name + " differs from what was written: the card is worn out or counterfeit", 0,
            true);
    }
    return pipeline.bytes_written();
}

}  // namespace

Written write_image(ImageSource& source, ImageTarget& target, const ImageOptions& options, const ImageTools& tools) {
    tools.log.info("Writing " + source.name + " to " + target.name);
    ImageProgress progress(source.size, tools.log, tools.clock, tools.terminal);
    const auto deadline = tools.clock.now() + options.timeout;
    Pipeline pipeline(source, target, options, tools.log);
    pipeline.start();

    int signal = 0;
    bool timed_out = false;
    bool is_done = false;
    while (!is_done && signal == 0 && !timed_out) {
        is_done = pipeline.is_done() && (!pipeline.target_closed() || target.wait_for(0ms));
        if (is_done) break;
        signal = tools.interrupt.wait_for(tick);
        timed_out = tools.clock.now() >= deadline;
        progress.update(pipeline.bytes_read(), pipeline.bytes_written());
    }
    Result<void> complete;
    if (signal == 0 && pipeline.source_ended()) {
        complete = source.finish();
    } else {
        source.stop();
    }
    // If the target closed its pipe, its own error says more than our EPIPE.
    if (is_done && !pipeline.target_closed()) (void)target.wait_for(target_error_timeout);
    const auto arrived = target.finish();
    pipeline.stop();
    progress.clear();

    if (signal != 0) return image_error("stopped", signal);
    if (timed_out) {
        return image_error("writing " + source.name + " to " + target.name + " took longer than " +
                           std::to_string(std::chrono::ceil<std::chrono::seconds>(options.timeout).count()) + " s; " +
                           format_size(static_cast<double>(pipeline.bytes_written())) + " were written");
    }
    if (!complete) return image_error(complete.error().message(), 0, complete.error().is_final());
    if (const auto& error = pipeline.read_error()) {
        return image_error(error->message(), 0, error->is_final() || !source.may_differ);
    }
    if (pipeline.write_error() && pipeline.write_error()->is_final()) {
        return image_error(pipeline.write_error()->message(), 0, true);
    }
    if (!arrived) {
        const auto& message = arrived.error().message();
        const auto says = [&](const char* text) { return message.find(text) != std::string::npos; };
        return image_error(message, 0, says("No space left on device") || (says("/*stdin*\\") && !source.may_differ));
    }
    if (const auto& error = pipeline.write_error()) return image_error(error->message());
    if (options.checksum && pipeline.source_digest() != options.checksum->hex) {
        auto error = image_error("the checksum of " + source.name + " is " + pipeline.source_digest() + ", expected " +
                                     options.checksum->hex,
                                 0, !source.may_differ);
        error.value().wrong_checksum = pipeline.source_digest();
        return error;
    }
    progress.finish(pipeline.bytes_written());
    return options.verify ? read_back(pipeline, target, tools) : Written(pipeline.bytes_written());
}

}  // namespace trebuchet
