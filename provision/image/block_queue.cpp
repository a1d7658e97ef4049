#include "provision/image/block_queue.hpp"

#include <utility>

namespace trebuchet {

BlockQueue::BlockQueue(std::size_t blocks) : empty_(blocks) {}

std::optional<Block> BlockQueue::take_empty() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopped_ || !empty_.empty(); });
    if (stopped_) return std::nullopt;
    auto block = std::move(empty_.back());
    empty_.pop_back();
    return block;
}

void BlockQueue::push(Block block) {
    const std::lock_guard lock(mutex_);
    full_.push_back(std::move(block));
    changed_.notify_all();
}

void BlockQueue::finish() {
    const std::lock_guard lock(mutex_);
    finished_ = true;
    changed_.notify_all();
}

std::optional<Block> BlockQueue::pop() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopped_ || finished_ || !full_.empty(); });
    if (stopped_ || full_.empty()) return std::nullopt;
    auto block = std::move(full_.front());
    full_.pop_front();
    return block;
}

void BlockQueue::recycle(Block block) {
    const std::lock_guard lock(mutex_);
    empty_.push_back(std::move(block));
    changed_.notify_all();
}

void BlockQueue::stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
}

}  // namespace trebuchet
