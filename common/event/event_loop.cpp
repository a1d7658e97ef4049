#include "common/event/event_loop.hpp"

#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

namespace asio = boost::asio;

namespace trebuchet {

struct EventLoop::State {
    asio::io_context context{1};
    asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
};

EventLoop::EventLoop() : state_(std::make_unique<State>()) {}
EventLoop::~EventLoop() = default;

void EventLoop::post(std::function<void()> handler) {
    asio::post(state_->context, std::move(handler));
}

void EventLoop::run_until(const std::function<bool()>& done) {
    while (!done()) state_->context.run_one();
}

bool EventLoop::wait_for(std::chrono::milliseconds limit, const std::function<bool()>& done) {
    bool is_over = false;
    bool is_done = false;
    Timer timer(*this);
    timer.start(limit, [&] { is_over = true; });
    run_until([&] { return (is_done = done()) || is_over; });
    return is_done;
}

asio::io_context& EventLoop::context() {
    return state_->context;
}

struct Timer::State {
    explicit State(asio::io_context& context) : timer(context) {}
    asio::steady_timer timer;
    std::function<void()> handler;
    unsigned round = 0;  ///< distinguishes the current wait from an expired one that was stopped or restarted
};

Timer::Timer(EventLoop& loop) : state_(std::make_shared<State>(loop.context())) {}
Timer::~Timer() {
    stop();
}

void Timer::start(std::chrono::milliseconds delay, std::function<void()> handler) {
    stop();
    state_->handler = std::move(handler);
    state_->timer.expires_after(delay);
    state_->timer.async_wait([state = state_, round = state_->round](const boost::system::error_code& error) {
        if (error || round != state->round) return;
        const auto due = std::exchange(state->handler, nullptr);
        due();
    });
}

void Timer::stop() {
    ++state_->round;
    state_->handler = nullptr;
    state_->timer.cancel();
}

struct ReadWatcher::State : std::enable_shared_from_this<State> {
    State(asio::io_context& context, int fd, std::function<void()> on_readable)
        : descriptor(context, fd), handler(std::move(on_readable)) {}
    void wait() {
        descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                              [self = shared_from_this()](const boost::system::error_code& error) {
                                  if (error || !self->handler) return;
                                  self->handler();
                                  if (self->handler) self->wait();
                              });
    }
    asio::posix::stream_descriptor descriptor;
    std::function<void()> handler;
};

ReadWatcher::ReadWatcher(EventLoop& loop, int fd, std::function<void()> handler)
    : state_(std::make_shared<State>(loop.context(), fd, std::move(handler))) {
    state_->wait();
}

ReadWatcher::~ReadWatcher() {
    state_->handler = nullptr;
    static_cast<void>(state_->descriptor.release());
}

struct SignalWatcher::State : std::enable_shared_from_this<State> {
    State(asio::io_context& context, std::function<void(int)> on_signal)
        : set(context), handler(std::move(on_signal)) {}
    void wait() {
        set.async_wait([self = shared_from_this()](const boost::system::error_code& error, int signal) {
            if (error || !self->handler) return;
            self->handler(signal);
            self->wait();
        });
    }
    asio::signal_set set;
    std::function<void(int)> handler;
};

SignalWatcher::SignalWatcher(EventLoop& loop, const std::vector<int>& signals, std::function<void(int)> handler)
    : state_(std::make_shared<State>(loop.context(), std::move(handler))) {
    for (const int signal : signals) state_->set.add(signal);
    state_->wait();
}

SignalWatcher::~SignalWatcher() {
    state_->handler = nullptr;
    state_->set.cancel();
}

}  // namespace trebuchet
