#include "provision/process/curl_config.hpp"

#include "common/base/text.hpp"

namespace trebuchet {

Result<WipedString> curl_config(std::string_view url) {
    WipedString text("url = \"");
    for (const char c : url) {
        if (static_cast<unsigned char>(c) < 0x20)
            return fail("the URL " + shown_url(url) + " holds a control character");
        if (c == '"' || c == '\\') text += '\\';
        text += c;
    }
    text += "\"\ngloboff\n";
    return text;
}

std::string shown_url(std::string_view url) {
    const auto cut = url.find_first_of("?#");
    const bool was_cut = cut != std::string_view::npos;
    auto shown = url.substr(0, cut);
    std::string scheme;
    if (const auto end = shown.find("://"); end != std::string_view::npos) {
        scheme = shown.substr(0, end + 3);
        shown.remove_prefix(end + 3);
        // What stands before the last @ of the authority is a user's name and password.
        const auto at = shown.substr(0, shown.find('/')).rfind('@');
        if (at != std::string_view::npos) shown.remove_prefix(at + 1);
    }
    const auto text = trebuchet::quoted(shown, 400);
    return scheme + text.substr(1, text.size() - 2) + (was_cut ? "?…" : "");
}

}  // namespace trebuchet
