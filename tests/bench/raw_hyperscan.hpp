#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet::bench {

/// Hyperscan by itself over whole literals, in block mode: what the masker's speed is compared with.
class RawHyperscan {
  public:
    explicit RawHyperscan(const std::vector<std::string>& values);
    ~RawHyperscan();
    RawHyperscan(const RawHyperscan&) = delete;
    RawHyperscan& operator=(const RawHyperscan&) = delete;

    /// Returns how many matches there were.
    [[nodiscard]] std::size_t scan(std::string_view text) const;

  private:
    struct Compiled;
    std::unique_ptr<const Compiled> compiled_;
};

}  // namespace trebuchet::bench
