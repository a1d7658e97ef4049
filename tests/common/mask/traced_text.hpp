#pragma once

#include <cstddef>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet::test {

/// The bytes [first, last) of the value; none if they are equal. A dump shows each byte in two columns: `copy`.
struct Origin {
    int first = 0;
    int last = 0;
    int copy = 0;
};

/// Encoded text that knows from which bytes of a value each of its characters was made. So a test can tell what of the
/// value is left in a masked text, without a decoder for each composition of encodings.
struct TracedText {
    std::string bytes;
    std::vector<Origin> origins;

    void add(std::string_view some, Origin origin = {});
    [[nodiscard]] static TracedText value(std::string_view value);

    /// Which bytes of the value can be read where `is_left` is true: all characters of one copy must be left.
    [[nodiscard]] std::vector<bool> readable(const std::vector<bool>& is_left, std::size_t value_size) const;
};

class Draw {
  public:
    explicit Draw(std::uint64_t seed) : engine_(seed) {}
    std::size_t below(std::size_t count) { return engine_() % count; }
    std::size_t between(std::size_t least, std::size_t most) { return least + below(most - least + 1); }
    bool one_in(std::size_t count) { return below(count) == 0; }
    std::string text(std::size_t size, std::string_view letters);
    template <typename T>
    const T& of(const std::vector<T>& some) {
        return some[below(some.size())];
    }

  private:
    std::mt19937_64 engine_;
};

/// A kind of encoding; the options of one use of it (alphabet, case, width) are drawn.
struct Encoding {
    std::string name;
    std::function<TracedText(const TracedText&, Draw&)> encode;
};

/// The kinds that masking promises to see through, one in the other.
[[nodiscard]] const std::vector<Encoding>& encodings();
[[nodiscard]] const Encoding& encoding(std::string_view name);

/// Which bytes of `text` are left in `masked`, where masks are ** + six hex digits + **. Marks in doubt as left.
[[nodiscard]] std::vector<bool> left_of(std::string_view text, std::string_view masked);

}  // namespace trebuchet::test
