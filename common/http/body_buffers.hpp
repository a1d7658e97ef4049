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

/// Takes an answer's bytes up to a limit, in memory or in a file. What is beyond is dropped and counts as written:
/// cpprestsdk would try for ever to write it, and can't stand an exception here. It asks `check` before it goes on.
class AnswerBuffer final : public std::streambuf {
  public:
    /// Of the request's fields: response_limit, on_overflow, overflow_limit, answer_file.
    explicit AnswerBuffer(const HttpRequest& request);
    AnswerBuffer(const AnswerBuffer&) = delete;
    AnswerBuffer& operator=(const AnswerBuffer&) = delete;
    ~AnswerBuffer() override { close(); }

    /// Creates the file, if there is to be one.
    [[nodiscard]] Result<void> open();
    /// Throws if nothing more is accepted: more came than that, or the file can't be written.
    void check() const;
    /// More came than `response_limit`.
    [[nodiscard]] bool overflowed() const { return overflowed_; }
    /// What is wrong with the file, or "".
    [[nodiscard]] std::string file_problem() const;
    /// The bytes; with a file, its first ones if `keep_file` is false, and nothing otherwise.
    [[nodiscard]] WipedString take(bool keep_file);
    /// Ends it: nothing is handed to `on_overflow` any more, and a file that was not kept is removed.
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
    std::atomic<bool> refused_{false};  ///< nothing more is accepted
    mutable std::mutex mutex_;          ///< of all that follows
    std::size_t size_ = 0;
    WipedString bytes_;
    FileDescriptor file_;
    std::string file_problem_;
    bool closed_ = false;
};

/// Reads `before`, the file and `after` as one, and knows the length of the whole.
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
