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

/// Searches a stream of bytes for secrets, and detects whether it is text or binary.
class ContentScanner {
  public:
    explicit ContentScanner(std::shared_ptr<const MaskSet> masks);

    void write(std::string_view bytes);
    void finish();

    /// The secrets found so far; complete after finish().
    [[nodiscard]] MaskCounts found() const;
    [[nodiscard]] bool has_found() const { return !counts_->empty() || !counts_without_nul_->empty(); }
    /// True if there are NUL bytes, or more control characters than in terminal output.
    [[nodiscard]] bool is_binary() const;
    /// Size of the masked bytes.
    [[nodiscard]] std::uint64_t masked_size() const { return masked_size_; }

  private:
    std::shared_ptr<const MaskSet> masks_;
    std::shared_ptr<MaskCounts> counts_ = std::make_shared<MaskCounts>();
    std::shared_ptr<MaskCounts> counts_without_nul_ = std::make_shared<MaskCounts>();
    Masker masker_;
    std::optional<Masker> without_nul_;  ///< used from the first block with a NUL byte on
    WipedString stripped_;
    std::uint64_t size_ = 0;
    std::uint64_t masked_size_ = 0;
    std::uint64_t controls_ = 0;
};

}  // namespace trebuchet
