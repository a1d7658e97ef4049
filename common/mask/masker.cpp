#include "common/mask/masker.hpp"

#include "common/mask/credential_stream.hpp"
#include "common/mask/mask_counts.hpp"
#include "common/mask/matcher.hpp"

#include <optional>
#include <string>
#include <utility>

namespace trebuchet {

namespace {

constexpr std::size_t most_kept = 128 * std::size_t{1024};

}  // namespace

struct Masker::State {
    std::shared_ptr<const MaskSet> set;
    /// May be null.
    std::shared_ptr<MaskCounts> counts;
    /// nullopt if there are no values.
    std::optional<MaskStream> values;
    /// Runs after `values`: masks well-known credentials. nullopt if all kinds are off.
    std::optional<CredentialStream> credentials;

    /// Output of `values` and input of `credentials`, during a call.
    std::string between;

    /// `first` appends the output of `values` to a string. `last`: the stream has ended.
    template <typename First>
    [[nodiscard]] std::string without_credentials(bool last, First first) {
        std::string shown;
        if (!credentials) {
            first(shown);
            return shown;
        }
        first(between);
        if (last) {
            credentials->write_last(between, shown);
        } else {
            credentials->write(between, shown);
        }
        wipe(between.data(), between.size());
        between.clear();
        if (between.capacity() > most_kept) between.shrink_to_fit();
        return shown;
    }
};

Masker::Masker(std::shared_ptr<const MaskSet> set, std::shared_ptr<MaskCounts> counts)
    : state_(std::make_unique<State>()) {
    if (set->matcher_) {
        state_->values.emplace(set->matcher_->make_stream());
        state_->values->count_in(counts.get());
    }
    if (set->credentials_) {
        CredentialStream::Report report;
        if (counts) report = [counts](CredentialKind kind) { counts->add(kind); };
        state_->credentials.emplace(set->credentials_, std::move(report));
    }
    state_->counts = std::move(counts);
    state_->set = std::move(set);
}

Masker::~Masker() = default;
Masker::Masker(Masker&&) noexcept = default;
Masker& Masker::operator=(Masker&&) noexcept = default;

MaskedChunk Masker::write(std::string_view bytes) {
    if (!state_->values && !state_->credentials) return MaskedChunk(std::string(bytes));
    return MaskedChunk(state_->without_credentials(false, [&](std::string& out) {
        if (state_->values) {
            state_->values->write(bytes, out);
        } else {
            out.append(bytes);
        }
    }));
}

MaskedChunk Masker::change_set(std::shared_ptr<const MaskSet> set) {
    const auto earlier = std::move(state_);
    *this = Masker(std::move(set), earlier->counts);
    if (earlier->credentials)
        state_->credentials = std::move(earlier->credentials);  // it may hold the start of a credential
    return MaskedChunk(state_->without_credentials(false, [&](std::string& out) {
        if (earlier->values && state_->values) {
            state_->values->take_over(*earlier->values, out);
        } else if (earlier->values) {
            earlier->values->finish(out);
        }
    }));
}

MaskedChunk Masker::release() {
    return MaskedChunk(state_->without_credentials(false, [&](std::string& out) {
        if (state_->values) state_->values->release(out);
    }));
}

MaskedChunk Masker::finish() {
    return MaskedChunk(state_->without_credentials(true, [&](std::string& out) {
        if (state_->values) state_->values->finish(out);
    }));
}

std::size_t Masker::held() const {
    return (state_->values ? state_->values->held() : 0) + (state_->credentials ? state_->credentials->held() : 0);
}

}  // namespace trebuchet
