#include "common/base/system_text.hpp"
#include "common/base/text.hpp"
#include "common/file/safe_file.hpp"
#include "tests/labserver/store/data_file.hpp"

#include <cerrno>
#include <optional>

#include <fcntl.h>

#include <sqlite3.h>

namespace trebuchet::labserver {
namespace {

/// "TbLs": marks a file as a labserver's.
constexpr int application_id = 0x54624c73;

// Only one program uses the file. It may be killed at any moment, but a crash of the machine is not covered.
constexpr const char* setup =
    "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA trusted_schema = "
    "OFF;";
constexpr const char* schema =
    "BEGIN IMMEDIATE;"
    "PRAGMA application_id = 1415728243;"
    "CREATE TABLE rows (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
    "                   bytes BLOB NOT NULL, UNIQUE (kind, key));"
    "COMMIT;";
static_assert(application_id == 1415728243);

struct Closing {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, Closing>;
using Statement = std::unique_ptr<sqlite3_stmt, Closing>;

void bind_text(const Statement& statement, int at, std::string_view text) {
    sqlite3_bind_text64(statement.get(), at, text.data() == nullptr ? "" : text.data(), text.size(), SQLITE_STATIC,
                        SQLITE_UTF8);
}

void bind_bytes(const Statement& statement, int at, std::string_view bytes) {
    sqlite3_bind_blob64(statement.get(), at, bytes.data() == nullptr ? "" : bytes.data(), bytes.size(), SQLITE_STATIC);
}

std::string_view column(const Statement& statement, int at) {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(statement.get(), at));
    return data == nullptr
               ? std::string_view()
               : std::string_view(data, static_cast<std::size_t>(sqlite3_column_bytes(statement.get(), at)));
}

/// Creates the file with mode 0600 before SQLite opens it: the files that SQLite adds get the same mode.
Result<void> make_file(const std::filesystem::path& path) {
    const FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (file) return {};
    return fail("cannot open the data file " + path.string() + ": " + system_text(errno));
}

}  // namespace

struct DataFile::Impl {
    std::string path;
    Database database;
    Statement put, erase, select;
    std::optional<Error> failure;

    [[nodiscard]] Error error() const { return Error("data file " + path + ": " + sqlite3_errmsg(database.get())); }

    Result<void> execute(const char* commands) {
        if (sqlite3_exec(database.get(), commands, nullptr, nullptr, nullptr) != SQLITE_OK) return fail(error());
        return {};
    }

    [[nodiscard]] Statement prepare(std::string_view command) const {
        sqlite3_stmt* statement = nullptr;
        sqlite3_prepare_v3(database.get(), command.data(), static_cast<int>(command.size()), SQLITE_PREPARE_PERSISTENT,
                           &statement, nullptr);
        return Statement(statement);
    }

    Result<std::int64_t> number(std::string_view command) {
        const auto statement = prepare(command);
        if (!statement || sqlite3_step(statement.get()) != SQLITE_ROW) return fail(error());
        return sqlite3_column_int64(statement.get(), 0);
    }

    Result<void> set_up() {
        auto done = execute(setup);
        if (!done) return done;
        const auto id = number("PRAGMA application_id");
        if (!id) return fail(id.error());
        const auto tables = number("SELECT count(*) FROM sqlite_schema");
        if (!tables) return fail(tables.error());
        if (*id == 0 && *tables == 0) {
            done = execute(schema);
            if (!done) return done;
        } else if (*id != application_id) {
            return fail("data file " + path + ": a database of another program; expected a labserver's file, or none");
        }
        put = prepare(
            "INSERT INTO rows (kind, key, value, bytes) VALUES (?1, ?2, ?3, ?4) "
            "ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value, bytes = excluded.bytes");
        erase = prepare("DELETE FROM rows WHERE kind = ?1 AND key = ?2");
        select = prepare("SELECT key, value, bytes FROM rows WHERE kind = ?1 ORDER BY id");
        if (!put || !erase || !select) return fail(error());
        return {};
    }

    void run(const Statement& statement) {
        if (sqlite3_step(statement.get()) != SQLITE_DONE && !failure) failure = error();
        sqlite3_reset(statement.get());
        sqlite3_clear_bindings(statement.get());
    }
};

DataFile::DataFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DataFile::DataFile(DataFile&&) noexcept = default;
DataFile& DataFile::operator=(DataFile&&) noexcept = default;
DataFile::~DataFile() = default;

Result<DataFile> DataFile::open(const std::filesystem::path& path) {
    if (auto made = make_file(path); !made) return fail(made.error());
    auto impl = std::make_unique<Impl>();
    impl->path = path.string();
    sqlite3* database = nullptr;
    const int opened = sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
    impl->database.reset(database);
    if (opened != SQLITE_OK) return fail(impl->error());
    if (auto ready = impl->set_up(); !ready) return fail(ready.error());
    return DataFile(std::move(impl));
}

void DataFile::put(std::string_view table, std::string_view key, const Json& row, std::string_view bytes) {
    const auto text = to_text(row);
    bind_text(impl_->put, 1, table);
    bind_text(impl_->put, 2, key);
    bind_text(impl_->put, 3, text);
    bind_bytes(impl_->put, 4, bytes);
    impl_->run(impl_->put);
}

void DataFile::erase(std::string_view table, std::string_view key) {
    bind_text(impl_->erase, 1, table);
    bind_text(impl_->erase, 2, key);
    impl_->run(impl_->erase);
}

Result<void> DataFile::check() {
    if (!impl_->failure) return {};
    auto failure = *impl_->failure;
    impl_->failure.reset();
    return fail(std::move(failure));
}

Result<void> DataFile::for_each(std::string_view table, const Visit& visit) {
    const auto& statement = impl_->select;
    bind_text(statement, 1, table);
    Result<void> done;
    int step = SQLITE_ROW;
    while (done && (step = sqlite3_step(statement.get())) == SQLITE_ROW) {
        const std::string key(column(statement, 0));
        try {
            visit(key, Json::parse(column(statement, 1)), column(statement, 2));
        } catch (const Json::exception& error) {
            done = fail("data file " + impl_->path + ": row " + trebuchet::quoted(key) + " of " + std::string(table) +
                        " is not in a labserver's format: " + error.what());
        }
    }
    if (done && step != SQLITE_DONE) done = fail(impl_->error());
    sqlite3_reset(statement.get());
    return done;
}

}  // namespace trebuchet::labserver
