// Replaces the program whose name it is called by (maas, ssh, curl, …): tells the runner how it was called, and answers
// as recorded.

#include "tests/provision/conformance/socket.hpp"

#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>

int main(int argc, char** argv) {
    using namespace trebuchet::conformance;
    try {
        auto words = nlohmann::json::array({std::filesystem::path(argv[0]).filename().string()});
        for (int i = 1; i < argc; ++i) words.push_back(argv[i]);
        const auto answer = report({{"argv", words}, {"stdin", read_to_end(STDIN_FILENO)}});
        if (answer.value("hang", false)) ::raise(hanging_signal);
        const auto out = answer.value("out", std::string());
        if (words.front() == "ssh-import-id" && answer.value("rc", 0) == 0 && argc > 2) {
            std::ofstream(argv[2]) << "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBm0pLlpCkMsqd6NTvDLkN5iLkEyPGH me@home\n";
        }
        std::fwrite(out.data(), 1, out.size(), stdout);
        return answer.value("rc", 0);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "double: %s\n", error.what());
        return 120;
    }
}
