#include "provision/image/image_content.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace trebuchet {
namespace {

using namespace std::string_view_literals;

bool has_at(std::string_view text, std::size_t offset, std::string_view magic) {
    return text.size() >= offset + magic.size() && text.substr(offset, magic.size()) == magic;
}

bool is_printable(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte >= 0x20 || c == '\n' || c == '\r' || c == '\t';
    });
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
    return out;
}

std::string_view without_blanks(std::string_view text) {
    if (text.starts_with("\xef\xbb\xbf"sv)) text.remove_prefix(3);
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    return text;
}

/// "drwxr-xr-x 2 …", as an FTP server or `ls -l` lists a folder.
bool is_listing(std::string_view text) {
    if (text.starts_with("total ")) text.remove_prefix(std::min(text.find('\n') + 1, text.size()));
    if (text.size() < 11 || std::string_view("dl-").find(text.front()) == std::string_view::npos) return false;
    return text.substr(1, 9).find_first_not_of("rwxsStT-") == std::string_view::npos && text.at(10) == ' ';
}

/// What a text is; "" if it is none that we know.
std::string kind_of_text(std::string_view start) {
    const auto text = without_blanks(start).substr(0, 512);
    if (text.empty() || !is_printable(text)) return {};
    const auto begin = lower(text.substr(0, 64));
    if (begin.starts_with("<?xml") || begin.starts_with("<error")) return "an XML document";
    for (const auto* tag : {"<!doctype html", "<html", "<head", "<body", "<script", "<!--", "<title"}) {
        if (begin.starts_with(tag)) return "a web page (HTML)";
    }
    if (begin.starts_with('<')) return "an XML document";
    if (begin.starts_with('{') || begin.starts_with("[{") || begin.starts_with("[\"")) return "a JSON text";
    if (begin.starts_with("#!")) return "a script";
    if (is_listing(text)) return "a listing of a folder";
    if (begin.starts_with("version https://git-lfs")) return "a pointer of Git LFS, not the file itself";
    return {};
}

struct Magic {
    std::size_t offset;
    std::string_view bytes;
    const char* what;
};

constexpr std::array<Magic, 9> other_files{{
    {257, "ustar"sv, "a tar archive"},
    {0, "7z\xbc\xaf\x27\x1c"sv, "a 7z archive"},
    {0, "Rar!\x1a\x07"sv, "a RAR archive"},
    {0, "!<arch>\n"sv, "a package or another ar archive"},
    {0, "QFI\xfb"sv, "a qcow2 disk image: convert it with `qemu-img convert -O raw`"},
    {0, "KDMV"sv, "a VMDK disk image: convert it with `qemu-img convert -O raw`"},
    {0, "vhdxfile"sv, "a VHDX disk image: convert it with `qemu-img convert -O raw`"},
    {0, "\x3a\xff\x26\xed"sv, "an Android sparse image: convert it with `simg2img`"},
    {0, "%PDF-"sv, "a PDF document"},
}};

/// The start of a disk or of a filesystem.
constexpr std::array<Magic, 10> disks{{
    {510, "\x55\xaa"sv, "MBR or FAT"},
    {512, "EFI PART"sv, "GPT"},
    {4096, "EFI PART"sv, "GPT, sectors of 4 KiB"},
    {1080, "\x53\xef"sv, "ext2 to ext4"},
    {0, "hsqs"sv, "squashfs"},
    {0, "XFSB"sv, "XFS"},
    {32769, "CD001"sv, "ISO 9660"},
    {65600, "_BHRfS_M"sv, "btrfs"},
    {1024, "\x10\x20\xf5\xf2"sv, "F2FS"},
    {1024, "\xe2\xe1\xf5\xe0"sv, "EROFS"},
}};

}  // namespace

ImageContent inspect_image(std::string_view start) {
    if (start.empty()) return {};
    if (auto text = kind_of_text(start); !text.empty()) return {std::move(text), {}};
    for (const auto& file : other_files) {
        if (has_at(start, file.offset, file.bytes)) return {file.what, {}};
    }
    const auto is_disk = [&](const Magic& disk) { return has_at(start, disk.offset, disk.bytes); };
    if (std::any_of(disks.begin(), disks.end(), is_disk)) return {};
    return {
        {},
        "the image has no partition table (MBR or GPT) and no filesystem at its start: a device may not boot from it"};
}

}  // namespace trebuchet
