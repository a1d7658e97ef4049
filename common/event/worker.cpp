#include "common/event/worker.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace trebuchet {

struct Worker::State {
    struct Piece {
        std::function<void()> work;
        std::function<void()> done;
    };

    explicit State(EventLoop& its_loop) : loop(its_loop) {}

    static void do_all(const std::shared_ptr<State>& self) {
        while (true) {
            Piece piece;
            {
                std::unique_lock lock(self->mutex);
                self->changed.wait(lock, [&] { return self->ended || !self->pieces.empty(); });
                if (self->ended) return;
                piece = std::move(self->pieces.front());
                self->pieces.pop_front();
            }
            do_piece(self, std::move(piece));
        }
    }

    static void do_piece(const std::shared_ptr<State>& self, Piece piece) {
        piece.work();
        piece.work = nullptr;
        self->loop.post([weak = std::weak_ptr(self), done = std::move(piece.done)] {
            const auto state = weak.lock();
            if (state && !state->ended) done();
        });
    }

    /// Runs the waiting tasks on the loop's thread: no thread could be started, because the process table is full.
    static void do_here(const std::shared_ptr<State>& self) {
        while (!self->pieces.empty()) {
            Piece piece = std::move(self->pieces.front());
            self->pieces.pop_front();
            do_piece(self, std::move(piece));
        }
    }

    EventLoop& loop;
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<Piece> pieces;
    std::atomic<bool> ended{false};
    std::thread thread;
};

Worker::Worker(EventLoop& loop) : state_(std::make_shared<State>(loop)) {}

Worker::~Worker() {
    {
        const std::lock_guard lock(state_->mutex);
        state_->ended = true;
    }
    state_->changed.notify_one();
    if (state_->thread.joinable()) state_->thread.join();
}

void Worker::run(std::function<void()> work, std::function<void()> done) {
    {
        const std::lock_guard lock(state_->mutex);
        state_->pieces.push_back({std::move(work), std::move(done)});
    }
    state_->changed.notify_one();
    if (state_->thread.joinable()) return;
    try {
        state_->thread = std::thread([state = state_] { State::do_all(state); });
    } catch (const std::system_error&) {
        State::do_here(state_);
    }
}

}  // namespace trebuchet
