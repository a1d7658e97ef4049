#include "common/base/text.hpp"
#include "common/mask/credential_stream.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>

namespace {

using trebuchet::CredentialPatterns;
using trebuchet::CredentialStream;

constexpr std::size_t longest_text = std::size_t{128} * 1024;

void expect(bool holds, const char* what, std::string_view text) {
    if (holds) return;
    std::cerr << what << "\ntext " << trebuchet::quoted(text, longest_text) << '\n';
    std::abort();
}

const std::shared_ptr<const CredentialPatterns>& patterns() {
    static const auto built =
        CredentialPatterns::build({}, std::make_shared<trebuchet::MaskText>(trebuchet::MaskHash::sha256));
    expect(built.has_value(), "the patterns cannot be built", "");
    return *built;
}

}  // namespace

/// First byte: the maximum bytes per write (a power of two). The rest is the text. However it is split, the output is
/// the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto write_size = std::size_t{1} << (data[0] & 15U);
    const auto text = std::string_view(reinterpret_cast<const char*>(data), size).substr(1, longest_text);

    int reports = 0;
    CredentialStream whole(patterns(), [&](trebuchet::CredentialKind /*kind*/) { ++reports; });
    std::string expected;
    whole.write_last(text, expected);
    expect((expected == text) == (reports == 0), "reports something else than it masks", text);

    int reports_in_pieces = 0;
    CredentialStream stream(patterns(), [&](trebuchet::CredentialKind /*kind*/) { ++reports_in_pieces; });
    std::string out;
    for (std::size_t done = 0; done < text.size();) {
        const auto count = std::min(1 + (done * 7) % write_size, text.size() - done);
        stream.write(text.substr(done, count), out);
        done += count;
        expect(stream.held() <= trebuchet::longest_credential, "holds too much", text);
        expect(expected.starts_with(out), "releases something else", text);
    }
    stream.finish(out);
    expect(out == expected, "masks something else in pieces", text);
    expect(reports == reports_in_pieces, "reports something else in pieces", text);
    return 0;
}
