#include "common/http/body_buffers.hpp"

#include <algorithm>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace trebuchet {
namespace {

/// Bytes to keep of a body that does not go to its file, because the answer is an error.
constexpr std::size_t refusal_limit = 64U << 10U;

}  // namespace

AnswerBuffer::AnswerBuffer(const HttpRequest& request)
    : limit_(request.response_limit),
      overflow_limit_(request.on_overflow ? request.overflow_limit : 0),
      on_overflow_(request.on_overflow),
      path_(request.answer_file.value_or(std::filesystem::path())) {}

Result<void> AnswerBuffer::open() {
    if (path_.empty()) return {};
    auto file = create_new_file(path_);
    if (!file) return fail(file.error());
    const std::lock_guard lock(mutex_);
    file_ = std::move(*file);
    return {};
}

void AnswerBuffer::check() const {
    if (refused_) throw std::length_error("the answer is longer than accepted");
}

std::string AnswerBuffer::file_problem() const {
    const std::lock_guard lock(mutex_);
    return file_problem_;
}

WipedString AnswerBuffer::take(bool keep_file) {
    const std::lock_guard lock(mutex_);
    if (file_ && keep_file) {
        path_.clear();
        bytes_.clear();
    }
    return std::move(bytes_);
}

void AnswerBuffer::close() {
    refused_ = true;
    const std::lock_guard lock(mutex_);
    closed_ = true;
    if (!file_) return;
    file_ = FileDescriptor();
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove(path_, ignored);
}

std::streamsize AnswerBuffer::xsputn(const char* data, std::streamsize count) {
    if (count < 0) {  // cpprestsdk accepts a chunk size of "-1"
        overflowed_ = true;
        refused_ = true;
        return 0;
    }
    accept({data, static_cast<std::size_t>(count)});
    return count;
}

AnswerBuffer::int_type AnswerBuffer::overflow(int_type byte) {
    const char one = traits_type::to_char_type(byte);
    return xsputn(&one, 1) == 1 ? byte : traits_type::eof();
}

void AnswerBuffer::accept(std::string_view bytes) {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    const auto kept = bytes.substr(0, limit_ - std::min(limit_, size_));
    const auto beyond = bytes.substr(kept.size());
    if (file_) {
        if (auto done = write_all(file_.get(), kept); !done && file_problem_.empty()) {
            file_problem_ = "cannot write " + path_.string() + ": " + done.error().message();
            refused_ = true;
        }
    }
    bytes_.append(file_ ? kept.substr(0, refusal_limit - std::min(refusal_limit, bytes_.size())) : kept);
    size_ += bytes.size();
    if (beyond.empty()) return;
    if (!overflowed_.exchange(true) && on_overflow_) on_overflow_(bytes_);
    const auto handed_out = size_ - bytes.size() - std::min(limit_, size_ - bytes.size());
    const auto piece = beyond.substr(0, overflow_limit_ - std::min(overflow_limit_, handed_out));
    if (piece.size() < beyond.size()) refused_ = true;
    if (!piece.empty()) on_overflow_(piece);
}

FileBodyBuffer::FileBodyBuffer(FileBody body) : body_(std::move(body)), file_(body_.file, std::ios::binary) {
    std::error_code error;
    const auto size = std::filesystem::file_size(body_.file, error);
    ready_ = file_.is_open() && !error;
    if (ready_) length_ = body_.before.size() + size + body_.after.size();
    read_from(body_.before.data(), body_.before.size());
}

FileBodyBuffer::int_type FileBodyBuffer::underflow() {
    if (gptr() < egptr()) return traits_type::to_int_type(*gptr());
    if (file_.read(chunk_.data(), static_cast<std::streamsize>(chunk_.size())) || file_.gcount() > 0) {
        read_from(chunk_.data(), static_cast<std::size_t>(file_.gcount()));
    } else if (!std::exchange(at_end_, true) && !body_.after.empty()) {
        read_from(body_.after.data(), body_.after.size());
    } else {
        return traits_type::eof();
    }
    return traits_type::to_int_type(*gptr());
}

}  // namespace trebuchet
