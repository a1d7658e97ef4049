#pragma once

#include "common/file/safe_file.hpp"

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

namespace trebuchet {

/// Runs a program under test with its output in pipes. The destructor kills and reaps it if it still runs.
class Program {
  public:
    /// `environment` is added to the test's own.
    Program(std::vector<std::string> argv, const std::filesystem::path& folder,
            const std::map<std::string, std::string>& environment = {});
    ~Program();
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    /// Reads until stdout contains `text`; false if the program ended without it.
    bool wait_for_output(const std::string& text);
    void signal(int number) const;
    /// Reads all output and returns the exit code, or 1000 + signal if a signal killed the program.
    int wait();

    [[nodiscard]] const std::string& out() const { return out_; }
    [[nodiscard]] const std::string& err() const { return err_; }

  private:
    /// Waits for more output; false at the end of both streams.
    bool read_more();

    pid_t pid_ = -1;
    FileDescriptor out_pipe_;
    FileDescriptor err_pipe_;
    std::string out_;
    std::string err_;
};

}  // namespace trebuchet
