#pragma once

#include "common/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Finds many patterns at once: the one adapter to Hyperscan or Vectorscan. What it keeps, and what a search needs,
/// lies in the memory for secrets. Immutable: share it between threads.
class PatternDatabase {
  public:
    /// The working memory of one scan at a time.
    class Scratch {
      public:
        ~Scratch();
        Scratch(Scratch&&) noexcept = default;
        Scratch& operator=(Scratch&&) noexcept = default;

      private:
        friend class PatternDatabase;
        struct Free {
            void operator()(void* scratch) const noexcept;
        };
        explicit Scratch(void* scratch) : memory_(scratch) {}
        std::unique_ptr<void, Free> memory_;
    };

    struct Expression {
        const char* text;  ///< regular expression; no secret, a message may quote it
        bool any_case;
    };

    /// `pattern` is an index into what was compiled; `end` counts from the start of the scanned text. In no particular
    /// order; the same pair may come twice.
    using Found = void (*)(void* context, std::uint32_t pattern, std::size_t end) noexcept;

    /// `literals`: none empty; distinct, except that one whose ASCII letters count in either case (those from
    /// `any_case_from` on) may be equal to one of the others. Fails on a processor that the library does not support.
    [[nodiscard]] static Result<std::unique_ptr<const PatternDatabase>> of_literals(
        const std::vector<std::string_view>& literals, std::size_t any_case_from = SIZE_MAX);

    /// `expressions`: at least one. In a process with one thread a child does the work: it leaves 7 MB of the library's
    /// code and of the heap in memory (measured), for the 110 KB that the expressions of credentials come to.
    [[nodiscard]] static Result<std::unique_ptr<const PatternDatabase>> of_expressions(
        const std::vector<Expression>& expressions);

    ~PatternDatabase();
    PatternDatabase(const PatternDatabase&) = delete;
    PatternDatabase& operator=(const PatternDatabase&) = delete;

    /// For any thread. Throws std::bad_alloc.
    [[nodiscard]] Scratch make_scratch() const;

    /// Calls `found` for each place where a pattern's match ends in `text` (at most 4 GiB). For any thread, each with
    /// its own scratch. Throws std::logic_error if the library refuses: then nothing of `text` may be let out.
    void scan(std::string_view text, Scratch& scratch, Found found, void* context) const;

  private:
    struct Compiled;
    explicit PatternDatabase(std::unique_ptr<const Compiled> compiled);
    std::unique_ptr<const Compiled> compiled_;
};

}  // namespace trebuchet
