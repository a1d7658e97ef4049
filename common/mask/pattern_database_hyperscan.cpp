#include "common/base/free_memory.hpp"
#include "common/file/safe_file.hpp"
#include "common/mask/pattern_database.hpp"
#include "common/secret/secret_memory.hpp"
#include "common/secret/secret_string.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <hs.h>
#include <sys/wait.h>
#include <unistd.h>

namespace trebuchet {
namespace {

/// Bytes before each block for its size, which free_secret needs. Equal to the alignment that Hyperscan needs.
constexpr std::size_t header = 64;

void* take_secret_memory(std::size_t size) {
    try {
        auto* const block = static_cast<char*>(allocate_secret(size + header, header));
        std::memcpy(block, &size, sizeof size);
        return block + header;
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

void free_secret_memory(void* memory) {
    if (memory == nullptr) return;
    auto* const block = static_cast<char*>(memory) - header;
    std::size_t size = 0;
    std::memcpy(&size, block, sizeof size);
    free_secret(block, size + header, header);
}

/// Sets Hyperscan's allocator to secret memory, because a compiled database contains parts of secrets. Must run before
/// any other use of the library, which frees all blocks with the current allocator.
Result<void> set_up_library() {
    if (::hs_valid_platform() != HS_SUCCESS) {
        return fail("cannot mask secrets: this processor lacks the instructions that Hyperscan needs (SSSE3)");
    }
    static const bool done = ::hs_set_allocator(take_secret_memory, free_secret_memory) == HS_SUCCESS;
    if (!done) return fail("cannot mask secrets: Hyperscan rejects our memory functions");
    return {};
}

/// Arguments for the library.
struct Patterns {
    std::vector<const char*> texts;
    std::vector<std::size_t> lengths;  ///< of literals
    std::vector<unsigned int> flags;
    std::vector<unsigned int> ids;

    void add(const char* text, bool any_case) {
        texts.push_back(text);
        flags.push_back(any_case ? HS_FLAG_CASELESS : 0U);
        ids.push_back(static_cast<unsigned int>(ids.size()));
    }
    [[nodiscard]] unsigned int count() const { return static_cast<unsigned int>(ids.size()); }
};

Patterns patterns_of(const std::vector<PatternDatabase::Expression>& expressions) {
    Patterns patterns;
    for (const auto& expression : expressions) patterns.add(expression.text, expression.any_case);
    return patterns;
}

/// `platform`: null for this processor.
Result<hs_database_t*> compile_expressions(const Patterns& patterns, const hs_platform_info_t* platform = nullptr) {
    hs_database_t* database = nullptr;
    hs_compile_error_t* error = nullptr;
    const auto result = ::hs_compile_multi(patterns.texts.data(), patterns.flags.data(), patterns.ids.data(),
                                           patterns.count(), HS_MODE_BLOCK, platform, &database, &error);
    if (result == HS_SUCCESS) return database;
    std::string message = "cannot mask credentials: Hyperscan cannot compile their patterns";
    if (error != nullptr) message += std::string(": ") + error->message;
    ::hs_free_compile_error(error);
    return fail(std::move(message));
}

/// Forking is safe only then: if another thread held a lock, the child would wait for it forever.
bool is_only_thread() {
    std::error_code error;
    std::filesystem::directory_iterator tasks("/proc/self/task", error);
    return !error && std::distance(std::filesystem::begin(tasks), std::filesystem::end(tasks)) == 1;
}

/// Compiling takes 16 ms. A child that hangs is killed, so that the read of its pipe ends.
constexpr unsigned compile_limit_seconds = 30;

[[noreturn]] void compile_and_send(const Patterns& patterns, int to) {
    ::alarm(compile_limit_seconds);
    const auto database = compile_expressions(patterns);
    char* bytes = nullptr;
    std::size_t size = 0;
    const bool done =
        database && ::hs_serialize_database(*database, &bytes, &size) == HS_SUCCESS && write_all(to, {bytes, size});
    ::_exit(done ? 0 : 1);
}

/// Null if a child process cannot be used.
hs_database_t* compile_expressions_in_child(const Patterns& patterns) {
    std::array<int, 2> ends{};
    if (!is_only_thread() || ::pipe2(ends.data(), O_CLOEXEC) != 0) return nullptr;
    const FileDescriptor from(ends[0]);
    FileDescriptor to(ends[1]);
    const auto child = ::fork();
    if (child < 0) return nullptr;
    if (child == 0) compile_and_send(patterns, to.get());
    to = FileDescriptor();
    std::vector<char> bytes;
    std::array<char, 65536> buffer{};
    ssize_t count = 0;
    while ((count = ::read(from.get(), buffer.data(), buffer.size())) > 0 || (count < 0 && errno == EINTR)) {
        if (count > 0) bytes.insert(bytes.end(), buffer.data(), buffer.data() + count);
    }
    // At the pipe's end the child is done. Its exit status says no more than the database's own checksum, and is lost
    // where the kernel reaps (adopt_orphans).
    ::waitpid(child, nullptr, 0);
    hs_database_t* database = nullptr;
    if (::hs_deserialize_database(bytes.data(), bytes.size(), &database) != HS_SUCCESS) return nullptr;
    return database;
}

Result<std::string> compile_for(const Patterns& patterns, const hs_platform_info_t* platform) {
    const auto database = compile_expressions(patterns, platform);
    if (!database) return fail(database.error());
    char* bytes = nullptr;
    std::size_t size = 0;
    const auto result = ::hs_serialize_database(*database, &bytes, &size);
    ::hs_free_database(*database);
    if (result != HS_SUCCESS)
        return fail("Hyperscan cannot serialize a database (error " + std::to_string(result) + ")");
    std::string copy(bytes, size);
    free_secret_memory(bytes);
    return copy;
}

/// Null if none fits.
hs_database_t* first_that_fits(const std::vector<std::string_view>& compiled) {
    hs_database_t* database = nullptr;
    for (const auto bytes : compiled) {
        if (::hs_deserialize_database(bytes.data(), bytes.size(), &database) == HS_SUCCESS) return database;
    }
    return nullptr;
}

/// Each byte as \xHH.
WipedString as_expression(std::string_view literal) {
    constexpr std::string_view digits = "0123456789abcdef";
    WipedString expression;
    expression.reserve(4 * literal.size() + sizeof(WipedString));
    for (const char c : literal) {
        const auto byte = static_cast<unsigned char>(c);
        expression += {'\\', 'x', digits[byte >> 4U], digits[byte & 15U]};
    }
    return expression;
}

/// `literals`: the bytes of `patterns`. Newer libraries refuse literals that begin with a NUL byte, but not
/// expressions.
hs_error_t compile_literals(Patterns& patterns, const std::vector<std::string_view>& literals, hs_database_t** database,
                            hs_compile_error_t** error) {
    const auto begins_with_nul = [](std::string_view literal) { return literal.front() == '\0'; };
    if (std::none_of(literals.begin(), literals.end(), begins_with_nul)) {
        return ::hs_compile_lit_multi(patterns.texts.data(), patterns.flags.data(), patterns.ids.data(),
                                      patterns.lengths.data(), patterns.count(), HS_MODE_BLOCK, nullptr, database,
                                      error);
    }
    std::vector<WipedString> expressions;
    for (std::size_t i = 0; i < literals.size(); ++i) expressions.push_back(as_expression(literals[i]));
    for (std::size_t i = 0; i < literals.size(); ++i) patterns.texts[i] = expressions[i].c_str();
    return ::hs_compile_multi(patterns.texts.data(), patterns.flags.data(), patterns.ids.data(), patterns.count(),
                              HS_MODE_BLOCK, nullptr, database, error);
}

/// Returns free heap to the kernel: compiling thousands of literals leaves tens of megabytes.
void return_free_heap(std::size_t compiled) {
    constexpr std::size_t many = 1000;
    if (compiled >= many) return_free_memory();
}

struct Receiver {
    PatternDatabase::Found found;
    void* context;
};

int on_match(unsigned int id, unsigned long long /*from*/, unsigned long long to, unsigned int /*flags*/,
             void* context) noexcept {
    const auto* receiver = static_cast<const Receiver*>(context);
    receiver->found(receiver->context, id, to);
    return 0;
}

}  // namespace

struct PatternDatabase::Compiled {
    hs_database_t* database = nullptr;
    hs_scratch_t* prototype = nullptr;

    Compiled() = default;
    Compiled(const Compiled&) = delete;
    Compiled& operator=(const Compiled&) = delete;
    ~Compiled() {
        ::hs_free_scratch(prototype);
        ::hs_free_database(database);
    }

    [[nodiscard]] Result<void> allocate_scratch() {
        const auto allocated = ::hs_alloc_scratch(database, &prototype);
        if (allocated == HS_SUCCESS) return {};
        return fail("cannot mask secrets: Hyperscan has no working memory (error " + std::to_string(allocated) + ")");
    }
};

void PatternDatabase::Scratch::Free::operator()(void* scratch) const noexcept {
    ::hs_free_scratch(static_cast<hs_scratch_t*>(scratch));
}

PatternDatabase::Scratch::~Scratch() = default;

PatternDatabase::PatternDatabase(std::unique_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
PatternDatabase::~PatternDatabase() = default;

Result<std::unique_ptr<const PatternDatabase>> PatternDatabase::of_literals(
    const std::vector<std::string_view>& literals, std::size_t any_case_from) {
    if (const auto ready = set_up_library(); !ready) return fail(ready.error());
    Patterns patterns;
    for (const auto literal : literals) {
        patterns.add(literal.data(), patterns.count() >= any_case_from);
        patterns.lengths.push_back(literal.size());
    }
    auto compiled = std::make_unique<Compiled>();
    hs_compile_error_t* error = nullptr;
    const auto result = compile_literals(patterns, literals, &compiled->database, &error);
    return_free_heap(literals.size());
    if (result != HS_SUCCESS) {
        // Hyperscan's own message may quote the literal.
        ::hs_free_compile_error(error);
        return fail("cannot mask secrets: Hyperscan cannot compile " + std::to_string(literals.size()) +
                    " literals (error " + std::to_string(result) + ")");
    }
    if (const auto allocated = compiled->allocate_scratch(); !allocated) return fail(allocated.error());
    return std::unique_ptr<const PatternDatabase>(new PatternDatabase(std::move(compiled)));
}

Result<std::unique_ptr<const PatternDatabase>> PatternDatabase::of_expressions(
    const std::vector<Expression>& expressions, const std::vector<std::string_view>& compiled) {
    if (const auto ready = set_up_library(); !ready) return fail(ready.error());
    auto made = std::make_unique<Compiled>();
    made->database = first_that_fits(compiled);
    if (made->database == nullptr) made->database = compile_expressions_in_child(patterns_of(expressions));
    if (made->database == nullptr) {
        const auto database = compile_expressions(patterns_of(expressions));
        if (!database) return fail(database.error());
        made->database = *database;
    }
    if (const auto allocated = made->allocate_scratch(); !allocated) return fail(allocated.error());
    return std::unique_ptr<const PatternDatabase>(new PatternDatabase(std::move(made)));
}

Result<std::vector<std::string>> PatternDatabase::compile(const std::vector<Expression>& expressions) {
    if (const auto ready = set_up_library(); !ready) return fail(ready.error());
    const auto patterns = patterns_of(expressions);
    std::vector<const hs_platform_info_t*> platforms;
#if defined(__x86_64__)
    const hs_platform_info_t avx2{HS_TUNE_FAMILY_GENERIC, HS_CPU_FEATURES_AVX2, 0, 0};
    const hs_platform_info_t any{HS_TUNE_FAMILY_GENERIC, 0, 0, 0};
    platforms = {&avx2, &any};
#else
    platforms = {nullptr};
#endif
    std::vector<std::string> compiled;
    for (const auto* platform : platforms) {
        auto bytes = compile_for(patterns, platform);
        if (!bytes) return fail(bytes.error());
        compiled.push_back(std::move(*bytes));
    }
    return compiled;
}

PatternDatabase::Scratch PatternDatabase::make_scratch() const {
    hs_scratch_t* scratch = nullptr;
    if (::hs_clone_scratch(compiled_->prototype, &scratch) != HS_SUCCESS) throw std::bad_alloc();
    return Scratch(scratch);
}

void PatternDatabase::scan(std::string_view text, Scratch& scratch, Found found, void* context) const {
    if (text.size() > std::numeric_limits<unsigned int>::max()) throw std::logic_error("text too long for one scan");
    Receiver receiver{found, context};
    const auto result = ::hs_scan(compiled_->database, text.data(), static_cast<unsigned int>(text.size()), 0,
                                  static_cast<hs_scratch_t*>(scratch.memory_.get()), on_match, &receiver);
    if (result != HS_SUCCESS) throw std::logic_error("hs_scan failed with error " + std::to_string(result));
}

}  // namespace trebuchet
