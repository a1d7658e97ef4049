#pragma once

#include "common/base/result.hpp"
#include "common/mask/credential_rules.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Finds the patterns of credential rules: the adapter to Hyperscan's regular expressions.
class CredentialMatcher {
  public:
    /// The working memory of one scan at a time.
    class Scratch {
      public:
        ~Scratch();
        Scratch(Scratch&&) noexcept = default;
        Scratch& operator=(Scratch&&) noexcept = default;

      private:
        friend class CredentialMatcher;
        struct Free {
            void operator()(void* scratch) const noexcept;
        };
        explicit Scratch(void* scratch) : memory_(scratch) {}
        std::unique_ptr<void, Free> memory_;
    };

    /// `rule` is an index into what was compiled; `end` counts from the start of the scanned text.
    struct Hit {
        std::uint32_t rule;
        std::size_t end;
    };

    /// `rules`: at least one. Fails on a processor that the library does not support.
    [[nodiscard]] static Result<std::unique_ptr<const CredentialMatcher>> compile(
        const std::vector<const CredentialRule*>& rules);

    ~CredentialMatcher();
    CredentialMatcher(const CredentialMatcher&) = delete;
    CredentialMatcher& operator=(const CredentialMatcher&) = delete;

    /// For any thread. Throws std::bad_alloc.
    [[nodiscard]] Scratch make_scratch() const;

    /// Appends a hit for each place where a pattern's match ends in `text`, in no particular order, the same pair
    /// perhaps twice. For any thread, each with its own scratch. Throws std::logic_error if the library refuses: then
    /// nothing of `text` may be let out.
    void scan(std::string_view text, Scratch& scratch, std::vector<Hit>& hits) const;

  private:
    struct Compiled;
    explicit CredentialMatcher(std::unique_ptr<const Compiled> compiled);
    std::unique_ptr<const Compiled> compiled_;
};

}  // namespace trebuchet
