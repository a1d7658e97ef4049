#include "provision/process/curl_config.hpp"

#include "common/base/text.hpp"

namespace trebuchet {

Result<WipedString> curl_config(std::string_view url) {
    WipedString text("url = \"");
    for (const char c : url) {
        if (static_cast<unsigned char>(c) < 0x20)
            return fail("the URL " + redacted_url(url) + " contains a control character");
        if (c == '"' || c == '\\') text += '\\';
        text += c;
    }
    text += "\"\ngloboff\n";
    return text;
}

std::string redacted_url(std::string_view url) {
    auto shown = url;
    std::string scheme;
    if (const auto end = shown.find("://"); end != std::string_view::npos) {
        scheme = shown.substr(0, end + 3);
        shown.remove_prefix(end + 3);
        // Credentials end at the last "@": a password may contain "/", "?" or "#".
        if (const auto at = shown.rfind('@'); at != std::string_view::npos) shown.remove_prefix(at + 1);
    }
    const auto cut = shown.find_first_of("?#");
    const bool was_cut = cut != std::string_view::npos;
    shown = shown.substr(0, cut);
    const auto text = trebuchet::quoted(shown, 400);
    return scheme + text.substr(1, text.size() - 2) + (was_cut ? "?…" : "");
}

}  // namespace trebuchet
