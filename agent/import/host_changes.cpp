#include "agent/import/host_changes.hpp"

#include "agent/delivery/adopted_results.hpp"
#include "agent/import/user_entry.hpp"
#include "common/base/system_text.hpp"
#include "common/file/safe_file.hpp"

#include <cerrno>
#include <optional>
#include <set>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::size_t record_limit = std::size_t{16} << 20U;
constexpr std::size_t file_limit = std::size_t{1} << 20U;
constexpr std::size_t copied_file_limit = std::size_t{4} << 30U;
constexpr std::size_t copy_step = std::size_t{1} << 16U;
constexpr int most_levels = 32;
constexpr const char* service_state = "/var/lib/trebuchet-supervise";

bool is_there(const fs::path& path) {
    struct stat info {};
    return ::lstat(path.c_str(), &info) == 0;
}

/// Whether a `supervise` holds the lock of the service's state.
bool is_served(const fs::path& root) {
    const auto lock = open_untrusted(below_root(root, fs::path(service_state) / "supervise.lock"));
    return lock && ::flock(lock->get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

Json map_of(const std::map<fs::path, fs::path>& paths) {
    Json object = Json::object();
    for (const auto& [key, value] : paths) object[key.string()] = value.string();
    return object;
}

std::string record_of(const HostChanges& changes) {
    Json files = Json::object();
    for (const auto& [path, text] : changes.files) files[path.string()] = text;
    Json private_files = Json::object();
    for (const auto& [path, text] : changes.private_files) private_files[path.string()] = text;
    Json folders = Json::array();
    for (const auto& folder : changes.folders) folders.push_back(folder.string());
    Json adopted = Json::array();
    for (const auto& folder : changes.adopted) adopted.push_back(folder.string());
    return Json{{"files", files},
                {"private_files", private_files},
                {"folders", folders},
                {"links", map_of(changes.links)},
                {"renames", map_of(changes.renames)},
                {"copies", map_of(changes.copies)},
                {"adopted", adopted}}
               .dump(2) +
           "\n";
}

std::map<fs::path, fs::path> paths_in(const Json& record, const char* key) {
    std::map<fs::path, fs::path> paths;
    for (const auto& [name, value] : record.at(key).items()) paths[name] = value.get<std::string>();
    return paths;
}

Result<HostChanges> read_record(const fs::path& root) {
    const auto path = below_root(root, import_record);
    if (!is_there(path)) return fail("there is no import to undo: " + path.string() + " is missing");
    const auto text = read_untrusted(path, record_limit);
    if (!text) return fail(text.error());
    try {
        const auto record = Json::parse(*text);
        HostChanges changes;
        for (const auto& [name, value] : record.at("files").items()) changes.files[name] = value.get<std::string>();
        if (record.contains("private_files")) {
            for (const auto& [name, value] : record.at("private_files").items())
                changes.private_files[name] = value.get<std::string>();
        }
        if (record.contains("folders")) {
            for (const auto& folder : record.at("folders")) changes.folders.emplace_back(folder.get<std::string>());
        }
        changes.links = paths_in(record, "links");
        changes.renames = paths_in(record, "renames");
        changes.copies = paths_in(record, "copies");
        for (const auto& folder : record.at("adopted")) changes.adopted.emplace_back(folder.get<std::string>());
        return changes;
    } catch (const Json::exception&) {
        return fail(path.string() + " is not the record of an import: mend it, or take back the changes by hand");
    }
}

/// What stands where the import wants to write.
Result<void> check_places(const HostChanges& changes, const fs::path& root) {
    const auto refuse = [](const fs::path& path) {
        return fail(path.string() + " is already there: move it away first");
    };
    if (is_there(below_root(root, import_record))) {
        return fail("an import was made before (" + std::string(import_record) + "): undo it first, with --undo");
    }
    for (const auto* files : {&changes.files, &changes.private_files}) {
        for (const auto& [path, text] : *files) {
            if (is_there(below_root(root, path))) return refuse(path);
        }
    }
    for (const auto& folder : changes.adopted) {
        if (is_there(below_root(root, folder / adopted_list))) return refuse(folder / adopted_list);
    }
    for (const auto& [path, target] : changes.links) {
        if (is_there(below_root(root, path))) return refuse(path);
    }
    for (const auto& [path, target] : changes.renames) {
        if (is_there(below_root(root, target))) return refuse(target);
    }
    for (const auto& [path, target] : changes.copies) {
        if (is_there(below_root(root, path))) return refuse(path);
    }
    return {};
}

Result<void> system_failure(const std::string& what) {
    return fail("cannot " + what + ": " + system_text(errno));
}

/// Folders of the system, which others read.
Result<void> make_open_folder(const fs::path& folder) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) return fail("cannot make the folder " + folder.string() + ": " + error.message());
    return {};
}

