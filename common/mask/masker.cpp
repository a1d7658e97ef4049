#include "common/mask/masker.hpp"

#include "common/mask/matcher.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace trebuchet {

struct Masker::State {
    std::shared_ptr<const MaskSet> set;
    /// Empty if there is nothing to mask.
    std::optional<MaskStream> stream;
    /// What the stream holds back, as it came.
    WipedString held;

    void keep_held(std::string_view bytes) {
        const auto size = stream->held();
        if (size <= bytes.size()) {
            held = bytes.substr(bytes.size() - size);
        } else {
            held.append(bytes);
            held.erase(0, held.size() - std::min(held.size(), size));
        }
    }
};

Masker::Masker(std::shared_ptr<const MaskSet> set) : state_(std::make_unique<State>()) {
    if (set->matcher_) state_->stream.emplace(set->matcher_->make_stream());
    state_->set = std::move(set);
}

Masker::~Masker() = default;
Masker::Masker(Masker&&) noexcept = default;
Masker& Masker::operator=(Masker&&) noexcept = default;

MaskedChunk Masker::write(std::string_view bytes) {
    if (!state_->stream) return MaskedChunk(std::string(bytes));
    std::string out;
    state_->stream->write(bytes, out);
    state_->keep_held(bytes);
    return MaskedChunk(std::move(out));
}

MaskedChunk Masker::change_set(std::shared_ptr<const MaskSet> set) {
    const auto held = std::exchange(state_->held, {});
    *this = Masker(std::move(set));
    return write(held);
}

MaskedChunk Masker::finish() {
    std::string out;
    if (state_->stream) state_->stream->finish(out);
    state_->held.clear();
    return MaskedChunk(std::move(out));
}

std::size_t Masker::held() const {
    return state_->stream ? state_->stream->held() : 0;
}

}  // namespace trebuchet
