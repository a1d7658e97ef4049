#include "common/archive/tar_gz_reader.hpp"
#include "common/file/safe_file.hpp"
#include "tests/fakes/temporary_folder.hpp"
#include "tests/fuzz/require.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>

#include <sys/stat.h>
#include <zlib.h>

using trebuchet::require;

namespace {

namespace fs = std::filesystem;

std::string gzip(const std::string& bytes) {
    z_stream stream{};
    constexpr int gzip_format = 15 + 16;
    require(deflateInit2(&stream, Z_NO_COMPRESSION, Z_DEFLATED, gzip_format, 8, Z_DEFAULT_STRATEGY) == Z_OK, "zlib");
    std::string packed(deflateBound(&stream, bytes.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // NOLINT(*-const-cast): only read
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    require(deflate(&stream, Z_FINISH) == Z_STREAM_END, "zlib");
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
}

void check_unpacked(const fs::path& target) {
    const auto home = fs::canonical(target).string();
    for (const auto& entry : fs::recursive_directory_iterator(target)) {
        struct stat info {};
        require(::lstat(entry.path().c_str(), &info) == 0, "what was unpacked can be looked at");
        require(S_ISREG(info.st_mode) || S_ISDIR(info.st_mode) || S_ISLNK(info.st_mode), "files, folders and links");
        if (!S_ISLNK(info.st_mode)) {
            require((info.st_mode & 07022U) == 0, "no set-uid bits, writable by nobody else");
            continue;
        }
        std::error_code error;  // a loop, or too long a name
        const auto end = fs::weakly_canonical(entry.path(), error);
        if (error) continue;
        require(end == home || end.string().starts_with(home + "/"), "no link leads out");
    }
}

}  // namespace

/// Any bytes are an archive or refused, and nothing outside the target is touched. The first byte says whether the rest
/// is the archive itself or a tar that is yet to be compressed (which a fuzzer changes with more effect).
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string rest(data + 1, data + size);
    const trebuchet::TemporaryFolder folder("/dev/shm");  // a disk is ten times slower
    const auto archive = folder.write("archive", *data == 'z' ? rest : gzip(rest));
    const auto canary = folder.write("canary", "untouched");
    const auto target = folder / "target";

    trebuchet::UnpackLimits limits;
    limits.bytes = 1U << 20U;
    limits.entries = 100;
    const auto report = trebuchet::unpack_tar_gz(archive, target, {"provision", "test"}, limits);
    if (report) require(report->bytes <= limits.bytes && report->entries <= limits.entries, "the limits");
    if (!report) require(!report.error().message().empty(), "an error says why");

    if (fs::exists(target)) check_unpacked(target);
    require(trebuchet::read_file(canary, 100).value_or("") == "untouched", "others' files stay as they are");
    require(fs::hard_link_count(canary) == 1, "no hard link leads out");
    for (const auto& entry : fs::directory_iterator(folder.path())) {
        require(entry.path() == archive || entry.path() == canary || entry.path() == target, "nothing is put outside");
    }
    return 0;
}
