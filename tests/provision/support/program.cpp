#include "tests/provision/support/program.hpp"

#include "common/process/environment.hpp"

#include <array>
#include <csignal>
#include <stdexcept>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace trebuchet {
namespace {

struct Pipe {
    FileDescriptor read;
    FileDescriptor write;
};

Pipe make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

/// Appends what is there; closes the pipe at its end.
void read_some(FileDescriptor& pipe, std::string& text) {
    std::array<char, 4096> buffer{};
    const auto count = ::read(pipe.get(), buffer.data(), buffer.size());
    if (count > 0) {
        text.append(buffer.data(), static_cast<std::size_t>(count));
    } else {
        pipe = FileDescriptor();
    }
}

}  // namespace

Program::Program(std::vector<std::string> argv, const std::filesystem::path& folder,
                 const std::map<std::string, std::string>& environment) {
    auto all = Environment::inherited();
    for (const auto& [name, value] : environment) all.set(name, value);
    EnvironmentBlock block(all);
    std::vector<char*> arguments;
    arguments.reserve(argv.size() + 1);
    for (auto& argument : argv) arguments.push_back(argument.data());
    arguments.push_back(nullptr);

    auto out = make_pipe();
    auto err = make_pipe();
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork");
    if (pid_ == 0) {
        ::dup2(out.write.get(), STDOUT_FILENO);
        ::dup2(err.write.get(), STDERR_FILENO);
        if (::chdir(folder.c_str()) == 0) ::execve(arguments.front(), arguments.data(), block.data());
        ::_exit(125);
    }
    out_pipe_ = std::move(out.read);
    err_pipe_ = std::move(err.read);
}

Program::~Program() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

bool Program::wait_for_output(const std::string& text) {
    while (out_.find(text) == std::string::npos) {
        if (!read_more()) return false;
    }
    return true;
}

void Program::signal(int number) const {
    ::kill(pid_, number);
}

int Program::wait() {
    while (read_more()) {
    }
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool Program::read_more() {
    if (!out_pipe_ && !err_pipe_) return false;
    std::array<pollfd, 2> ready{pollfd{out_pipe_.get(), POLLIN, 0}, pollfd{err_pipe_.get(), POLLIN, 0}};
    ::poll(ready.data(), ready.size(), -1);
    if (ready[0].revents != 0) read_some(out_pipe_, out_);
    if (ready[1].revents != 0) read_some(err_pipe_, err_);
    return true;
}

}  // namespace trebuchet
