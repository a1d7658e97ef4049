#pragma once

#include "common/mask/form.hpp"
#include "common/mask/views/byte_masks.hpp"
#include "common/secret/secret_string.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Where a derived character comes from, as positions in the raw text.
struct Place {
    std::uint32_t touch;  ///< the first byte that holds a bit of it: a search from here on finds it again
    std::uint32_t begin;  ///< what to mask: [begin, end)
    std::uint32_t end;

    /// `end` of a byte in a line of a dump that is not complete yet: its text column must be masked, too.
    static constexpr std::uint32_t unknown = UINT32_MAX;
};

/// A part of a derived text. Nothing continues from one piece to the next.
struct Piece {
    enum class Kind : unsigned char {
        decoded,    ///< what base64, hex or a dump says
        unescaped,  ///< with escapes replaced by what they stand for
        skeleton,   ///< see skeleton.hpp
    };
    std::size_t begin;
    std::size_t end;
    Kind kind;
    Form form;  ///< of the outermost encoding
    bool open;  ///< it reaches the end of a text that goes on
    /// So many bytes of a value may be shown before it is known that one has begun: a prompt must not wait for an
    /// accident, but a dump is no prompt.
    std::size_t most_shown = usually_shown;
    static constexpr std::size_t usually_shown = 2;
};

/// What a text says if it is decoded: pieces one after another, separated by a byte that is in no value. Wiped.
class DerivedText {
  public:
    static constexpr char separator = '\xFF';

    [[nodiscard]] std::string_view bytes() const { return bytes_; }
    [[nodiscard]] const std::vector<Piece>& pieces() const { return pieces_; }
    [[nodiscard]] std::string_view text_of(const Piece& piece) const {
        return bytes().substr(piece.begin, piece.end - piece.begin);
    }
    [[nodiscard]] const Place& place(std::size_t position) const { return places_[position]; }
    [[nodiscard]] bool empty() const { return pieces_.empty(); }
    void clear();
    /// To an empty text. There must be a piece.
    void move_last_piece(DerivedText& to);

  private:
    friend class PieceWriter;
    WipedString bytes_;
    std::vector<Place> places_;
    std::vector<Piece> pieces_;
};

/// A text to derive others from: the raw text, or a piece of a derived one.
struct Source {
    std::string_view text;
    /// For each byte; null: the text is the raw text.
    const Place* places = nullptr;
    /// nullptr for the raw text.
    const Piece* piece = nullptr;
    /// The text goes on: what reaches its end may be incomplete.
    bool open = false;
    /// Of the text.
    const std::vector<ByteMasks>* masks = nullptr;

    [[nodiscard]] Place place(std::size_t touch, std::size_t begin, std::size_t end) const {
        if (places == nullptr) {
            return {static_cast<std::uint32_t>(touch), static_cast<std::uint32_t>(begin),
                    static_cast<std::uint32_t>(end)};
        }
        return {places[touch].touch, places[begin].begin, places[end - 1].end};
    }
};

/// Appends one piece to a derived text.
class PieceWriter {
  public:
    PieceWriter(const Source& source, DerivedText& out, Piece::Kind kind, Form form);

    /// A byte that [begin, end) of the source stands for; it is masked from `masked` on (≥ begin).
    void add(char c, std::size_t begin, std::size_t end) { add(c, begin, begin, end); }
    void add(char c, std::size_t begin, std::size_t masked, std::size_t end) {
        out_.bytes_ += c;
        out_.places_.push_back(source_.place(begin, masked, end));
    }
    /// Bytes [begin, end) of the source as they are.
    void add_unchanged(std::size_t begin, std::size_t end);
    /// The end of the bytes from `first` on is not known.
    void leave_end_open(std::size_t first);

    [[nodiscard]] std::size_t size() const { return out_.bytes_.size() - begin_; }
    [[nodiscard]] std::string_view bytes() const { return out_.bytes().substr(begin_); }
    void shorten(std::size_t size);

    /// Keeps the piece, if it has at least `least` bytes.
    void finish(bool open, std::size_t least, std::size_t most_shown = Piece::usually_shown);

  private:
    const Source& source_;
    DerivedText& out_;
    Piece::Kind kind_;
    Form form_;
    std::size_t begin_;
};

}  // namespace trebuchet
