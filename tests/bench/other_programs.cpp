#include "tests/bench/other_programs.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>

#include <sys/resource.h>

#include <nlohmann/json.hpp>

namespace trebuchet::bench {
namespace {

constexpr const char* replace_with_re = R"(
import json, re, sys, time
given = json.load(open(sys.argv[1]))
text = given['text']
pattern = re.compile('|'.join(map(re.escape, given['values'])))
start = time.process_time()
done = 0
while time.process_time() - start < 0.3:
    for i in range(0, len(text), 65536):
        pattern.sub('******', text[i:i + 65536])
        done += min(65536, len(text) - i)
        if time.process_time() - start > 3: break
print(done / (time.process_time() - start))
)";

double cpu_seconds_of_children() {
    rusage usage{};
    ::getrusage(RUSAGE_CHILDREN, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

double python_rate(const std::vector<std::string>& values, const std::string& text) {
    const TemporaryFolder folder;
    folder.write("given.json", nlohmann::json{{"values", values}, {"text", text}}.dump());
    folder.write("replace.py", replace_with_re);
    const auto command =
        "python3 '" + std::string(folder / "replace.py") + "' '" + std::string(folder / "given.json") + "' 2>/dev/null";
    const std::unique_ptr<FILE, int (*)(FILE*)> python(::popen(command.c_str(), "r"), ::pclose);
    double rate = 0;
    if (!python || std::fscanf(python.get(), "%lf", &rate) != 1) return 0;
    return rate;
}

ProcessCost mask_process_cost(const std::vector<std::string>& values, const std::string& text, std::size_t size) {
    const TemporaryFolder folder;
    auto secrets = nlohmann::json::object();
    for (const auto& value : values) secrets["NAME_" + std::to_string(secrets.size())] = value;
    folder.write("secrets.json", secrets.dump());
    std::string whole;
    while (whole.size() < size) whole += text;
    folder.write("log", whole);
    const auto command = std::string("'") + TREBUCHET_AGENT + "' mask --secrets '" +
                         std::string(folder / "secrets.json") + "' < '" + std::string(folder / "log") + "' > /dev/null";
    const auto cpu = cpu_seconds_of_children();
    const auto start = std::chrono::steady_clock::now();
    if (std::system(command.c_str()) != 0) throw std::runtime_error("trebuchet-agent mask failed");
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
    return {static_cast<double>(whole.size()), cpu_seconds_of_children() - cpu, wall.count()};
}

}  // namespace trebuchet::bench
