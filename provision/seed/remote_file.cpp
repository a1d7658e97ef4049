#include "provision/seed/remote_file.hpp"

#include "provision/ssh/shell_quote.hpp"

namespace trebuchet {
namespace {

/// Here-document delimiter; does not occur in any content.
constexpr const char* end_of_content = "__trebuchet_end_of_content__";

}  // namespace

void add_remote_file(WipedString& script, const std::string& path, std::string_view content, const char* mode) {
    const auto file = shell_quote(path);
    script += "sudo rm -f " + file + "\nsudo tee " + file + " >/dev/null <<'" + end_of_content + "'\n";
    script += content;
    if (!content.ends_with('\n')) script += '\n';
    script += std::string(end_of_content) + "\nsudo chmod " + mode + " " + file + "\n";
}

}  // namespace trebuchet
