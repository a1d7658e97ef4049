#pragma once

#include "agent/config/config.hpp"
#include "agent/config/effective_settings.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace trebuchet {

/// "file:line:col: what is wrong, found …, expected …". Line and column count from 1; 0: the problem concerns the whole
/// file.
struct ConfigProblem {
    std::string file;  ///< "": the text names the file
    int line = 0;
    int column = 0;
    std::string text;
    [[nodiscard]] std::string message() const;
};

struct LoadedConfig {
    Config config;
    std::vector<ConfigProblem> warnings;  ///< unknown keys, with "did you mean", and deprecated ones
    EffectiveSettings settings;           ///< the value and the source of each key
};

/// Reads the file and, if it exists, `trebuchet.yaml` beside it, whose top-level keys are those of the section
/// `trebuchet:`. You can use both; the section wins. Missing keys come from the environment, see read_environment. The
/// error contains all problems.
[[nodiscard]] tl::expected<LoadedConfig, std::vector<ConfigProblem>> load_config(const std::filesystem::path& file);

/// Parses only the main file's text. `file` is only used in messages.
[[nodiscard]] tl::expected<LoadedConfig, std::vector<ConfigProblem>> parse_config(std::string_view text,
                                                                                  const std::string& file);

}  // namespace trebuchet
