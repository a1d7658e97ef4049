#include "common/mask/credential_patterns.hpp"
#include "common/mask/finder.hpp"
#include "common/mask/mask_set.hpp"
#include "common/mask/mask_stream.hpp"
#include "common/mask/mask_text.hpp"
#include "common/mask/masker.hpp"
#include "tests/bench/bench_text.hpp"
#include "tests/bench/other_programs.hpp"
#include "tests/bench/raw_hyperscan.hpp"

#include <ctime>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

namespace trebuchet::bench {
namespace {

constexpr std::size_t chunk = 65536;
constexpr std::size_t text_size = 16 * chunk;

std::shared_ptr<const MaskSet> set_of(const std::vector<std::string>& values, const MaskOptions& options = {}) {
    std::vector<NamedSecret> named;
    named.reserve(values.size());
    for (const auto& value : values) named.push_back({"NAME", SecretString(value)});
    return MaskSet::build(std::move(named), options).value();
}

/// The mask set of the daemon: with well-known credentials.
std::shared_ptr<const MaskSet> full_set_of(const std::vector<std::string>& values) {
    static const auto credentials =
        CredentialPatterns::build({}, std::make_shared<const MaskText>(MaskHash::keyed)).value();
    MaskOptions options;
    options.credentials = credentials;
    return set_of(values, options);
}

/// Counts bytes per second of CPU time. G means 10⁹.
void count_bytes(benchmark::State& state, std::size_t each) {
    const auto bytes = static_cast<double>(each) * static_cast<double>(state.iterations());
    state.counters["bytes"] = benchmark::Counter(bytes, benchmark::Counter::kIsRate);
}

std::size_t scan_in_chunks(const RawHyperscan& raw, std::string_view text) {
    std::size_t matches = 0;
    for (std::size_t i = 0; i < text.size(); i += chunk) matches += raw.scan(text.substr(i, chunk));
    return matches;
}

double cpu_seconds() {
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

/// The CPU time in seconds that Hyperscan alone takes for the text.
double seconds_of_raw(const std::vector<std::string>& values, std::string_view text) {
    const RawHyperscan raw(values);
    benchmark::DoNotOptimize(scan_in_chunks(raw, text));
    const auto start = cpu_seconds();
    auto rounds = 0.0;
    for (; cpu_seconds() - start < 0.05; rounds += 1) benchmark::DoNotOptimize(scan_in_chunks(raw, text));
    return (cpu_seconds() - start) / rounds;
}

void mask_in_writes(benchmark::State& state, Masker masker, std::string_view text, std::size_t write_size) {
    while (state.KeepRunning()) {
        for (std::size_t i = 0; i < text.size(); i += write_size) {
            const auto masked = masker.write(text.substr(i, write_size));
            benchmark::DoNotOptimize(masked.bytes().data());
        }
    }
    benchmark::DoNotOptimize(masker.finish().size());
    count_bytes(state, text.size());
}

double seconds_of_copy(const std::string& text) {
    const auto start = cpu_seconds();
    auto rounds = 0.0;
    for (; cpu_seconds() - start < 0.05; rounds += 1) {
        for (std::size_t i = 0; i < text.size(); i += chunk) {
            const auto copy = text.substr(i, chunk);
            benchmark::DoNotOptimize(copy.data());
        }
    }
    return (cpu_seconds() - start) / rounds;
}

/// The resident anonymous memory of this process, in bytes.
double anonymous_bytes() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        double kilobytes = 0;
        if (word == "RssAnon:" && status >> kilobytes) return kilobytes * 1024;
    }
    return 0;
}

/// The counters compare the speed with others in the same run: `of_raw` with Hyperscan alone (no merging, no copying,
/// no encoded forms), `of_copy` with copying alone, `of_python` with Python's `re` (no encoded forms).
void mask_no_match(benchmark::State& state) {
    const auto values = secrets(static_cast<std::size_t>(state.range(0)));
    const auto text = log_text(text_size);
    const auto raw = seconds_of_raw(values, text);
    const auto copy = seconds_of_copy(text);
    Masker masker(set_of(values));
    const auto start = cpu_seconds();
    mask_in_writes(state, std::move(masker), text, chunk);
    const auto own = (cpu_seconds() - start) / static_cast<double>(state.iterations());
    state.counters["of_raw"] = raw / own;
    state.counters["of_copy"] = copy / own;
    if (const auto python = python_rate(values, text); python > 0) {
        state.counters["of_python"] = static_cast<double>(text.size()) / own / python;
    }
}

/// The plain values, without encoded forms.
void mask_literals_only(benchmark::State& state) {
    std::vector<Literal> literals;
    std::vector<MaskedValue> values;
    for (const auto& value : secrets(static_cast<std::size_t>(state.range(0)))) {
        literals.push_back({SecretString(value), static_cast<std::uint32_t>(values.size())});
        values.push_back({"NAME", "**ab12cd**"});
    }
    const auto compiled = Literals::compile(std::move(literals), std::move(values)).value();
    MaskStream stream(*compiled);
    const auto text = log_text(text_size);
    std::string out;
    while (state.KeepRunning()) {
        for (std::size_t i = 0; i < text.size(); i += chunk) {
            out.clear();
            stream.write(std::string_view(text).substr(i, chunk), out);
            benchmark::DoNotOptimize(out.data());
        }
    }
    count_bytes(state, text.size());
}

/// Everything that the daemon does, with well-known credentials.
void mask_everything(benchmark::State& state) {
    mask_in_writes(state, Masker(full_set_of(secrets(static_cast<std::size_t>(state.range(0))))), log_text(text_size),
                   static_cast<std::size_t>(state.range(1)));
}

void mask_a_hit_per_kilobyte(benchmark::State& state) {
    const auto values = secrets(static_cast<std::size_t>(state.range(0)));
    mask_in_writes(state, Masker(set_of(values)), with_hits(log_text(text_size), values, 1000), chunk);
}

void mask_lines_of_80_bytes(benchmark::State& state) {
    mask_in_writes(state, Masker(set_of(secrets(static_cast<std::size_t>(state.range(0))))), log_text(text_size), 80);
}

/// With private keys of 3 KB among the values. The log text contains no part of them.
void mask_with_long_values(benchmark::State& state) {
    auto values = secrets(static_cast<std::size_t>(state.range(0)));
    for (const auto& part : secrets(10)) {
        std::string value = "-----BEGIN PRIVATE KEY-----\n";
        while (value.size() < 3000) value += part + "\n";
        values.push_back(value + "-----END PRIVATE KEY-----\n");
    }
    mask_in_writes(state, Masker(set_of(values)), log_text(text_size), chunk);
}

/// Lines of a serial console, with colours and CRLF.
void mask_coloured_lines(benchmark::State& state) {
    std::string text;
    for (const char c : log_text(text_size)) {
        if (c == '[') text += "\x1b[0;32m";
        if (c == '\n') text += "\x1b[0m\r";
        text += c;
    }
    mask_in_writes(state, Masker(set_of(secrets(static_cast<std::size_t>(state.range(0))))), text, chunk);
}

void scan_raw(benchmark::State& state) {
    const RawHyperscan raw(secrets(static_cast<std::size_t>(state.range(0))));
    const auto text = log_text(text_size);
    while (state.KeepRunning()) benchmark::DoNotOptimize(scan_in_chunks(raw, text));
    count_bytes(state, text.size());
}

void copy_only(benchmark::State& state) {
    const auto text = log_text(text_size);
    while (state.KeepRunning()) {
        for (std::size_t i = 0; i < text.size(); i += chunk) {
            const auto copy = text.substr(i, chunk);
            benchmark::DoNotOptimize(copy.data());
        }
    }
    count_bytes(state, text.size());
}

/// Searches `aaaa…b` in `aaaa…`, one byte at a time: with each byte, the position up to which bytes are held moves.
void worst_near_miss_byte_by_byte(benchmark::State& state) {
    const auto length = static_cast<std::size_t>(state.range(0));
    mask_in_writes(state, Masker(set_of({std::string(length - 1, 'a') + "b"})), std::string(4 * chunk, 'a'), 1);
}

void worst_nested_values(benchmark::State& state) {
    std::vector<std::string> values;
    for (std::size_t i = 1; i <= 100; ++i) values.emplace_back(i + 2, 'a');
    mask_in_writes(state, Masker(set_of(values)), std::string(4 * chunk, 'a'),
                   static_cast<std::size_t>(state.range(0)));
}

/// At each byte the anchor matches, and the whole value almost does.
void worst_near_miss_behind_the_anchor(benchmark::State& state) {
    const auto half = static_cast<std::size_t>(state.range(0)) / 2;
    mask_in_writes(state, Masker(set_of({std::string(half, 'a') + "b" + std::string(half, 'a')})),
                   std::string(4 * chunk, 'a'), chunk);
}

/// A whole value ends at each byte.
void worst_long_value_of_one_letter(benchmark::State& state) {
    mask_in_writes(state, Masker(set_of({std::string(static_cast<std::size_t>(state.range(0)), 'a')})),
                   std::string(4 * chunk, 'a'), chunk);
}

/// At the end of each write, a value might begin at thousands of places, but none does.
void worst_search_for_a_beginning(benchmark::State& state) {
    const auto length = static_cast<std::size_t>(state.range(0));
    std::string text;
    while (text.size() < 4 * chunk) text += std::string(length / 2, 'a') + "c";
    mask_in_writes(state, Masker(set_of({std::string(length, 'a') + "b"})), text, 512);
}

/// Each line may continue a value that never ends.
void worst_near_miss_over_lines(benchmark::State& state) {
    const auto length = static_cast<std::size_t>(state.range(0));
    std::string text;
    while (text.size() < 4 * chunk) text += std::string(79, 'a') + "\n";
    mask_in_writes(state, Masker(set_of({std::string(length, 'a') + "b"})), text, chunk);
}

/// The whole program over a file, from start to end.
void mask_whole_process(benchmark::State& state) {
    const auto values = secrets(static_cast<std::size_t>(state.range(0)));
    const auto text = log_text(text_size);
    double bytes = 0;
    double cpu_seconds = 0;
    while (state.KeepRunning()) {
        const auto cost = mask_process_cost(values, text, 128 * text_size);
        state.SetIterationTime(cost.wall_seconds);
        bytes += cost.bytes;
        cpu_seconds += cost.cpu_seconds;
    }
    state.counters["bytes_per_cpu_second"] = bytes / cpu_seconds;
}

/// `memory`: the bytes that the first set takes. Correct only if nothing else ran before.
void build_set(benchmark::State& state) {
    const auto values = secrets(static_cast<std::size_t>(state.range(0)));
    const auto before = anonymous_bytes();
    const auto first = set_of(values);
    state.counters["memory"] = anonymous_bytes() - before;
    while (state.KeepRunning()) benchmark::DoNotOptimize(set_of(values));
}

BENCHMARK(mask_no_match)->Arg(1)->Arg(10)->Arg(100)->Arg(1000);
BENCHMARK(mask_literals_only)->Arg(100)->Arg(1000);
BENCHMARK(mask_everything)->ArgsProduct({{0, 100, 1000}, {chunk, 100}});
BENCHMARK(scan_raw)->Arg(1)->Arg(10)->Arg(100)->Arg(1000);
BENCHMARK(mask_a_hit_per_kilobyte)->Arg(1)->Arg(10)->Arg(100)->Arg(1000);
BENCHMARK(mask_lines_of_80_bytes)->Arg(1)->Arg(10)->Arg(100)->Arg(1000);
BENCHMARK(mask_with_long_values)->Arg(10);
BENCHMARK(mask_coloured_lines)->Arg(1)->Arg(100)->Arg(1000);
BENCHMARK(copy_only);
BENCHMARK(worst_near_miss_byte_by_byte)->Arg(100)->Arg(16000);
BENCHMARK(worst_nested_values)->Arg(1)->Arg(chunk);
BENCHMARK(worst_near_miss_behind_the_anchor)->Arg(100)->Arg(16000);
BENCHMARK(worst_long_value_of_one_letter)->Arg(100)->Arg(16000);
BENCHMARK(worst_search_for_a_beginning)->Arg(100)->Arg(16000);
BENCHMARK(worst_near_miss_over_lines)->Arg(100)->Arg(16000);
BENCHMARK(mask_whole_process)->Arg(100)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(build_set)->Arg(10)->Arg(100)->Arg(1000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace trebuchet::bench

BENCHMARK_MAIN();
