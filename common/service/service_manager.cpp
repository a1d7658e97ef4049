#include "common/service/service_manager.hpp"

#include "common/base/system_text.hpp"
#include "common/base/text.hpp"
#include "common/file/safe_file.hpp"
#include "common/log/log.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

namespace trebuchet {
namespace {

constexpr std::chrono::milliseconds retry_pause{100};
constexpr std::size_t status_limit = 256;
constexpr std::size_t unsent_limit = 4096;

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

std::optional<std::int64_t> positive_number(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number <= 0) return std::nullopt;
    return number;
}

bool is_socket_name(std::string_view name) {
    return name.size() >= 2 && name.size() < sizeof(sockaddr_un::sun_path) &&
           (name.front() == '/' || name.front() == '@');
}

std::string one_line(std::string_view text) {
    auto line = to_valid_utf8(text.substr(0, status_limit + 1));
    if (line.size() > status_limit) {
        line.resize(status_limit);
        line.resize(status_limit - incomplete_utf8_tail(line));
    }
    for (char& c : line) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
    }
    return line;
}

/// Returns 0 or an errno.
int send_datagram(const std::string& socket_name, std::string_view text) {
    const FileDescriptor fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) return errno;
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    std::memcpy(where.sun_path, socket_name.data(), socket_name.size());
    if (where.sun_path[0] == '@') where.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_name.size());
    const auto sent =
        ::sendto(fd.get(), text.data(), text.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&where), size);
    return sent < 0 ? errno : 0;
}

}  // namespace

ServiceSettings ServiceSettings::from_environment() {
    ServiceSettings settings;
    settings.socket = variable("NOTIFY_SOCKET");
    if (!settings.socket.empty() && !is_socket_name(settings.socket)) {
        log_warning("NOTIFY_SOCKET is " + trebuchet::quoted(settings.socket) +
                    ", expected an absolute path or @ and a name: the service manager gets no notifications");
        settings.socket.clear();
    }
    const auto period = variable("WATCHDOG_USEC");
    const auto process = variable("WATCHDOG_PID");
    if (period.empty() || (!process.empty() && process != std::to_string(::getpid()))) return settings;
    if (const auto number = positive_number(period)) {
        settings.watchdog = std::chrono::microseconds(*number);
    } else {
        log_warning("WATCHDOG_USEC is " + trebuchet::quoted(period) +
                    ", expected a number of microseconds: the watchdog is disabled");
    }
    return settings;
}

ServiceManager::ServiceManager(EventLoop& loop, ServiceSettings settings)
    : settings_(std::move(settings)), watchdog_(loop), retry_(loop) {}

void ServiceManager::ready() {
    send("READY=1\n");
    if (settings_.socket.empty() || settings_.watchdog.count() == 0 || std::exchange(watched_, true)) return;
    feed_watchdog();
}

void ServiceManager::status(std::string_view text) {
    auto line = one_line(text);
    if (line == last_status_) return;
    send("STATUS=" + line + "\n");
    last_status_ = std::move(line);
}

void ServiceManager::reloading() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const auto time = std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
    const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
    // Type=notify-reload (systemd 253 and later) needs the time.
    send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds) + "\n");
}

void ServiceManager::stopping() {
    send("STOPPING=1\n");
}

void ServiceManager::extend_timeout(std::chrono::microseconds time) {
    send("EXTEND_TIMEOUT_USEC=" + std::to_string(time.count()) + "\n");
}

void ServiceManager::feed_watchdog() {
    send("WATCHDOG=1\n");
    const auto half = std::chrono::duration_cast<std::chrono::milliseconds>(settings_.watchdog / 2);
    watchdog_.start(std::max(half, std::chrono::milliseconds(1)), [this] { feed_watchdog(); });
}

void ServiceManager::send(const std::string& assignments) {
    if (settings_.socket.empty()) return;
    if (unsent_.size() + assignments.size() <= unsent_limit) unsent_ += assignments;
    send_unsent();
}

void ServiceManager::send_unsent() {
    const int error = send_datagram(settings_.socket, unsent_);
    if (error == EAGAIN || error == ENOBUFS) {
        retry_.start(retry_pause, [this] { send_unsent(); });
        return;
    }
    retry_.stop();
    unsent_.clear();
    if (error != 0 && !std::exchange(has_warned_, true)) {
        log_warning("cannot notify the service manager at " + trebuchet::quoted(settings_.socket) + ": " +
                    system_text(error));
    }
}

}  // namespace trebuchet
