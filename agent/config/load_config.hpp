#pragma once

#include "agent/config/config.hpp"
#include "agent/config/effective_settings.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace trebuchet {

/// "file:line:col: what is wrong, found …, expected …". Line and column count from 1; both 0: about the file as a
/// whole.
struct ConfigProblem {
    std::string file;  ///< "": the text names it
    int line = 0;
    int column = 0;
    std::string text;
    [[nodiscard]] std::string message() const;
};

struct LoadedConfig {
    Config config;
    std::vector<ConfigProblem> warnings;  ///< keys that nobody knows, with "did you mean", and deprecated ones
    EffectiveSettings settings;           ///< what each key is set to, and by what
};

/// Reads the file and, if there is one, `trebuchet.yaml` beside it, which holds at its top level what else stands under
/// `trebuchet:` in the file; a key that stands in both counts as the main file has it. What both leave out comes from
/// the environment, as read_environment says. Returns every problem at once.
[[nodiscard]] tl::expected<LoadedConfig, std::vector<ConfigProblem>> load_config(const std::filesystem::path& file);

/// The same from the main file's text alone: `file` is only for messages.
[[nodiscard]] tl::expected<LoadedConfig, std::vector<ConfigProblem>> parse_config(std::string_view text,
                                                                                  const std::string& file);

}  // namespace trebuchet
