#include "common/base/text.hpp"
#include "common/mask/masker.hpp"
#include "tests/common/mask/mask_oracle.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using trebuchet::Masker;
using trebuchet::MaskSet;
using trebuchet::test::MaskOracle;

constexpr std::size_t longest_text = 400;

/// First byte: number of values (3 bits), minimum length minus one (2 bits), maximum bytes per write (3 bits, a power
/// of two). Then each value: its length in one byte, and its bytes. The rest is the text.
class Input {
  public:
    Input(const std::uint8_t* data, std::size_t size) : rest_(reinterpret_cast<const char*>(data), size) {
        const auto head = next();
        for (unsigned i = 0; i < (head & 7U); ++i) values.emplace_back(take(next()));
        min_length = 1 + (head >> 3U & 3U);
        write_size = std::size_t{1} << (head >> 5U);
        text = take(longest_text);
    }

    std::vector<std::string> values;
    std::size_t min_length = 0;
    std::size_t write_size = 0;
    std::string text;

  private:
    unsigned next() {
        const auto byte = take(1);
        return byte.empty() ? 0 : static_cast<unsigned char>(byte.front());
    }
    std::string_view take(std::size_t count) {
        const auto taken = rest_.substr(0, count);
        rest_.remove_prefix(taken.size());
        return taken;
    }

    std::string_view rest_;
};

void expect(bool holds, const char* what, const Input& input) {
    if (holds) return;
    std::cerr << what << "\ntext " << trebuchet::quoted(input.text, longest_text) << '\n';
    for (const auto& value : input.values) std::cerr << "value " << trebuchet::quoted(value, 300) << '\n';
    std::abort();
}

/// Looking into encoded text must not fail, whatever it holds. Only a whole mask may stand for text.
void look_into_encoded_text(const Input& input) {
    const auto set = MaskSet::build(trebuchet::test::named(input.values), {.min_length = input.min_length});
    expect(set.has_value(), "the set with views cannot be built", input);
    Masker masker(*set);
    const std::string_view text = input.text;
    for (std::size_t done = 0; done < text.size(); done += input.write_size) {
        static_cast<void>(masker.write(text.substr(done, input.write_size)));
        static_cast<void>(masker.release());
    }
    static_cast<void>(masker.finish());
    expect(masker.held() == 0, "holds something after the end", input);
}

}  // namespace

/// The masker's output equals the oracle's after each write and at the end. It shows no more of a secret if it is asked
/// to release what it holds.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Input input(data, size);
    look_into_encoded_text(input);
    const auto set =
        MaskSet::build(trebuchet::test::named(input.values), {.min_length = input.min_length, .views = false});
    expect(set.has_value(), "the set cannot be built", input);
    const MaskOracle oracle(**set, input.values, input.min_length);
    const std::string_view text = input.text;

    Masker masker(*set);
    std::string out;
    for (std::size_t done = 0; done < text.size();) {
        const auto count = std::min(1 + (done * 7) % input.write_size, text.size() - done);
        out += masker.write(text.substr(done, count)).bytes();
        done += count;
        expect(masker.held() == oracle.held(text.substr(0, done)), "holds back another part", input);
    }
    expect(out == oracle.certain(text), "lets out something else", input);
    out += masker.finish().bytes();
    expect(out == oracle.masked(text), "masks something else", input);
    expect((*set)->mask(text).bytes() == out, "masks something else at once", input);

    if (text.find('*') != std::string_view::npos) return 0;
    out.clear();
    for (std::size_t done = 0; done < text.size();) {
        const auto count = std::min(1 + (done * 7) % input.write_size, text.size() - done);
        out += masker.write(text.substr(done, count)).bytes();
        out += masker.release().bytes();
        done += count;
    }
    out += masker.finish().bytes();
    const auto complaint = oracle.complaint_about_released(text, out);
    expect(complaint.empty(), complaint.c_str(), input);
    return 0;
}
