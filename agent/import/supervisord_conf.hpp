#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// A section [program:NAME] of supervisord's configuration.
struct SupervisordProgram {
    std::string name;
    std::map<std::string, std::string> keys;         ///< such as "command"; continued lines are joined by a blank
    std::map<std::string, std::string> environment;  ///< of the key of this name, without quotes

    [[nodiscard]] std::string value(const std::string& key) const;
};

/// Reads the programs of a file (supervisor's configuration, an INI file). Whatever else is in it is left out; there is
/// no text that is refused. Expansions such as %(ENV_X)s stay as they are.
[[nodiscard]] std::vector<SupervisordProgram> parse_supervisord_conf(std::string_view text);

/// The words of a command, as a shell splits them: blanks separate, '…' and "…" hold together, \ keeps a character.
[[nodiscard]] std::vector<std::string> split_command(std::string_view command);

}  // namespace trebuchet
