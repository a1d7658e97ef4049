#pragma once

#include "common/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Searches for many patterns at once, with Hyperscan or Vectorscan. Uses secret memory. Immutable and thread-safe.
class PatternDatabase {
  public:
    /// Working memory for one scan at a time.
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
        const char* text;  ///< regular expression; not secret, messages may quote it
        bool any_case;
    };

    /// `pattern`: index of the compiled pattern; `end`: position in the scanned text. Calls are in no particular order,
    /// and a pair may be reported twice.
    using Found = void (*)(void* context, std::uint32_t pattern, std::size_t end) noexcept;

    /// `literals`: not empty strings. Those from `any_case_from` on match ASCII letters in either case. Literals must
    /// be distinct within each of the two groups. Fails on a processor that the library does not support.
    [[nodiscard]] static Result<std::unique_ptr<const PatternDatabase>> of_literals(
        const std::vector<std::string_view>& literals, std::size_t any_case_from = SIZE_MAX);

    /// `expressions`: at least one. A single-threaded process compiles them in a child process: compiling leaves 7 MB
    /// of library code and heap in memory (measured), for only 110 KB of compiled patterns. `compiled`: results of
    /// compile() for these expressions. The first that fits the library and the processor is used, and nothing is
    /// compiled.
    [[nodiscard]] static Result<std::unique_ptr<const PatternDatabase>> of_expressions(
        const std::vector<Expression>& expressions, const std::vector<std::string_view>& compiled = {});

    /// Compiles the expressions for the processors of this architecture, the fastest first. Only processes with the
    /// same version of the library can use the results.
    [[nodiscard]] static Result<std::vector<std::string>> compile(const std::vector<Expression>& expressions);

    ~PatternDatabase();
    PatternDatabase(const PatternDatabase&) = delete;
    PatternDatabase& operator=(const PatternDatabase&) = delete;

    /// Thread-safe. Throws std::bad_alloc.
    [[nodiscard]] Scratch make_scratch() const;

    /// Calls `found` for the end of each match in `text` (at most 4 GiB). Thread-safe with one scratch per thread.
    /// Throws std::logic_error if the library fails: then do not output `text`.
    void scan(std::string_view text, Scratch& scratch, Found found, void* context) const;

  private:
    struct Compiled;
    explicit PatternDatabase(std::unique_ptr<const Compiled> compiled);
    std::unique_ptr<const Compiled> compiled_;
};

}  // namespace trebuchet
