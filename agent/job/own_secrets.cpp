#include "agent/job/own_secrets.hpp"

#include "common/file/credential_file.hpp"
#include "common/secret/secret_json.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <system_error>
#include <utility>

#include <sys/stat.h>

namespace trebuchet {
namespace {

constexpr std::size_t file_limit = 65'536;
constexpr std::size_t shortest_other_leaf = 20;
constexpr std::size_t most_files_of_a_folder = 64;

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const auto lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

WipedString percent_decoded(std::string_view text) {
    WipedString out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool is_escape = text[i] == '%' && i + 2 < text.size();
        const int high = is_escape ? hex_digit(text[i + 1]) : -1;
        const int low = is_escape ? hex_digit(text[i + 2]) : -1;
        if (high < 0 || low < 0) {
            out += text[i];
            continue;
        }
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return out;
}

/// PASSWORD in scheme://user:PASSWORD@host; "" if there is none.
std::string_view password_in(std::string_view url) {
    const auto scheme = url.find("://");
    const auto authority = scheme == std::string_view::npos ? url : url.substr(scheme + 3);
    const auto at = authority.substr(0, authority.find('/')).rfind('@');
    if (at == std::string_view::npos) return {};
    const auto user = authority.substr(0, at);
    const auto colon = user.find(':');
    return colon == std::string_view::npos ? std::string_view() : user.substr(colon + 1);
}

}  // namespace

void OwnSecrets::add(const std::string& name, std::string_view value) {
    if (value.empty()) return;
    const auto is_known = [&](const Value& known) { return known.value.reveal() == value; };
    if (std::any_of(values_.begin(), values_.end(), is_known)) return;
    values_.push_back({++last_number_, name, SecretString(value)});
    const auto is_of_name = [&](const Value& known) { return known.name == name; };
    if (std::count_if(values_.begin(), values_.end(), is_of_name) > static_cast<std::ptrdiff_t>(values_per_name)) {
        values_.erase(std::find_if(values_.begin(), values_.end(), is_of_name));
    }
}

OwnSecrets::Stamp OwnSecrets::stamp_of(const std::filesystem::path& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return {};
    return {info.st_dev,          info.st_ino,         info.st_size,        info.st_mtim.tv_sec,
            info.st_mtim.tv_nsec, info.st_ctim.tv_sec, info.st_ctim.tv_nsec};
}

void OwnSecrets::watch_file(const std::string& name, const std::filesystem::path& file) {
    const auto is_it = [&](const File& known) { return known.path == file; };
    if (file.empty() || std::any_of(files_.begin(), files_.end(), is_it)) return;
    files_.push_back({name, file});
}

void OwnSecrets::watch_folder(const std::string& name, const std::filesystem::path& folder) {
    std::error_code error;
    std::size_t count = 0;
    for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
        if (++count > most_files_of_a_folder) return;
        watch_file(name + " " + entry->path().filename().string(), entry->path());
    }
}

void OwnSecrets::add_proxies_of_environment() {
    for (const auto* variable : {"http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY",
                                 "FTP_PROXY", "ALL_PROXY"}) {
        const char* url = std::getenv(variable);
        if (url == nullptr) continue;
        const auto password = password_in(url);
        add("agent's proxy password", password);
        add("agent's proxy password", percent_decoded(password));
    }
}

void OwnSecrets::read(const File& file) {
    const auto text = read_credential_file(file.path, file_limit);
    if (!text) return;  // the user of the file reports the error
    const auto json = parse_secret_json(text->reveal(), file.name);
    if (!json || !json->is_object()) return add(file.name, text->reveal());
    for (const auto& [key, value] : json->items()) {
        if (!value.is_string()) continue;
        const std::string_view leaf = value.get_ref<const WipedString&>();
        const bool is_token = std::string_view{key}.ends_with("token");
        // Skip short values beside a token, such as its type.
        if (is_token || leaf.size() >= shortest_other_leaf) add(file.name, leaf);
    }
}

std::uint64_t OwnSecrets::look() {
    for (auto& file : files_) {
        const auto stamp = stamp_of(file.path);
        if (stamp == file.stamp) continue;
        file.stamp = stamp;
        if (stamp != Stamp{}) read(file);
    }
    return last_number_;
}

std::vector<NamedSecret> OwnSecrets::after(std::uint64_t number) const {
    std::vector<NamedSecret> found;
    for (const auto& value : values_) {
        if (value.number > number) found.push_back({value.name, value.value.clone()});
    }
    return found;
}

std::vector<NamedSecret> OwnSecrets::all() {
    look();
    return after(0);
}

}  // namespace trebuchet
