#include "common/archive/masked_content.hpp"

#include "common/mask/masker.hpp"
#include "common/secret/secret_string.hpp"

#include <algorithm>
#include <cerrno>
#include <vector>

#include <unistd.h>

namespace trebuchet {

Result<bool> read_masked(int fd, std::uint64_t size, const std::shared_ptr<const MaskSet>& masks,
                         const std::function<Result<void>(const MaskedChunk&)>& take, const std::atomic<bool>* stop) {
    Masker masker(masks);
    std::vector<char, WipingAllocator<char>> buffer(std::min<std::uint64_t>(std::uint64_t{64} * 1024, size));
    std::uint64_t offset = 0;
    while (offset < size) {
        if (stop != nullptr && *stop) return fail("stopped");
        const auto wanted = std::min<std::uint64_t>(buffer.size(), size - offset);
        const auto count = ::pread(fd, buffer.data(), wanted, static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        offset += static_cast<std::uint64_t>(count);
        if (auto done = take(masker.write({buffer.data(), static_cast<std::size_t>(count)})); !done) {
            return fail(done.error());
        }
    }
    if (auto done = take(masker.finish()); !done) return fail(done.error());
    return offset == size;
}

}  // namespace trebuchet
