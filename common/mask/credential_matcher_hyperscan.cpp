#include "common/file/safe_file.hpp"
#include "common/mask/anchor_matcher.hpp"
#include "common/mask/credential_matcher.hpp"

#include <array>
#include <cerrno>
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

int on_match(unsigned int id, unsigned long long /*from*/, unsigned long long to, unsigned int /*flags*/,
             void* context) noexcept {
    static_cast<std::vector<CredentialMatcher::Hit>*>(context)->push_back({id, to});
    return 0;
}

struct Patterns {
    std::vector<const char*> texts;
    std::vector<unsigned int> flags;
    std::vector<unsigned int> ids;
};

Result<hs_database_t*> compile_here(const Patterns& patterns) {
    hs_database_t* database = nullptr;
    hs_compile_error_t* error = nullptr;
    const auto result =
        ::hs_compile_multi(patterns.texts.data(), patterns.flags.data(), patterns.ids.data(),
                           static_cast<unsigned int>(patterns.texts.size()), HS_MODE_BLOCK, nullptr, &database, &error);
    if (result == HS_SUCCESS) return database;
    std::string message = "can't mask credentials: Hyperscan can't compile their patterns";
    if (error != nullptr) message += std::string(": ") + error->message;
    ::hs_free_compile_error(error);
    return fail(std::move(message));
}

/// A child that is forked while another thread holds a lock never gets it.
bool is_only_thread() {
    std::error_code error;
    std::filesystem::directory_iterator tasks("/proc/self/task", error);
    return !error && std::distance(std::filesystem::begin(tasks), std::filesystem::end(tasks)) == 1;
}

[[noreturn]] void compile_and_send(const Patterns& patterns, int to) {
    const auto database = compile_here(patterns);
    char* bytes = nullptr;
    std::size_t size = 0;
    const bool done =
        database && ::hs_serialize_database(*database, &bytes, &size) == HS_SUCCESS && write_all(to, {bytes, size});
    ::_exit(done ? 0 : 1);
}

/// Compiling leaves 7 MB of the library's code and of the heap in a process's memory (measured). So a child does it and
/// hands over the 114 KB that it comes to. Null if that does not work here.
hs_database_t* compile_in_child(const Patterns& patterns) {
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
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    hs_database_t* database = nullptr;
    const bool whole = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!whole || ::hs_deserialize_database(bytes.data(), bytes.size(), &database) != HS_SUCCESS) return nullptr;
    return database;
}

}  // namespace

struct CredentialMatcher::Compiled {
    hs_database_t* database = nullptr;
    hs_scratch_t* prototype = nullptr;

    Compiled() = default;
    Compiled(const Compiled&) = delete;
    Compiled& operator=(const Compiled&) = delete;
    ~Compiled() {
        ::hs_free_scratch(prototype);
        ::hs_free_database(database);
    }
};

void CredentialMatcher::Scratch::Free::operator()(void* scratch) const noexcept {
    ::hs_free_scratch(static_cast<hs_scratch_t*>(scratch));
}

CredentialMatcher::Scratch::~Scratch() = default;

CredentialMatcher::CredentialMatcher(std::unique_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
CredentialMatcher::~CredentialMatcher() = default;

Result<std::unique_ptr<const CredentialMatcher>> CredentialMatcher::compile(
    const std::vector<const CredentialRule*>& rules) {
    if (!use_secret_memory_for_matchers()) return fail("can't mask credentials: Hyperscan takes no allocator");
    Patterns patterns;
    for (const auto* rule : rules) {
        patterns.texts.push_back(rule->pattern);
        patterns.flags.push_back(rule->any_case ? HS_FLAG_CASELESS : 0U);
        patterns.ids.push_back(static_cast<unsigned int>(patterns.ids.size()));
    }
    auto compiled = std::make_unique<Compiled>();
    compiled->database = compile_in_child(patterns);
    if (compiled->database == nullptr) {
        auto database = compile_here(patterns);
        if (!database) return fail(database.error());
        compiled->database = *database;
    }
    if (const auto allocated = ::hs_alloc_scratch(compiled->database, &compiled->prototype); allocated != HS_SUCCESS) {
        return fail("can't mask credentials: Hyperscan has no working memory (error " + std::to_string(allocated) +
                    ")");
    }
    return std::unique_ptr<const CredentialMatcher>(new CredentialMatcher(std::move(compiled)));
}

CredentialMatcher::Scratch CredentialMatcher::make_scratch() const {
    hs_scratch_t* scratch = nullptr;
    if (::hs_clone_scratch(compiled_->prototype, &scratch) != HS_SUCCESS) throw std::bad_alloc();
    return Scratch(scratch);
}

void CredentialMatcher::scan(std::string_view text, Scratch& scratch, std::vector<Hit>& hits) const {
    if (text.size() > std::numeric_limits<unsigned int>::max()) throw std::logic_error("text too long for one scan");
    const auto result = ::hs_scan(compiled_->database, text.data(), static_cast<unsigned int>(text.size()), 0,
                                  static_cast<hs_scratch_t*>(scratch.memory_.get()), on_match, &hits);
    if (result != HS_SUCCESS) throw std::logic_error("hs_scan failed with error " + std::to_string(result));
}

}  // namespace trebuchet
