#include "common/service/service_folder.hpp"

#include <string>
#include <system_error>

namespace trebuchet {

std::filesystem::path service_folder(const char* value) {
    if (value == nullptr) return {};
    const std::string folders(value);
    const std::filesystem::path first = folders.substr(0, folders.find(':'));
    if (first.empty()) return {};
    std::error_code error;
    auto resolved = std::filesystem::weakly_canonical(first, error);
    return error ? first : resolved;
}

}  // namespace trebuchet
