#pragma once

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>

#include <stdlib.h>
#include <sys/stat.h>

namespace trebuchet {

/// A folder of the test's own, removed with all that is in it.
class TemporaryFolder {
  public:
    TemporaryFolder() {
        auto name = (std::filesystem::temp_directory_path() / "provision-test-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("can't make a temporary folder");
        path_ = name;
    }
    ~TemporaryFolder() {
        std::error_code error;
        std::filesystem::remove_all(path_, error);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] std::filesystem::path operator/(const char* name) const { return path_ / name; }

    void write(const char* name, std::string_view text) const { std::ofstream(path_ / name, std::ios::binary) << text; }
    void write_program(const char* name, std::string_view text) const {
        write(name, text);
        std::filesystem::permissions(path_ / name, std::filesystem::perms::owner_all);
    }
    void make_fifo(const char* name) const {
        if (::mkfifo((path_ / name).c_str(), 0600) != 0) throw std::runtime_error("can't make a FIFO");
    }
    /// "" if there is no such file.
    [[nodiscard]] std::string read(const char* name) const {
        std::ifstream file(path_ / name, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    }

  private:
    std::filesystem::path path_;
};

}  // namespace trebuchet
