#include "common/mask/views/derived_text.hpp"

#include <algorithm>

namespace trebuchet {

void DerivedText::clear() {
    wipe(bytes_.data(), bytes_.size());
    bytes_.clear();
    places_.clear();
    pieces_.clear();
}

void DerivedText::move_last_piece(DerivedText& to) {
    auto piece = pieces_.back();
    const auto begin = piece.begin;
    to.bytes_.assign(bytes_, begin);
    to.places_.assign(places_.begin() + static_cast<std::ptrdiff_t>(begin), places_.end());
    wipe(bytes_.data() + begin, bytes_.size() - begin);
    bytes_.resize(begin);
    places_.resize(begin);
    pieces_.pop_back();
    piece.end -= begin;
    piece.begin = 0;
    to.pieces_.push_back(piece);
}

PieceWriter::PieceWriter(const Source& source, DerivedText& out, Piece::Kind kind, Form form)
    : source_(source),
      out_(out),
      kind_(kind),
      form_(source.piece == nullptr ? form : source.piece->form),
      begin_(out.bytes_.size()) {}

void PieceWriter::add_unchanged(std::size_t begin, std::size_t end) {
    out_.bytes_.append(source_.text.substr(begin, end - begin));
    const auto first = out_.places_.size();
    out_.places_.resize(first + end - begin);
    auto* place = out_.places_.data() + first;
    if (source_.places != nullptr) {
        for (auto i = begin; i < end; ++i) *place++ = source_.places[i];
        return;
    }
    for (auto i = static_cast<std::uint32_t>(begin); i < end; ++i) *place++ = {i, i, i + 1};
}

void PieceWriter::leave_end_open(std::size_t first) {
    for (auto i = begin_ + first; i < out_.places_.size(); ++i) out_.places_[i].end = Place::unknown;
}

void PieceWriter::shorten(std::size_t size) {
    out_.bytes_.resize(begin_ + size);
    out_.places_.resize(begin_ + size);
}

void PieceWriter::finish(bool open, std::size_t least, std::size_t most_shown) {
    if (size() < least) {
        if (size() > 0) shorten(0);
        return;
    }
    if (source_.piece != nullptr) most_shown = std::min(most_shown, source_.piece->most_shown);
    out_.pieces_.push_back({begin_, out_.bytes_.size(), kind_, form_, open, most_shown});
    out_.bytes_ += DerivedText::separator;
    out_.places_.push_back({0, 0, 0});
    begin_ = out_.bytes_.size();
}

}  // namespace trebuchet
