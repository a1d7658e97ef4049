#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet::bench {

/// Hyperscan alone, with the values as literals, in block mode. The masker's speed is compared with it.
class RawHyperscan {
  public:
    explicit RawHyperscan(const std::vector<std::string>& values);
    ~RawHyperscan();
    RawHyperscan(const RawHyperscan&) = delete;
    RawHyperscan& operator=(const RawHyperscan&) = delete;

    /// Returns the number of matches.
    [[nodiscard]] std::size_t scan(std::string_view text) const;

  private:
    struct Compiled;
    std::unique_ptr<const Compiled> compiled_;
};

}  // namespace trebuchet::bench
