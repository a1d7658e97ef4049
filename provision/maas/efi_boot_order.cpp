#include "provision/maas/efi_boot_order.hpp"

#include <algorithm>
#include <cctype>
#include <sstream>
#include <vector>

namespace trebuchet {
namespace {

bool is_entry_number(std::string_view text) {
    return text.size() == 4 && std::all_of(text.begin(), text.end(),
                                           [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; });
}

std::string trimmed(std::string_view text) {
    constexpr auto blanks = " \t\r";
    const auto begin = std::min(text.find_first_not_of(blanks), text.size());
    return std::string(text.substr(begin, text.find_last_not_of(blanks) + 1 - begin));
}

/// "0003,0001" as its numbers; anything else in it is left out.
std::vector<std::string> numbers_of(const std::string& list) {
    std::vector<std::string> numbers;
    std::istringstream words(list);
    for (std::string word; std::getline(words, word, ',');) {
        if (auto number = trimmed(word); is_entry_number(number)) numbers.push_back(std::move(number));
    }
    return numbers;
}

void add_once(std::vector<std::string>& list, const std::string& number) {
    if (std::find(list.begin(), list.end(), number) == list.end()) list.push_back(number);
}

}  // namespace

std::optional<std::string> network_first_boot_order(std::string_view efibootmgr_output) {
    std::string current;
    std::vector<std::string> order;
    std::vector<std::string> network;
    std::istringstream lines{std::string(efibootmgr_output)};
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("BootCurrent:")) {
            current = trimmed(std::string_view(line).substr(12));
        } else if (line.starts_with("BootOrder:")) {
            order = numbers_of(line.substr(10));
        } else if (line.starts_with("Boot") && line.size() > 8 &&
                   is_entry_number(std::string_view(line).substr(4, 4)) && line.find("IPv4") != std::string::npos) {
            network.push_back(line.substr(4, 4));
        }
    }
    if (order.empty()) return std::nullopt;

    std::vector<std::string> wanted;
    if (std::find(network.begin(), network.end(), current) != network.end()) wanted.push_back(current);
    for (const auto& number : network) add_once(wanted, number);
    for (const auto& number : order) add_once(wanted, number);
    std::string text;
    for (const auto& number : wanted) text += (text.empty() ? "" : ",") + number;
    return text;
}

}  // namespace trebuchet
