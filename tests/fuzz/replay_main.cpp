#include <algorithm>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

}  // namespace

/// Runs the target with every file of the given folders, for builds without libFuzzer.
int main(int argc, char** argv) {
    try {
        int count = 0;
        for (int i = 1; i < argc; ++i) {
            for (const auto& file : files_in(argv[i])) {
                std::cout << file.filename().string() << std::endl;
                std::ifstream stream(file, std::ios::binary);
                const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
                LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
                ++count;
            }
        }
        std::cout << count << " inputs\n";
        return count > 0 ? 0 : 1;
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
