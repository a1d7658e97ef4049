#include "common/process/supervisor_program.hpp"

#include "common/file/safe_file.hpp"

#include <cstdint>
#include <string_view>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// NOLINTNEXTLINE(hicpp-no-assembler): the compilers that we build with have no #embed
__asm__(
    ".pushsection .rodata.trebuchet_supervisor,\"a\",@progbits\n"
    ".balign 4096\n"
    ".hidden trebuchet_supervisor_begin\n"
    ".global trebuchet_supervisor_begin\n"
    "trebuchet_supervisor_begin:\n"
    ".incbin \"" TREBUCHET_SUPERVISOR
    "\"\n"
    ".hidden trebuchet_supervisor_end\n"
    ".global trebuchet_supervisor_end\n"
    "trebuchet_supervisor_end:\n"
    ".balign 4096\n"
    ".popsection\n");

extern "C" {
extern const char trebuchet_supervisor_begin[];  // NOLINT(modernize-avoid-c-arrays)
extern const char trebuchet_supervisor_end[];    // NOLINT(modernize-avoid-c-arrays)
}

namespace trebuchet {
namespace {

int make_program() {
    FileDescriptor file(::memfd_create("trebuchet-supervisor", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!file) return -1;
    const auto size = static_cast<std::size_t>(trebuchet_supervisor_end - trebuchet_supervisor_begin);
    if (!write_all(file.get(), {trebuchet_supervisor_begin, size})) return -1;
    // Gives back the pages that were just read; they start at a page boundary.
    ::madvise(const_cast<char*>(trebuchet_supervisor_begin), size, MADV_DONTNEED);
    if (::fchmod(file.get(), 0111) != 0) return -1;
    if (::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) return -1;
    return file.release();
}

}  // namespace

int supervisor_program() {
    static const int program = make_program();
    return program;
}

}  // namespace trebuchet
