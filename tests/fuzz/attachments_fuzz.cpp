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
        require(::lstat(entry.path().c_str(), &info) == 0, "unpacked files are accessible");
        require(S_ISREG(info.st_mode) || S_ISDIR(info.st_mode) || S_ISLNK(info.st_mode),
                "only files, folders and links are unpacked");
        if (!S_ISLNK(info.st_mode)) {
            require((info.st_mode & 07022U) == 0, "no set-uid bits, and nobody else can write");
            continue;
        }
        std::error_code error;  // a loop of links, or a name that is too long
        const auto end = fs::weakly_canonical(entry.path(), error);
        if (error) continue;
        require(end == home || end.string().starts_with(home + "/"), "no link points outside");
    }
}

}  // namespace

/// Any bytes are unpacked or refused, and nothing outside the target is touched. The first byte says whether the rest
/// is the archive itself or a tar to compress first (fuzzing the tar reaches more code).
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
    if (report) require(report->bytes <= limits.bytes && report->entries <= limits.entries, "the limits are kept");
    if (!report) require(!report.error().message().empty(), "an error says why");

    if (fs::exists(target)) check_unpacked(target);
    require(trebuchet::read_file(canary, 100).value_or("") == "untouched", "other files are not changed");
    require(fs::hard_link_count(canary) == 1, "no hard link points outside");
    for (const auto& entry : fs::directory_iterator(folder.path())) {
        require(entry.path() == archive || entry.path() == canary || entry.path() == target,
                "nothing is unpacked outside the target");
    }
    return 0;
}
