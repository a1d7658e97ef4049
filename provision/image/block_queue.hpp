#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace trebuchet {

struct Block {
    static constexpr std::size_t capacity = std::size_t{1024} * 1024;
    std::unique_ptr<char[]> data = std::make_unique<char[]>(capacity);
    std::size_t size = 0;
};

/// A bounded queue between one producer and one consumer thread, with a fixed number of reused blocks.
class BlockQueue {
  public:
    explicit BlockQueue(std::size_t blocks);

    /// Waits for an empty block. nullopt after stop().
    [[nodiscard]] std::optional<Block> take_empty();
    void push(Block block);
    /// No more blocks will be pushed.
    void finish();

    /// Waits for the next full block. nullopt after the last one and after stop().
    [[nodiscard]] std::optional<Block> pop();
    void recycle(Block block);

    /// Wakes both threads; they get no more blocks.
    void stop();

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Block> empty_;
    std::deque<Block> full_;
    bool finished_ = false;
    bool stopped_ = false;
};

}  // namespace trebuchet
