#pragma once

#include "common/base/result.hpp"
#include "common/file/safe_file.hpp"
#include "common/http/http_client.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <fstream>
#include <functional>
#include <mutex>
#include <streambuf>
#include <string>
#include <string_view>

namespace trebuchet {

/// Stores an answer's body up to a limit, in memory or in a file. Bytes beyond the limit are dropped but reported as
/// written, because cpprestsdk would retry a short write forever and cannot handle an exception here. It calls `check`
/// before it continues.
class AnswerBuffer final : public std::streambuf {
  public:
    /// Uses the request's response_limit, on_overflow, overflow_limit and answer_file.
    explicit AnswerBuffer(const HttpRequest& request);
    AnswerBuffer(const AnswerBuffer&) = delete;
    AnswerBuffer& operator=(const AnswerBuffer&) = delete;
    ~AnswerBuffer() override { close(); }

    /// Creates the answer file, if there is one.
    [[nodiscard]] Result<void> open();
    /// Throws if the answer is too long or the file cannot be written.
    void check() const;
    /// The answer is longer than `response_limit`.
    [[nodiscard]] bool overflowed() const { return overflowed_; }
    /// Why the file cannot be written, or "".
    [[nodiscard]] std::string file_problem() const;
    /// The stored bytes. With a file: its first bytes if `keep_file` is false, otherwise "".
    [[nodiscard]] WipedString take(bool keep_file);
    /// Stops calls of `on_overflow`, and removes a file that was not kept.
    void close();

  protected:
    std::streamsize xsputn(const char* data, std::streamsize count) override;
    int_type overflow(int_type byte) override;

  private:
    void accept(std::string_view bytes);

    std::size_t limit_;
    std::size_t overflow_limit_;
    std::function<void(std::string_view)> on_overflow_;
    std::filesystem::path path_;
    std::atomic<bool> overflowed_{false};
    std::atomic<bool> refused_{false};  ///< check() throws
    mutable std::mutex mutex_;          ///< guards the members below
    std::size_t size_ = 0;
    WipedString bytes_;
    FileDescriptor file_;
    std::string file_problem_;
    bool closed_ = false;
};

/// Reads `before`, the file and `after` as one stream of known length.
class FileBodyBuffer final : public std::streambuf {
  public:
    explicit FileBodyBuffer(FileBody body);
    [[nodiscard]] bool ready() const { return ready_; }
    [[nodiscard]] std::size_t length() const { return length_; }

  protected:
    int_type underflow() override;

  private:
    void read_from(char* data, std::size_t size) { setg(data, data, data + size); }

    FileBody body_;
    std::ifstream file_;
    std::array<char, 65536> chunk_{};
    std::size_t length_ = 0;
    bool ready_ = false;
    bool at_end_ = false;
};

}  // namespace trebuchet
