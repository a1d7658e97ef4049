#include "common/secret/secret_memory.hpp"

#include "common/base/system_text.hpp"
#include "common/secret/secret_string.hpp"

#include <algorithm>
#include <cerrno>
#include <memory_resource>
#include <mutex>
#include <new>

#include <sys/mman.h>
#include <unistd.h>

namespace trebuchet {
namespace {

/// A longer block gets its own pages, which are returned to the kernel when it is freed.
constexpr std::size_t largest_pooled_block = 4096;

/// Allocates pages from the kernel.
class PageResource final : public std::pmr::memory_resource {
  public:
    [[nodiscard]] std::size_t unlocked() const { return unlocked_; }
    [[nodiscard]] int lock_error() const { return lock_error_; }

  private:
    static std::size_t whole_pages(std::size_t size) {
        static const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
        return (size + page - 1) / page * page;
    }

    void* do_allocate(std::size_t size, std::size_t /*alignment, at most a page*/) override {
        const auto length = whole_pages(size);
        if (length < size) throw std::bad_alloc();
        void* const memory = ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) throw std::bad_alloc();
        ::madvise(memory, length, MADV_DONTDUMP);
        if (::mlock(memory, length) != 0) {
            lock_error_ = errno;
            unlocked_ += length;
        }
        return memory;
    }
    void do_deallocate(void* memory, std::size_t size, std::size_t /*alignment*/) override {
        ::munmap(memory, whole_pages(size));
    }
    [[nodiscard]] bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
        return this == &other;
    }

    std::size_t unlocked_ = 0;
    int lock_error_ = 0;
};

struct SecretMemory {
    std::mutex mutex;  ///< guards the members below
    PageResource pages;
    std::pmr::unsynchronized_pool_resource pools{{0, largest_pooled_block}, &pages};
};

/// Never destroyed, because library threads and static objects may free memory until the process ends.
SecretMemory& secret_memory() {
    static auto* const memory = new SecretMemory;
    return *memory;
}

/// libstdc++ 12's pools round a size to a multiple of 8 and derive the alignment from that size only (measured).
std::size_t pooled_size(std::size_t size, std::size_t alignment) {
    return (std::max<std::size_t>(size, 1) + alignment - 1) / alignment * alignment;
}

}  // namespace

void* allocate_secret(std::size_t size, std::size_t alignment) {
    auto& memory = secret_memory();
    const std::lock_guard lock(memory.mutex);
    return memory.pools.allocate(pooled_size(size, alignment), alignment);
}

void free_secret(void* data, std::size_t size, std::size_t alignment) noexcept {
    if (data == nullptr) return;
    wipe(data, size);
    auto& memory = secret_memory();
    const std::lock_guard lock(memory.mutex);
    memory.pools.deallocate(data, pooled_size(size, alignment), alignment);
}

std::string secret_memory_problem() {
    auto& memory = secret_memory();
    const std::lock_guard lock(memory.mutex);
    if (memory.pages.unlocked() == 0) return "";
    return std::to_string(memory.pages.unlocked() / 1024) + " KiB of the memory for secrets could not be locked (" +
           system_text(memory.pages.lock_error()) +
           ") and may reach the swap: raise the limit for locked memory (LimitMEMLOCK= of the service)";
}

}  // namespace trebuchet