/// Those above what is made that are not there yet, outer ones first.
std::vector<fs::path> missing_folders(const HostChanges& changes, const fs::path& root) {
    std::set<fs::path> missing;
    const auto add = [&](const fs::path& path) {
        for (auto folder = path.parent_path(); folder.has_relative_path(); folder = folder.parent_path()) {
            if (!is_there(below_root(root, folder))) missing.insert(folder);
        }
    };
    add(import_record);
    for (const auto* files : {&changes.files, &changes.private_files}) {
        for (const auto& [path, text] : *files) add(path);
    }
    for (const auto& [path, target] : changes.links) add(path);
    for (const auto& [path, from] : changes.copies) add(path);
    return {missing.begin(), missing.end()};
}

Result<void> write_new(const fs::path& path, const std::string& text) {
    if (auto made = make_open_folder(path.parent_path()); !made) return made;
    if (auto written = write_file(path, text); !written) return written;
    if (::chmod(path.c_str(), 0644) != 0) return system_failure("set the mode of " + path.string());
    return {};
}

/// The folder for the agents' state, private to their user, as systemd makes it.
Result<void> make_owned_folder(const fs::path& folder, const UserEntry& owner) {
    if (is_folder(folder)) return {};
    if (::mkdir(folder.c_str(), 0700) != 0 || ::lchown(folder.c_str(), owner.user, owner.group) != 0) {
        return system_failure("make the folder " + folder.string());
    }
    return {};
}

Result<void> copy_file(const fs::path& from, const fs::path& to, const UserEntry& owner) {
    const auto in = open_untrusted(from);
    if (!in) return fail(in.error());
    const auto out = create_new_file(to);
    if (!out) return fail(out.error());
    std::vector<char> buffer(copy_step);
    for (std::size_t copied = 0;;) {
        const auto count = ::read(in->get(), buffer.data(), buffer.size());
        if (count < 0) return system_failure("read " + from.string());
        if (count == 0) break;
        copied += static_cast<std::size_t>(count);
        if (copied > copied_file_limit) return fail(from.string() + " is too large to copy");
        const std::string_view bytes(buffer.data(), static_cast<std::size_t>(count));
        if (auto written = write_all(out->get(), bytes); !written) return written;
    }
    if (::fchown(out->get(), owner.user, owner.group) != 0)
        return system_failure("give " + to.string() + " to its user");
    return {};
}

/// Only regular files and folders: jobs wrote what is copied.
Result<void> copy_tree(const fs::path& from, const fs::path& to, const UserEntry& owner, int levels) {
    if (levels == 0) return fail(from.string() + " has too many folders in each other");
    if (auto made = make_owned_folder(to, owner); !made) return made;
    std::error_code error;
    for (fs::directory_iterator entry(from, error), end; !error && entry != end; entry.increment(error)) {
        const auto target = to / entry->path().filename();
        Result<void> copied;
        if (is_folder(entry->path())) {
            copied = copy_tree(entry->path(), target, owner, levels - 1);
        } else if (std::error_code ignored; fs::is_regular_file(entry->symlink_status(ignored))) {
            copied = copy_file(entry->path(), target, owner);
        }
        if (!copied) return copied;
    }
    if (error) return fail("cannot read " + from.string() + ": " + error.message());
    return {};
}

Result<void> copy_results(const HostChanges& changes, const fs::path& root) {
    if (changes.copies.empty()) return {};
    const auto owner = find_user_entry(changes.owner, root);
    if (!owner) return fail(owner.error());
    for (const auto& [to, from] : changes.copies) {
        fs::path folder;
        for (const auto& part : to.parent_path()) {
            folder /= part;
            if (!folder.string().starts_with(service_state)) continue;
            if (auto made = make_owned_folder(below_root(root, folder), *owner); !made) return made;
        }
        if (auto copied = copy_tree(below_root(root, from), below_root(root, to), *owner, most_levels); !copied)
            return copied;
    }
    return {};
}

Result<void> make_links(const HostChanges& changes, const fs::path& root) {
    for (const auto& [link, target] : changes.links) {
        const auto here = below_root(root, link);
        if (auto made = make_open_folder(here.parent_path()); !made) return made;
        if (::symlink(target.c_str(), here.c_str()) != 0) return system_failure("make the link " + here.string());
    }
    return {};
}

Result<void> rename_all(const HostChanges& changes, const fs::path& root) {
    for (const auto& [from, to] : changes.renames) {
        if (::rename(below_root(root, from).c_str(), below_root(root, to).c_str()) != 0) {
            return system_failure("rename " + from.string());
        }
    }
    return {};
}

/// Nothing that somebody has changed since.
Result<void> check_unchanged(const HostChanges& changes, const fs::path& root) {
    std::string changed;
    const auto add = [&](const fs::path& path) { changed += (changed.empty() ? "" : ", ") + path.string(); };
    for (const auto* files : {&changes.files, &changes.private_files}) {
        for (const auto& [path, text] : *files) {
            const auto here = below_root(root, path);
            if (is_there(here) && read_untrusted(here, file_limit).value_or("") != text) add(path);
        }
    }
    for (const auto& [link, target] : changes.links) {
        std::error_code error;
        const auto here = below_root(root, link);
        if (is_there(here) && fs::read_symlink(here, error) != target) add(link);
    }
    for (const auto& [from, to] : changes.renames) {
        if (is_there(below_root(root, from)) && is_there(below_root(root, to))) add(from);
    }
    if (changed.empty()) return {};
    return fail("these were changed since the import: " + changed +
                "; save what you need of them, and repeat with --force");
}

