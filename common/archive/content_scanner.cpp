#include "common/archive/content_scanner.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace trebuchet {
namespace {

/// Text may have one control character per this many bytes.
constexpr std::uint64_t bytes_per_control = 20;

/// Bytes that occur neither in text nor in terminal sequences. NUL is counted separately.
constexpr std::array<bool, 256> make_controls() {
    std::array<bool, 256> table{};
    for (std::size_t byte = 1; byte < 32; ++byte) table.at(byte) = byte < '\a' || byte > '\r';
    table['\x1b'] = false;
    table[0x7f] = true;
    return table;
}
constexpr auto controls = make_controls();

}  // namespace

ContentScanner::ContentScanner(std::shared_ptr<const MaskSet> masks)
    : masks_(std::move(masks)), masker_(masks_, counts_) {}

void ContentScanner::write(std::string_view bytes) {
    size_ += bytes.size();
    masked_size_ += masker_.write(bytes).size();
    for (const char byte : bytes) controls_ += std::uint64_t{controls[static_cast<unsigned char>(byte)]};
    if (!without_nul_ && bytes.find('\0') != std::string_view::npos) without_nul_.emplace(masks_, counts_without_nul_);
    if (!without_nul_) return;
    stripped_.assign(bytes);
    stripped_.erase(std::remove(stripped_.begin(), stripped_.end(), '\0'), stripped_.end());
    static_cast<void>(without_nul_->write(stripped_));
}

void ContentScanner::finish() {
    masked_size_ += masker_.finish().size();
    if (without_nul_) static_cast<void>(without_nul_->finish());
}

MaskCounts ContentScanner::found() const {
    // Text without NUL bytes is found in both readings; do not count it twice.
    return counts_->empty() ? *counts_without_nul_ : *counts_;
}

bool ContentScanner::is_binary() const {
    return without_nul_.has_value() || controls_ * bytes_per_control > size_;
}

}  // namespace trebuchet
