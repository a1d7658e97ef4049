#include "common/mask/anchor_matcher.hpp"
#include "common/mask/credential_matcher.hpp"

#include <limits>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include <hs.h>

namespace trebuchet {
namespace {

int on_match(unsigned int id, unsigned long long /*from*/, unsigned long long to, unsigned int /*flags*/,
             void* context) noexcept {
    static_cast<std::vector<CredentialMatcher::Hit>*>(context)->push_back({id, to});
    return 0;
}

/// Hyperscan has one allocator for all, and frees with the present one what an earlier one allocated. AnchorMatcher
/// sets it when it compiles for the first time, so that has to be before anything is allocated here.
Result<void> let_anchor_matcher_set_the_allocator() {
    static const auto first = AnchorMatcher::compile({{"**"}});
    if (!first) return fail(first.error());
    return {};
}

}  // namespace

struct CredentialMatcher::Compiled {
    hs_database_t* database = nullptr;
    hs_scratch_t* prototype = nullptr;

    Compiled() = default;
    Compiled(const Compiled&) = delete;
    Compiled& operator=(const Compiled&) = delete;
    ~Compiled() {
        ::hs_free_scratch(prototype);
        ::hs_free_database(database);
    }
};

void CredentialMatcher::Scratch::Free::operator()(void* scratch) const noexcept {
    ::hs_free_scratch(static_cast<hs_scratch_t*>(scratch));
}

CredentialMatcher::Scratch::~Scratch() = default;

CredentialMatcher::CredentialMatcher(std::unique_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
CredentialMatcher::~CredentialMatcher() = default;

Result<std::unique_ptr<const CredentialMatcher>> CredentialMatcher::compile(
    const std::vector<const CredentialRule*>& rules) {
    if (auto set = let_anchor_matcher_set_the_allocator(); !set) return fail(set.error());
    std::vector<const char*> patterns;
    std::vector<unsigned int> flags;
    std::vector<unsigned int> ids;
    for (const auto* rule : rules) {
        patterns.push_back(rule->pattern);
        flags.push_back(rule->any_case ? HS_FLAG_CASELESS : 0U);
        ids.push_back(static_cast<unsigned int>(ids.size()));
    }
    auto compiled = std::make_unique<Compiled>();
    hs_compile_error_t* error = nullptr;
    const auto result =
        ::hs_compile_multi(patterns.data(), flags.data(), ids.data(), static_cast<unsigned int>(patterns.size()),
                           HS_MODE_BLOCK, nullptr, &compiled->database, &error);
    if (result != HS_SUCCESS) {
        std::string message = "can't mask credentials: Hyperscan can't compile their patterns";
        if (error != nullptr) message += std::string(": ") + error->message;
        ::hs_free_compile_error(error);
        return fail(std::move(message));
    }
    if (const auto allocated = ::hs_alloc_scratch(compiled->database, &compiled->prototype); allocated != HS_SUCCESS) {
        return fail("can't mask credentials: Hyperscan has no working memory (error " + std::to_string(allocated) +
                    ")");
    }
    return std::unique_ptr<const CredentialMatcher>(new CredentialMatcher(std::move(compiled)));
}

CredentialMatcher::Scratch CredentialMatcher::make_scratch() const {
    hs_scratch_t* scratch = nullptr;
    if (::hs_clone_scratch(compiled_->prototype, &scratch) != HS_SUCCESS) throw std::bad_alloc();
    return Scratch(scratch);
}

void CredentialMatcher::scan(std::string_view text, Scratch& scratch, std::vector<Hit>& hits) const {
    if (text.size() > std::numeric_limits<unsigned int>::max()) throw std::logic_error("text too long for one scan");
    const auto result = ::hs_scan(compiled_->database, text.data(), static_cast<unsigned int>(text.size()), 0,
                                  static_cast<hs_scratch_t*>(scratch.memory_.get()), on_match, &hits);
    if (result != HS_SUCCESS) throw std::logic_error("hs_scan failed with error " + std::to_string(result));
}

}  // namespace trebuchet
