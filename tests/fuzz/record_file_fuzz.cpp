#include "common/record_file/record_file.hpp"
#include "tests/fakes/temporary_folder.hpp"
#include "tests/fuzz/require.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using trebuchet::require;

namespace {

std::vector<std::string> records_of(const std::filesystem::path& path, std::string& problem) {
    std::vector<std::string> records;
    const auto file = trebuchet::RecordFile::open(path, [&](std::string_view payload) {
        records.emplace_back(payload);
        return true;
    });
    require(file.has_value(), "any content can be opened");
    problem = file->problem();
    return records;
}

}  // namespace

/// Whatever the file contains, its complete records are read. Reading it again gives the same records and no problem.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const trebuchet::TemporaryFolder folder("/dev/shm");
    const auto path = folder.write("records", {reinterpret_cast<const char*>(data), size});
    std::string problem;
    const auto first = records_of(path, problem);
    const auto second = records_of(path, problem);
    require(first == second, "the records are the same again");
    require(problem.empty(), "the problem was repaired");
    return 0;
}
