#pragma once

#include "common/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Hyperscan has one allocator for all, and frees with the present one what an earlier one allocated: this sets it, and
/// has to be called before anything else of the library. False: it is not the secrets' memory.
bool use_secret_memory_for_matchers();

/// Finds many short byte strings at once: the one adapter to Hyperscan or Vectorscan.
class AnchorMatcher {
  public:
    /// The working memory of one scan at a time.
    class Scratch {
      public:
        ~Scratch();
        Scratch(Scratch&&) noexcept = default;
        Scratch& operator=(Scratch&&) noexcept = default;

      private:
        friend class AnchorMatcher;
        struct Free {
            void operator()(void* scratch) const noexcept;
        };
        explicit Scratch(void* scratch) : memory_(scratch) {}
        std::unique_ptr<void, Free> memory_;
    };

    /// `anchor` is an index into what was compiled; `end` counts from the start of the scanned text. In no particular
    /// order; the same pair may come twice.
    using Found = void (*)(void* context, std::uint32_t anchor, std::size_t end) noexcept;

    /// `anchors`: none empty; distinct, except that one whose ASCII letters count in either case (those from
    /// `any_case_from` on) may be equal to one of the others. Fails on a processor that the library does not support.
    [[nodiscard]] static Result<std::unique_ptr<const AnchorMatcher>> compile(
        const std::vector<std::string_view>& anchors, std::size_t any_case_from = SIZE_MAX);

    ~AnchorMatcher();
    AnchorMatcher(const AnchorMatcher&) = delete;
    AnchorMatcher& operator=(const AnchorMatcher&) = delete;

    /// For any thread. Throws std::bad_alloc.
    [[nodiscard]] Scratch make_scratch() const;

    /// Calls `found` for each place where an anchor ends in `text` (at most 4 GiB). For any thread, each with its own
    /// scratch. Throws std::logic_error if the library refuses: then nothing of `text` may be taken for masked.
    void scan(std::string_view text, Scratch& scratch, Found found, void* context) const;

  private:
    struct Compiled;
    explicit AnchorMatcher(std::unique_ptr<const Compiled> compiled);
    std::unique_ptr<const Compiled> compiled_;
};

}  // namespace trebuchet
