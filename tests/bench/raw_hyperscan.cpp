#include "tests/bench/raw_hyperscan.hpp"

#include <stdexcept>

#include <hs.h>

namespace trebuchet::bench {

struct RawHyperscan::Compiled {
    hs_database_t* database = nullptr;
    hs_scratch_t* scratch = nullptr;
};

RawHyperscan::RawHyperscan(const std::vector<std::string>& values) {
    std::vector<const char*> bytes;
    std::vector<std::size_t> lengths;
    std::vector<unsigned int> ids;
    const std::vector<unsigned int> flags(values.size(), 0);
    for (const auto& value : values) {
        ids.push_back(static_cast<unsigned int>(ids.size()));
        bytes.push_back(value.data());
        lengths.push_back(value.size());
    }
    auto compiled = std::make_unique<Compiled>();
    hs_compile_error_t* error = nullptr;
    const auto count = static_cast<unsigned int>(values.size());
    if (::hs_compile_lit_multi(bytes.data(), flags.data(), ids.data(), lengths.data(), count, HS_MODE_BLOCK, nullptr,
                               &compiled->database, &error) != HS_SUCCESS ||
        ::hs_alloc_scratch(compiled->database, &compiled->scratch) != HS_SUCCESS) {
        throw std::runtime_error("Hyperscan cannot compile the values");
    }
    compiled_ = std::move(compiled);
}

RawHyperscan::~RawHyperscan() {
    ::hs_free_scratch(compiled_->scratch);
    ::hs_free_database(compiled_->database);
}

std::size_t RawHyperscan::scan(std::string_view text) const {
    std::size_t matches = 0;
    const auto count = [](unsigned int, unsigned long long, unsigned long long, unsigned int, void* context) {
        ++*static_cast<std::size_t*>(context);
        return 0;
    };
    if (::hs_scan(compiled_->database, text.data(), static_cast<unsigned int>(text.size()), 0, compiled_->scratch,
                  count, &matches) != HS_SUCCESS) {
        throw std::runtime_error("hs_scan failed");
    }
    return matches;
}

}  // namespace trebuchet::bench
