#pragma once

#include "common/secret/secret_string.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// The environment of a process. Values may be secrets: they are wiped after use. Movable, not copyable.
class Environment {
  public:
    /// This process's own environment.
    [[nodiscard]] static Environment inherited();

    void set(const std::string& name, std::string_view value);
    void unset(const std::string& name);
    /// Unsets every name that starts with `prefix`.
    void unset_prefix(std::string_view prefix);
    [[nodiscard]] const std::map<std::string, SecretString>& variables() const { return variables_; }

  private:
    std::map<std::string, SecretString> variables_;
};

/// `name=value` strings and the null-terminated array that execve wants; wiped in the destructor.
class EnvironmentBlock {
  public:
    explicit EnvironmentBlock(const Environment& environment);
    [[nodiscard]] char** data() { return pointers_.data(); }

  private:
    std::vector<SecretString> entries_;
    std::vector<char*> pointers_;
};

}  // namespace trebuchet
