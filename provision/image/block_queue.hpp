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

/// A fixed number of blocks that go round between a thread that fills them and one that uses them up.
class BlockQueue {
  public:
    explicit BlockQueue(std::size_t blocks);

    /// An empty block, as soon as there is one; nothing after stop().
    [[nodiscard]] std::optional<Block> empty();
    void push(Block block);
    /// No more blocks will be pushed.
    void finish();

    /// The next full block; nothing after the last one, and after stop().
    [[nodiscard]] std::optional<Block> pop();
    void give_back(Block block);

    /// Both sides end.
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
