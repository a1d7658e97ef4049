#pragma once

#include "common/mask/mask_counts.hpp"
#include "common/mask/masker.hpp"
#include "common/secret/secret_string.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace trebuchet {

/// Looks for secrets in one stream of bytes, and at what kind of bytes they are.
class ContentScanner {
  public:
    explicit ContentScanner(std::shared_ptr<const MaskSet> masks);

    void write(std::string_view bytes);
    void finish();

    /// As far as it is known; complete after finish().
    [[nodiscard]] MaskCounts found() const;
    [[nodiscard]] bool has_found() const { return !counts_->empty() || !counts_without_nul_->empty(); }
    /// Has NUL bytes, or more control characters than a terminal's output.
    [[nodiscard]] bool is_binary() const;
    /// Bytes that came out of the masker.
    [[nodiscard]] std::uint64_t masked_size() const { return masked_size_; }

  private:
    std::shared_ptr<const MaskSet> masks_;
    std::shared_ptr<MaskCounts> counts_ = std::make_shared<MaskCounts>();
    std::shared_ptr<MaskCounts> counts_without_nul_ = std::make_shared<MaskCounts>();
    Masker masker_;
    std::optional<Masker> without_nul_;  ///< from the first block with a NUL byte on
    WipedString stripped_;
    std::uint64_t size_ = 0;
    std::uint64_t masked_size_ = 0;
    std::uint64_t controls_ = 0;
};

}  // namespace trebuchet
