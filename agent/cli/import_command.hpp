#pragma once

#include <filesystem>

namespace trebuchet {

struct ImportOptions {
    bool write = false;
    bool rehearse = false;
    bool undo = false;
    bool force = false;  ///< with `undo`: also what was changed by hand; with `write`: while the Python agents run
    std::filesystem::path root = "/";  ///< in tests, another root folder
};

/// Prints what an import of this host's Python agents would change; makes the changes, rehearses a job, or takes
/// the changes back. Returns the
/// exit code: 0 done, 1 something is to be mended first, or a rehearsed job would differ, 2 there is nothing to import
/// or to undo, or it failed.
int import_command(const ImportOptions& options);

}  // namespace trebuchet
