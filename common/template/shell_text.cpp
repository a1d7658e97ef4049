#include "common/template/shell_text.hpp"

#include "common/template/shell_context.hpp"

namespace trebuchet {
namespace {

/// Outside quotes, in "…" and in '…' the reference has double quotes of its own, which also end its name.
std::string reference(ShellPlace place, const std::string& name) {
    switch (place) {
        case ShellPlace::plain:
            return "\"$" + name + "\"";
        case ShellPlace::double_quoted:
            return "\"\"$" + name + "\"\"";
        case ShellPlace::single_quoted:
            return "'\"$" + name + "\"'";
        case ShellPlace::here_document:
            break;
    }
    // Quotes would be text here. A command that gives nothing ends the name, also where a backslash joins two lines.
    return "$" + name + "$(:)";
}

std::string with_marks(std::string_view script, const std::vector<TextTemplate>& templates) {
    std::string marked;
    std::size_t at = 0;
    for (const auto& found : templates) {
        marked += script.substr(at, found.begin - at);
        marked += template_mark;
        at = found.end;
    }
    return marked += script.substr(at);
}

}  // namespace

Result<std::string> shell_text(std::string_view script, const std::vector<TextTemplate>& templates,
                               const std::function<std::string(std::size_t)>& name_of) {
    if (templates.empty()) return std::string(script);
    if (const auto at = script.find(template_mark); at != std::string_view::npos) {
        return fail(place_in(script, at) + ": found a control character, expected text");
    }
    const auto places = shell_places(with_marks(script, templates));
    if (!places) {
        const auto& refusal = places.error();
        return fail(place_in(script, templates[refusal.mark].at) + ": a template cannot stand here, " + refusal.why);
    }
    std::string text;
    std::size_t at = 0;
    for (std::size_t i = 0; i < templates.size(); ++i) {
        text += script.substr(at, templates[i].begin - at);
        at = templates[i].end;
        text += reference((*places)[i], name_of(i));
    }
    return text += script.substr(at);
}

}  // namespace trebuchet