/// The service must not lose its files while it runs, nor a job its only result.
Result<void> check_delivered(const HostChanges& changes, const fs::path& root) {
    if (is_served(root)) {
        return fail("trebuchet-supervise runs: run systemctl disable --now trebuchet-supervise first");
    }
    std::string lost;
    for (const auto& [copy, from] : changes.copies) {
        const bool is_last = is_there(below_root(root, copy)) && !is_there(below_root(root, from));
        if (is_last) lost += (lost.empty() ? "" : ", ") + copy.string();
    }
    if (lost.empty()) return {};
    return fail("these results are not delivered, and there is no other copy: " + lost +
                "; let the service deliver them, or repeat with --force");
}

/// Of jobs that the service has run.
std::vector<std::string> results_that_stay(const fs::path& root) {
    std::vector<std::string> stay;
    std::error_code error;
    for (fs::directory_iterator agent(below_root(root, service_state), error), end; !error && agent != end;
         agent.increment(error)) {
        std::error_code ignored;
        for (fs::directory_iterator result(agent->path() / "results", ignored); !ignored && result != end;
             result.increment(ignored)) {
            if (!is_folder(result->path())) continue;
            stay.push_back(
                "the result " +
                (fs::path(service_state) / agent->path().filename() / "results" / result->path().filename()).string() +
                " is not delivered, and stays");
        }
    }
    return stay;
}

class Undo {
  public:
    explicit Undo(fs::path root) : root_(std::move(root)) {}

    Result<void> remove(const fs::path& path) {
        const auto here = below_root(root_, path);
        if (!is_there(here)) return {};
        if (auto removed = remove_tree(here); !removed) return removed;
        done.push_back("removed " + path.string());
        return {};
    }
    /// Fails unless it is empty: then somebody uses it.
    void remove_folder(const fs::path& folder) const { ::rmdir(below_root(root_, folder).c_str()); }
    /// With --force, the file that came since then gives way.
    Result<void> rename_back(const fs::path& from, const fs::path& to) {
        if (!is_there(below_root(root_, to))) return {};
        if (::rename(below_root(root_, to).c_str(), below_root(root_, from).c_str()) != 0) {
            return system_failure("rename " + to.string());
        }
        done.push_back("renamed " + to.string() + " back to " + from.filename().string());
        return {};
    }

    std::vector<std::string> done;

  private:
    fs::path root_;
};

}  // namespace

Result<void> make_changes(const HostChanges& planned, const fs::path& root) {
    if (auto free = check_places(planned, root); !free) return free;
    auto changes = planned;
    changes.folders = missing_folders(changes, root);
    const auto record = below_root(root, import_record);
    if (auto made = make_open_folder(record.parent_path()); !made) return made;
    if (auto written = write_file(record, record_of(changes)); !written) return written;
    for (const auto& [path, text] : changes.files) {
        if (auto written = write_new(below_root(root, path), text); !written) return written;
    }
    for (const auto& [path, text] : changes.private_files) {
        if (auto made = make_open_folder(below_root(root, path).parent_path()); !made) return made;
        if (auto written = write_file(below_root(root, path), text); !written) return written;
    }
    if (auto made = make_links(changes, root); !made) return made;
    if (auto copied = copy_results(changes, root); !copied) return copied;
    for (const auto& folder : changes.adopted) {
        if (auto ids = AdoptedResults::adopt_all(below_root(root, folder)); !ids) return fail(ids.error());
    }
    return rename_all(changes, root);
}

Result<std::vector<std::string>> undo_changes(const fs::path& root, bool force) {
    const auto changes = read_record(root);
    if (!changes) return fail(changes.error());
    if (!force) {
        if (auto unchanged = check_unchanged(*changes, root); !unchanged) return fail(unchanged.error());
        if (auto delivered = check_delivered(*changes, root); !delivered) return fail(delivered.error());
    }
    Undo undo(root);
    std::vector<fs::path> made;
    for (const auto* files : {&changes->files, &changes->private_files}) {
        for (const auto& [path, text] : *files) made.push_back(path);
    }
    for (const auto& [path, target] : changes->links) made.push_back(path);
    for (const auto& [path, from] : changes->copies) made.push_back(path);
    for (const auto& folder : changes->adopted) made.push_back(folder / adopted_list);
    for (const auto& path : made) {
        if (auto removed = undo.remove(path); !removed) return fail(removed.error());
    }
    for (const auto& [from, to] : changes->renames) {
        if (auto renamed = undo.rename_back(from, to); !renamed) return fail(renamed.error());
    }
    if (auto removed = undo.remove(import_record); !removed) return fail(removed.error());
    for (auto folder = changes->folders.rbegin(); folder != changes->folders.rend(); ++folder)
        undo.remove_folder(*folder);
    const auto stay = results_that_stay(root);
    undo.done.insert(undo.done.end(), stay.begin(), stay.end());
    return undo.done;
}

}  // namespace trebuchet
