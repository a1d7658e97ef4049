#include "common/archive/content_inspection.hpp"
#include "common/file/safe_file.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <sys/mman.h>

/// Filters a file with these bytes. Whatever they are, the filter stays within its limits, reads the whole file, and
/// finds the value where it is in plain text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace trebuchet;
    static constexpr std::string_view value = "hunter2-hunter2";
    static const auto masks = [] {
        std::vector<NamedSecret> secrets;
        secrets.push_back({"NAME", SecretString(value)});
        return *MaskSet::build(std::move(secrets));
    }();
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const FileDescriptor file(::memfd_create("artifact", MFD_CLOEXEC));
    if (!write_all(file.get(), bytes)) std::abort();
    InspectionLimits limits;
    limits.bytes = 1 << 20;
    limits.entries = 100;
    const auto look = inspect_content(file.get(), size, masks, limits);
    if (!look || !look->is_whole) std::abort();
    if (look->expanded > limits.bytes + (std::size_t{1} << 18)) std::abort();
    if (bytes.find(value) != std::string_view::npos && look->found.empty()) std::abort();
    if (look->found.empty() && look->masked_size != size) std::abort();
    return 0;
}
