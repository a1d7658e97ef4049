#include "tests/bench/bench_text.hpp"

#include <array>
#include <random>
#include <string_view>

namespace trebuchet::bench {
namespace {

std::string random_text(std::mt19937& engine, std::string_view alphabet, std::size_t size) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text += alphabet[engine() % alphabet.size()];
    return text;
}

constexpr std::string_view alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
constexpr std::string_view hex = "0123456789abcdef";
constexpr std::string_view password =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#%&()*+,-./:;<=>?@^_~";

/// Templates of lines: `#` is replaced by a number, `~` by a word.
std::string line(std::mt19937& engine) {
    static constexpr std::array<std::string_view, 14> templates{
        "[    #.#] usb 1-#: new high-speed USB device number # using xhci_hcd",
        "[    #.#] systemd[1]: Started ~.service - the ~ of ~.",
        "2026-11-20 12:#:# INFO ~: Test ~ finished after # ms with status 0",
        "2026-11-20 12:#:# DEBUG ~.~: GET /v1/~/# HTTP/1.1 200 # bytes",
        "Get:# http://archive.ubuntu.com/ubuntu noble/main amd64 ~ amd64 #.#-# [# kB]",
        "Unpacking ~ (#.#.#-#ubuntu#) over (#.#.#-#ubuntu#) ...",
        "Setting up ~-~ (#.#.#) ...",
        "  CC [M]  drivers/~/~_~.o",
        "++ export ~=/usr/lib/~/~",
        "PASS: ~_~_# (#.## s)",
        "mmc0: new HS400 MMC card at address 000#; mmcblk0: mmc0:000# ~ #.# GiB",
        "ok # - ~ ~ ~ in # iterations",
        "E: ~:#: assertion failed: expected 0x#, got 0x#",
        "",
    };
    static constexpr std::array<std::string_view, 20> words{
        "network", "device", "kernel", "graphics", "checkbox",  "provision", "wlan0", "bluetooth", "storage", "suspend",
        "camera",  "audio",  "ssh",    "cloud",    "installer", "snapd",     "audit", "manifest",  "session", "report"};
    std::string text;
    for (const char c : templates[engine() % templates.size()]) {
        if (c == '#') {
            text += std::to_string(engine() % 10000);
        } else if (c == '~') {
            text += words[engine() % words.size()];
        } else {
            text += c;
        }
    }
    return text + "\n";
}

}  // namespace

std::string log_text(std::size_t size) {
    std::mt19937 engine(20);
    std::string text;
    while (text.size() < size) text += line(engine);
    text.resize(size);
    return text;
}

std::vector<std::string> secrets(std::size_t count) {
    std::mt19937 engine(11);
    std::vector<std::string> values;
    while (values.size() < count) {
        switch (engine() % 4) {
            case 0:
                values.push_back(random_text(engine, alphanumeric, 36));
                break;
            case 1:
                values.push_back(random_text(engine, hex, 32));
                break;
            case 2:
                values.push_back(random_text(engine, password, 12 + engine() % 8));
                break;
            default:
                values.push_back(random_text(engine, alphanumeric, 20 + engine() % 40) + "==");
                break;
        }
    }
    return values;
}

std::string with_hits(const std::string& text, const std::vector<std::string>& values, std::size_t distance) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); i += distance) {
        result.append(text, i, distance);
        result += values[i / distance % values.size()];
    }
    return result;
}

}  // namespace trebuchet::bench
