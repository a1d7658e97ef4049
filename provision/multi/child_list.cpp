#include "provision/multi/child_list.hpp"

#include "common/file/safe_file.hpp"
#include "provision/process/foreign_json.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <system_error>

namespace trebuchet {
namespace {

constexpr const char* list_file = "job_list.json";
constexpr std::size_t max_list = std::size_t{1024} * 1024;
constexpr std::size_t max_id = 100;

}  // namespace

std::string Child::device_ip() const {
    if (!device_info.is_object()) return {};
    const auto address = device_info.find("device_ip");
    return address != device_info.end() && address->is_string() ? address->get<std::string>() : std::string();
}

bool is_job_id(std::string_view id) {
    return !id.empty() && id.size() <= max_id && std::all_of(id.begin(), id.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
    });
}

Result<void> write_child_list(const std::vector<Child>& children) {
    auto list = nlohmann::json::array();
    for (const auto& child : children) list.push_back({{"job_id", child.id}, {"device_info", child.device_info}});
    return write_file(list_file, list.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

Result<std::optional<std::vector<Child>>> read_child_list() {
    std::error_code error;
    if (std::filesystem::symlink_status(list_file, error).type() == std::filesystem::file_type::not_found) {
        return std::optional<std::vector<Child>>();
    }
    const auto text = read_untrusted(list_file, max_list);
    if (!text) return fail(text.error());
    const auto list = parse_foreign_json(*text);
    if (!list.is_array()) return fail(std::string(list_file) + ": expected a list of jobs");
    std::vector<Child> children;
    for (const auto& entry : list) {
        if (children.size() == most_children) break;
        if (!entry.is_object()) continue;
        const auto id = entry.find("job_id");
        if (id == entry.end() || !id->is_string() || !is_job_id(id->get_ref<const std::string&>())) continue;
        Child child;
        child.id = id->get<std::string>();
        if (const auto info = entry.find("device_info"); info != entry.end()) child.device_info = *info;
        children.push_back(std::move(child));
    }
    return std::optional(std::move(children));
}

}  // namespace trebuchet
