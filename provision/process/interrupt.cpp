#include "provision/process/interrupt.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace trebuchet {
namespace {

sigset_t stop_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
    return set;
}

}  // namespace

void SignalInterrupt::block_signals() {
    const auto set = stop_signals();
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

SignalInterrupt::SignalInterrupt() {
    const auto set = stop_signals();
    signals_ = FileDescriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals_) throw std::system_error(errno, std::system_category(), "signalfd");
}

int SignalInterrupt::wait_for(std::chrono::milliseconds time) {
    using namespace std::chrono;
    const auto deadline = steady_clock::now() + time;
    while (signal_ == 0) {
        signalfd_siginfo info{};
        if (::read(signals_.get(), &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info))) {
            signal_ = static_cast<int>(info.ssi_signo);
            break;
        }
        const auto left = ceil<milliseconds>(deadline - steady_clock::now());
        if (left <= milliseconds::zero()) break;
        pollfd ready{signals_.get(), POLLIN, 0};
        ::poll(&ready, 1, static_cast<int>(std::min<milliseconds>(left, hours(1)).count()));
    }
    return signal_;
}

}  // namespace trebuchet
