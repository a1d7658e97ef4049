#include "common/secret/large_blocks.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include <malloc.h>
#include <openssl/crypto.h>

/// Replaces operator new and delete, OpenSSL's allocator and the C library's free in programs that link this, so that
/// memory that libraries free (HTTP buffers, temporary strings, Hyperscan's build data) is wiped first. Memory that
/// realloc leaves behind is not wiped.

/// glibc's free; this name stays available when a program defines its own free.
extern "C" void __libc_free(void* memory);  // NOLINT(*-reserved-identifier)

namespace {

void* take(std::size_t size, std::size_t alignment) noexcept {
    size = std::max<std::size_t>(size, 1);
    if (size >= trebuchet::large_block) {
        if (const auto note = trebuchet::large_block_note(); note != nullptr) note(size);
    }
    if (alignment <= alignof(std::max_align_t)) return std::malloc(size);
    return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

void* take_or_throw(std::size_t size, std::size_t alignment = 0) {
    void* const memory = take(size, alignment);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

void wipe_and_free(void* memory) noexcept {
    if (memory == nullptr) return;
    ::explicit_bzero(memory, ::malloc_usable_size(memory));
    __libc_free(memory);
}

void* openssl_malloc(std::size_t size, const char* /*file*/, int /*line*/) {
    return size == 0 ? nullptr : std::malloc(size);
}

void openssl_free(void* memory, const char* /*file*/, int /*line*/) {
    wipe_and_free(memory);
}

void* openssl_realloc(void* memory, std::size_t size, const char* /*file*/, int /*line*/) {
    if (size == 0) {
        wipe_and_free(memory);
        return nullptr;
    }
    void* const larger = std::malloc(size);
    if (larger == nullptr || memory == nullptr) return larger;
    std::memcpy(larger, memory, std::min(size, ::malloc_usable_size(memory)));
    wipe_and_free(memory);
    return larger;
}

/// Must run before OpenSSL's first use, after which it accepts no other allocator.
const int openssl_set = CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free);

}  // namespace

extern "C" void free(void* memory) noexcept {
    wipe_and_free(memory);
}

void* operator new(std::size_t size) {
    return take_or_throw(size);
}
void* operator new[](std::size_t size) {
    return take_or_throw(size);
}
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
    return take(size, 0);
}
void* operator new[](std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
    return take(size, 0);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return take_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
    return take_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t& /*tag*/) noexcept {
    return take(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment, const std::nothrow_t& /*tag*/) noexcept {
    return take(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
    wipe_and_free(memory);
}
void operator delete[](void* memory) noexcept {
    wipe_and_free(memory);
}
void operator delete(void* memory, std::size_t /*size*/) noexcept {
    wipe_and_free(memory);
}
void operator delete[](void* memory, std::size_t /*size*/) noexcept {
    wipe_and_free(memory);
}
void operator delete(void* memory, const std::nothrow_t& /*tag*/) noexcept {
    wipe_and_free(memory);
}
void operator delete[](void* memory, const std::nothrow_t& /*tag*/) noexcept {
    wipe_and_free(memory);
}
void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept {
    wipe_and_free(memory);
}
void operator delete[](void* memory, std::align_val_t /*alignment*/) noexcept {
    wipe_and_free(memory);
}
void operator delete(void* memory, std::size_t /*size*/, std::align_val_t /*alignment*/) noexcept {
    wipe_and_free(memory);
}
void operator delete[](void* memory, std::size_t /*size*/, std::align_val_t /*alignment*/) noexcept {
    wipe_and_free(memory);
}
void operator delete(void* memory, std::align_val_t /*alignment*/, const std::nothrow_t& /*tag*/) noexcept {
    wipe_and_free(memory);
}
void operator delete[](void* memory, std::align_val_t /*alignment*/, const std::nothrow_t& /*tag*/) noexcept {
    wipe_and_free(memory);
}
