#include "common/mask/anchor_matcher.hpp"
#include "common/secret/secret_memory.hpp"

#include <cstddef>
#include <cstring>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>

#include <hs.h>

namespace trebuchet {
namespace {

/// In front of each block: its size, which free_secret wants to know. As wide as Hyperscan wants blocks aligned.
constexpr std::size_t header = 64;

/// A compiled database holds the anchors, and the anchors are parts of secrets.
void* take_secret_memory(std::size_t size) {
    try {
        auto* const block = static_cast<char*>(allocate_secret(size + header, header));
        std::memcpy(block, &size, sizeof size);
        return block + header;
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

void free_secret_memory(void* memory) {
    if (memory == nullptr) return;
    auto* const block = static_cast<char*>(memory) - header;
    std::size_t size = 0;
    std::memcpy(&size, block, sizeof size);
    free_secret(block, size + header, header);
}

struct Receiver {
    AnchorMatcher::Found found;
    void* context;
};

int on_match(unsigned int id, unsigned long long /*from*/, unsigned long long to, unsigned int /*flags*/,
             void* context) {
    const auto* receiver = static_cast<const Receiver*>(context);
    receiver->found(receiver->context, id, to);
    return 0;
}

}  // namespace

bool use_secret_memory_for_matchers() {
    static const bool done = ::hs_set_allocator(take_secret_memory, free_secret_memory) == HS_SUCCESS;
    return done;
}

struct AnchorMatcher::Compiled {
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

void AnchorMatcher::Scratch::Free::operator()(void* scratch) const noexcept {
    ::hs_free_scratch(static_cast<hs_scratch_t*>(scratch));
}

AnchorMatcher::Scratch::~Scratch() = default;

AnchorMatcher::AnchorMatcher(std::unique_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}

AnchorMatcher::~AnchorMatcher() = default;

Result<std::unique_ptr<const AnchorMatcher>> AnchorMatcher::compile(const std::vector<std::string_view>& anchors,
                                                                    std::size_t any_case_from) {
    if (::hs_valid_platform() != HS_SUCCESS) {
        return fail("can't mask secrets: this processor lacks the instructions that Hyperscan needs (SSSE3)");
    }
    if (!use_secret_memory_for_matchers()) return fail("can't mask secrets: Hyperscan rejects our memory functions");

    std::vector<const char*> bytes;
    std::vector<std::size_t> lengths;
    std::vector<unsigned int> ids;
    std::vector<unsigned int> flags;
    for (const auto anchor : anchors) {
        flags.push_back(ids.size() >= any_case_from ? HS_FLAG_CASELESS : 0U);
        ids.push_back(static_cast<unsigned int>(ids.size()));
        bytes.push_back(anchor.data());
        lengths.push_back(anchor.size());
    }
    auto compiled = std::make_unique<Compiled>();
    hs_compile_error_t* error = nullptr;
    const auto result = ::hs_compile_lit_multi(bytes.data(), flags.data(), ids.data(), lengths.data(),
                                               static_cast<unsigned int>(anchors.size()), HS_MODE_BLOCK, nullptr,
                                               &compiled->database, &error);
    if (result != HS_SUCCESS) {
        // Hyperscan's own message may quote the literal.
        ::hs_free_compile_error(error);
        return fail("can't mask secrets: Hyperscan can't compile " + std::to_string(anchors.size()) +
                    " literals (error " + std::to_string(result) + ")");
    }
    if (const auto allocated = ::hs_alloc_scratch(compiled->database, &compiled->prototype); allocated != HS_SUCCESS) {
        return fail("can't mask secrets: Hyperscan has no working memory (error " + std::to_string(allocated) + ")");
    }
    return std::unique_ptr<const AnchorMatcher>(new AnchorMatcher(std::move(compiled)));
}

AnchorMatcher::Scratch AnchorMatcher::make_scratch() const {
    hs_scratch_t* scratch = nullptr;
    if (::hs_clone_scratch(compiled_->prototype, &scratch) != HS_SUCCESS) throw std::bad_alloc();
    return Scratch(scratch);
}

void AnchorMatcher::scan(std::string_view text, Scratch& scratch, Found found, void* context) const {
    if (text.size() > std::numeric_limits<unsigned int>::max()) throw std::logic_error("text too long for one scan");
    Receiver receiver{found, context};
    const auto result = ::hs_scan(compiled_->database, text.data(), static_cast<unsigned int>(text.size()), 0,
                                  static_cast<hs_scratch_t*>(scratch.memory_.get()), on_match, &receiver);
    if (result != HS_SUCCESS) throw std::logic_error("hs_scan failed with error " + std::to_string(result));
}

}  // namespace trebuchet
