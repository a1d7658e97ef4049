#include "tests/integration/harness/gate.hpp"

#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

namespace trebuchet::harness {

Gate::Gate(std::filesystem::path path) : path_(std::move(path)) {
    if (::mkfifo(path_.c_str(), 0600) != 0) throw std::runtime_error("cannot make the FIFO " + path_.string());
    // Open for reading and writing, so that what is written stays in the FIFO until it is read (fifo(7)).
    fifo_ = FileDescriptor(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
    if (!fifo_) throw std::runtime_error("cannot open the FIFO " + path_.string());
}

std::string Gate::wait_command() const {
    return "read -r go <'" + path_.string() + "'";
}

void Gate::open() {
    if (!write_all(fifo_.get(), "go\n")) throw std::runtime_error("cannot write to the FIFO " + path_.string());
}

}  // namespace trebuchet::harness
