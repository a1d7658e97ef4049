#pragma once

#include "common/mask/mask_set.hpp"
#include "common/secret/secret_string.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace trebuchet {

/// The agent's own credentials: tokens, keys, passwords of proxies. A job that runs as the agent's user may read some
/// of them, so every job and the agent's log mask them. Use it on the loop's thread.
class OwnSecrets {
  public:
    /// Keeps the last few values of each name: an older token may still be valid.
    static constexpr std::size_t values_per_name = 4;

    void add(const std::string& name, std::string_view value);
    /// Adds the tokens in this file, {"refresh_token": "…"}, or its whole text if it is not JSON. Adds them again when
    /// the file changes. The file need not exist. Reads only regular files of at most 64 KiB.
    void watch_file(const std::string& name, const std::filesystem::path& file);
    /// The same for each file that is in this folder now.
    void watch_folder(const std::string& name, const std::filesystem::path& folder);
    /// Adds the passwords in the variables that name a proxy, such as https_proxy=http://user:PASSWORD@proxy:3128.
    void add_proxies_of_environment();

    /// Reads the files that have changed. Costs one stat per file, so it may be called for each piece of output.
    /// Returns the number of the last value.
    std::uint64_t look();
    /// The kept values with a higher number than this.
    [[nodiscard]] std::vector<NamedSecret> after(std::uint64_t number) const;
    /// Calls look(), then returns all values.
    [[nodiscard]] std::vector<NamedSecret> all();

  private:
    /// Device, inode, size, time of the last change to the content and to the inode.
    using Stamp =
        std::tuple<std::uint64_t, std::uint64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t>;
    struct File {
        std::string name;
        std::filesystem::path path;
        Stamp stamp{};
    };
    struct Value {
        std::uint64_t number;
        std::string name;
        SecretString value;
    };

    [[nodiscard]] static Stamp stamp_of(const std::filesystem::path& path);
    void read(const File& file);

    std::vector<File> files_;
    std::deque<Value> values_;
    std::uint64_t last_number_ = 0;
};

}  // namespace trebuchet
