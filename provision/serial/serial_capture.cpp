#include "provision/serial/serial_capture.hpp"

#include "common/base/result.hpp"
#include "common/file/safe_file.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds connect_timeout{10'000};
/// A console that never stops talking must not hold up the end of a stage.
constexpr std::size_t max_drained = std::size_t{1024} * 1024;

struct FreeAddresses {
    void operator()(addrinfo* addresses) const { ::freeaddrinfo(addresses); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

std::string system_message(int error_number) {
    return std::system_category().message(error_number);
}

Result<Addresses> resolve(const SerialConsole& console) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(console.host.c_str(), std::to_string(console.port).c_str(), &hints, &found);
    if (error != 0) return fail(error == EAI_SYSTEM ? system_message(errno) : ::gai_strerror(error));
    return Addresses(found);
}

}  // namespace

/// Shared with the thread, because a name lookup can't be interrupted: a thread that is in one is left to itself, and
/// touches nothing but this object afterwards.
class SerialCapture::Worker {
  public:
    Worker(SerialConsole console, std::filesystem::path file, const ConnectorLog& log, milliseconds reconnect_after)
        : console_(std::move(console)),
          file_(std::move(file)),
          log_(&log),
          reconnect_after_(reconnect_after),
          stop_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
        if (!stop_) throw std::system_error(errno, std::system_category(), "eventfd");
    }

    void run() {
        do {
            if (auto done = capture(); !done && !stopped_) complain(done.error().message());
        } while (!wait(-1, 0, reconnect_after_).stop);
    }

    /// True if the thread ends at once, so that it may be joined.
    bool stop() {
        const std::scoped_lock lock(mutex_);
        stopped_ = true;
        ::eventfd_write(stop_.get(), 1);
        return !resolving_;
    }

  private:
    struct Ready {
        bool stop = false;
        bool socket = false;
    };

    /// -1 as `socket`: only for the order to stop.
    [[nodiscard]] Ready wait(int socket, short events, milliseconds time) const {
        std::array<pollfd, 2> ready{pollfd{stop_.get(), POLLIN, 0}, pollfd{socket, events, 0}};
        int count = 0;
        do {
            count = ::poll(ready.data(), ready.size(), static_cast<int>(time.count()));
        } while (count < 0 && errno == EINTR);
        return {ready[0].revents != 0, ready[1].revents != 0};
    }

    /// Connects and copies until the connection ends. No Error: we were stopped.
    [[nodiscard]] Result<void> capture() {
        auto addresses = look_up();
        if (stopped_) return {};
        if (!addresses) return fail(addresses.error().with_context("can't find " + console_.host));
        const auto socket = connect(**addresses);
        if (!socket) return fail(socket.error());
        if (!*socket) return {};
        const FileDescriptor file(
            ::open(file_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600));
        if (!file) return fail("can't write " + file_.string() + ": " + system_message(errno));
        log_->info("Connected to the serial console at " + name());
        complained_.clear();
        return copy(*socket, file);
    }

    [[nodiscard]] Result<Addresses> look_up() {
        {
            const std::scoped_lock lock(mutex_);
            resolving_ = true;
        }
        auto addresses = resolve(console_);
        const std::scoped_lock lock(mutex_);
        resolving_ = false;
        return addresses;
    }

    /// A descriptor that is not open: we were stopped.
    [[nodiscard]] Result<FileDescriptor> connect(const addrinfo& addresses) const {
        int error = 0;
        for (const auto* address = &addresses; address != nullptr; address = address->ai_next) {
            FileDescriptor socket(::socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                                           address->ai_protocol));
            if (!socket) {
                error = errno;
                continue;
            }
            const int on = 1;
            ::setsockopt(socket.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
            error = ::connect(socket.get(), address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
            if (error == EINPROGRESS) {
                const auto ready = wait(socket.get(), POLLOUT, connect_timeout);
                if (ready.stop && !ready.socket) return FileDescriptor();
                socklen_t size = sizeof(error);
                ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
                if (!ready.socket) error = ETIMEDOUT;
            }
            if (error == 0) return socket;
        }
        return fail("can't connect: " + system_message(error));
    }

    [[nodiscard]] Result<void> copy(const FileDescriptor& socket, const FileDescriptor& file) const {
        std::array<char, 16384> buffer{};
        std::size_t drained = 0;
        bool stopping = false;
        while (true) {
            const auto count = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
            if (count == 0) return fail("the connection was closed");
            if (count < 0 && errno == EINTR) continue;
            if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return fail(system_message(errno));
            if (count < 0) {
                if (stopping) return {};
                stopping = wait(socket.get(), POLLIN, milliseconds(-1)).stop;
                continue;
            }
            const auto size = static_cast<std::size_t>(count);
            if (auto done = write_all(file.get(), {buffer.data(), size}); !done) return done;
            stopping = stopping || stopped_;
            if (stopping && (drained += size) > max_drained) return {};
        }
    }

    /// Once for each trouble, not at every try.
    void complain(const std::string& trouble) {
        if (trouble == complained_) return;
        complained_ = trouble;
        log_->warning("Serial console at " + name() + ": " + trouble + "; going on without it, and trying again");
    }

    [[nodiscard]] std::string name() const { return console_.host + ":" + std::to_string(console_.port); }

    const SerialConsole console_;
    const std::filesystem::path file_;
    const ConnectorLog* log_;
    const milliseconds reconnect_after_;
    const FileDescriptor stop_;
    std::mutex mutex_;
    std::atomic<bool> stopped_ = false;
    bool resolving_ = false;
    std::string complained_;
};

SerialCapture::SerialCapture(SerialConsole console, std::filesystem::path file, const ConnectorLog& log,
                             milliseconds reconnect_after) {
    try {
        worker_ = std::make_shared<Worker>(std::move(console), std::move(file), log, reconnect_after);
        thread_ = std::thread([worker = worker_] { worker->run(); });
    } catch (const std::system_error& error) {
        log.warning(std::string("Can't capture the serial console: ") + error.what());
    }
}

SerialCapture::~SerialCapture() {
    if (!thread_.joinable()) return;
    if (worker_->stop()) {
        thread_.join();
    } else {
        thread_.detach();
    }
}

}  // namespace trebuchet
