#pragma once

#include "agent/cli/key_command.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace trebuchet {

struct CheckFileOptions {
    std::vector<std::filesystem::path> files;
    KeyChoice key;
    bool with_keys = false;  ///< decrypt, too
};
/// `secret check`: prints every mistake in files like `.testing-farm.yaml`, with line and column, and what their
/// entries were encrypted for if the keys are there. Prints no value. Returns 0, or 2 if there is one.
int check_file_command(const CheckFileOptions& options);

struct PatchOptions {
    std::filesystem::path file = ".testing-farm.yaml";
    std::filesystem::path request;
    std::string plan;  ///< "": none
    KeyChoice key;
    bool decrypt = false;
    bool no_secrets = false;  ///< refuse if the file has secrets for the request
};
/// `secret patch`: prints the request to Testing Farm's API as the file patches it. Returns 0, or 2.
int patch_command(const PatchOptions& options);

}  // namespace trebuchet
