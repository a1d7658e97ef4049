#include "common/process/environment.hpp"

#include <unistd.h>

namespace trebuchet {

Environment Environment::inherited() {
    Environment own;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const auto equals = text.find('=');
        if (equals != std::string_view::npos && equals > 0)
            own.set(std::string(text.substr(0, equals)), text.substr(equals + 1));
    }
    return own;
}

void Environment::set(const std::string& name, std::string_view value) {
    variables_.insert_or_assign(name, SecretString(value));
}

void Environment::unset(const std::string& name) {
    variables_.erase(name);
}

void Environment::unset_prefix(std::string_view prefix) {
    auto entry = variables_.lower_bound(std::string(prefix));
    while (entry != variables_.end() && entry->first.starts_with(prefix)) entry = variables_.erase(entry);
}

EnvironmentBlock::EnvironmentBlock(const Environment& environment) {
    entries_.reserve(environment.variables().size());
    for (const auto& [name, value] : environment.variables()) {
        WipedString entry(name);
        entry += '=';
        entry += value.reveal();
        entry += '\0';
        entries_.emplace_back(entry);
        // execve takes char* for historic reasons and does not write through it.
        pointers_.push_back(const_cast<char*>(entries_.back().reveal().data()));
    }
    pointers_.push_back(nullptr);
}

}  // namespace trebuchet
