#include "common/base/clock.hpp"
#include "provision/image/image_source.hpp"
#include "provision/image/image_target.hpp"
#include "provision/image/image_writer.hpp"
#include "provision/log/connector_log.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

struct Options {
    std::size_t mebibytes = 2048;
    int rounds = 3;
    std::string folder = fs::temp_directory_path().string();
};

struct Run {
    double seconds = 0;
    double peak_megabytes = 0;  ///< 10⁶ bytes
};

/// Runs `work` in a child process. Its result is the exit code.
Run measure(const std::function<int()>& work) {
    std::fflush(nullptr);
    const auto start = std::chrono::steady_clock::now();
    const pid_t pid = ::fork();
    if (pid < 0) throw std::runtime_error("fork");
    if (pid == 0) ::_exit(work());
    int status = 0;
    rusage usage{};
    if (::wait4(pid, &status, 0, &usage) != pid || status != 0) throw std::runtime_error("a run failed");
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    return {time.count(), static_cast<double>(usage.ru_maxrss) * 1024 / 1e6};
}

int shell(const std::string& command) {
    ::execl("/bin/bash", "bash", "-o", "pipefail", "-c", command.c_str(), nullptr);
    return 1;
}

class Image {
  public:
    Image(const fs::path& folder, std::size_t mebibytes) : path_(folder / "image.zst") {
        std::FILE* zstd = ::popen(("zstd -q -3 -o '" + path_.string() + "'").c_str(), "w");
        if (zstd == nullptr) throw std::runtime_error("cannot start zstd");
        for (std::size_t done = 0; done < mebibytes; ++done) {
            const auto& block = next(done);
            if (std::fwrite(block.data(), 1, block.size(), zstd) != block.size()) throw std::runtime_error("zstd");
        }
        if (::pclose(zstd) != 0) throw std::runtime_error("zstd failed");
    }
    [[nodiscard]] const fs::path& path() const { return path_; }

  private:
    std::uint64_t random() {
        state_ ^= state_ << 13U;
        state_ ^= state_ >> 7U;
        state_ ^= state_ << 17U;
        return state_;
    }

    /// Blocks like those of a system disk: of eight blocks, four can be compressed, two cannot, and two are free space.
    const std::string& next(std::size_t number) {
        block_.assign(std::size_t{1024} * 1024, '\0');
        const auto kind = number % 8;
        if (kind >= 6) return block_;
        if (kind >= 4) {
            for (auto& byte : block_) byte = static_cast<char>(random());
            return block_;
        }
        std::vector<std::string> words(500);
        for (auto& word : words) {
            for (auto length = 2 + random() % 9; length > 0; --length) word += static_cast<char>('a' + random() % 26);
        }
        std::size_t filled = 0;
        while (filled < block_.size()) {
            const auto& word = words[random() % words.size()];
            block_.replace(filled, std::min(word.size(), block_.size() - filled), word, 0, block_.size() - filled);
            filled += word.size() + 1;
        }
        return block_;
    }

    fs::path path_;
    std::string block_;
    std::uint64_t state_ = 0x9E3779B97F4A7C15;
};

class NoInterrupt final : public Interrupt {
  public:
    [[nodiscard]] int wait_for(std::chrono::milliseconds time) override {
        // The writer waits here while other threads and programs do the measured work.
        ::usleep(static_cast<useconds_t>(std::chrono::microseconds(time).count()));
        return 0;
    }
};

int write_by_us(const fs::path& image, const fs::path& target) {
    const SystemClock clock;
    const ConnectorLog log(clock, "", -1);
    NoInterrupt interrupt;
    const auto source = open_image_file(image);
    const auto opened = open_local_target(target);
    if (!source || !opened) {
        std::cerr << (source ? opened.error() : source.error()).message() << '\n';
        return 1;
    }
    const auto written = write_image(**source, **opened, {}, {log, interrupt, clock});
    if (!written) std::cerr << written.error().message << '\n';
    return written ? 0 : 1;
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

void run(const Options& options) {
    const TemporaryFolder folder{options.folder};
    const Image image(folder.path(), options.mebibytes);
    const auto megabytes = static_cast<double>(options.mebibytes) * 1024 * 1024 / 1e6;
    std::printf("image of %.0f MB, %.0f MB as zstd, to a file in %s\n", megabytes,
                static_cast<double>(fs::file_size(image.path())) / 1e6, options.folder.c_str());
    const auto target = folder / "card";
    const auto dd = "zstdcat '" + image.path().string() + "' | dd of='" + target.string() +
                    "' bs=16M iflag=fullblock conv=fsync status=none";
    std::vector<double> theirs;
    std::vector<double> ours;
    std::vector<double> ratios;
    double peak = 0;
    for (int round = 0; round < options.rounds; ++round) {
        fs::remove(target);
        theirs.push_back(measure([&] { return shell(dd); }).seconds);
        fs::remove(target);
        const auto own = measure([&] { return write_by_us(image.path(), target); });
        ours.push_back(own.seconds);
        ratios.push_back(theirs.back() / own.seconds);
        peak = std::max(peak, own.peak_megabytes);
        std::printf("  round %d: zstdcat | dd %.2f s, write_image %.2f s\n", round + 1, theirs.back(), own.seconds);
    }
    // Throws if the target differs from the image.
    (void)measure([&] { return shell("zstdcat '" + image.path().string() + "' | cmp - '" + target.string() + "'"); });
    std::printf("%-52s %9.0f MB/s\n", "zstdcat | dd, median", megabytes / median(theirs));
    std::printf("%-52s %9.0f MB/s\n", "write_image, median", megabytes / median(ours));
    std::printf("%-52s %9.2f      target >= 0.90\n", "write_image : zstdcat | dd, median of the rounds",
                median(ratios));
    std::printf("%-52s %9.1f MB   target <= 40\n", "memory of write_image's process, peak", peak);
}

}  // namespace
}  // namespace trebuchet

int main(int argc, char** argv) {
    trebuchet::Options options;
    CLI::App app("Compares write_image with `zstdcat | dd`: both write a zstd image to a file and end with an fsync.");
    app.add_option("--mebibytes", options.mebibytes, "Size of the image")->capture_default_str();
    app.add_option("--rounds", options.rounds, "Number of rounds; the median is printed")->capture_default_str();
    app.add_option("--folder", options.folder, "Where to create a temporary folder for image and file")
        ->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    try {
        trebuchet::run(options);
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
    return 0;
}
