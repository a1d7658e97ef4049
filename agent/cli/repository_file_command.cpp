#include "agent/cli/repository_file_command.hpp"

#include "agent/cli/exit_codes.hpp"
#include "common/base/clock.hpp"
#include "common/file/safe_file.hpp"
#include "common/repository_file/file_advice.hpp"
#include "common/repository_file/request_patch.hpp"
#include "common/sealed_value/decrypted_value.hpp"
#include "common/secret/base64.hpp"

#include <functional>
#include <iostream>
#include <map>
#include <optional>
#include <utility>

#include <unistd.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

constexpr std::size_t longest_file = std::size_t{1} << 20U;
constexpr std::size_t longest_request = std::size_t{16} << 20U;

int complain(const char* command, const std::string& message) {
    std::cerr << "trebuchet-agent secret " << command << ": " << message << '\n';
    return exit_usage;
}

using Visit = std::function<void(const std::string& name, const EncryptedValue& value)>;

void visit(const EnvironmentPatch& patch, const Visit& each) {
    for (const auto& [name, value] : patch.secrets) each(name, value);
    for (const auto& [name, value] : patch.tmt_secrets) each(name, value);
}

void visit(const PatchBlock& block, const Visit& each) {
    if (block.all) visit(*block.all, each);
    for (const auto& named : block.named) visit(named.patch, each);
}

void visit_secrets(const RepositoryFile& file, const Visit& each) {
    visit(file.environments, each);
    for (const auto& plan : file.plans) visit(plan.environments, each);
}

/// The keys to decrypt with, to say what an entry was encrypted for.
struct Keys {
    KeyFolder folder;
    KeyOwner owner;
};

class FileCheck {
  public:
    explicit FileCheck(const std::optional<Keys>& keys) : keys_(keys) {}

    void check(const std::filesystem::path& path) {
        file_ = path.string();
        if (const auto wrong = name_problem(path.filename().string()); !wrong.empty()) tell({{1, 1}, wrong});
        const auto text = read_file(path, longest_file);
        if (!text) return tell({{}, text.error().message()});
        const auto parsed = parse_repository_file(*text);
        if (!parsed) {
            for (const auto& problem : parsed.error()) tell(problem);
            return;
        }
        for (const auto& finding : parsed->findings) tell(finding.problem);
        visit_secrets(*parsed, [&](const std::string& name, const auto& value) { check_value(name, value); });
    }
    [[nodiscard]] bool found_something() const { return found_something_; }

  private:
    void tell(const YamlProblem& problem) {
        std::cout << problem.message(file_) << '\n';
        found_something_ = true;
    }

    void check_value(const std::string& name, const EncryptedValue& value) {
        bool has_own = value.entries.empty();
        for (const auto& entry : value.entries) {
            check_copy(entry);
            if (keys_) has_own = check_owner(entry) || has_own;
        }
        if (keys_ && !has_own) {
            tell({value.at, "no entry of " + name + " can be decrypted for " + keys_->owner.repository + " and " +
                                keys_->owner.user});
        }
    }

    /// Every encryption gives another text, so that equal ones in two files were copied.
    void check_copy(const EncryptedEntry& entry) {
        const auto [known, is_new] = files_of_.emplace(entry.base64, file_);
        if (is_new || known->second == file_) return;
        tell({entry.at, "found an encrypted value that is in " + known->second +
                            ", too: it was copied, and can be decrypted for one repository only"});
    }

    /// True if it is for the owner and can be decrypted.
    bool check_owner(const EncryptedEntry& entry) {
        if (!entry.user.empty() && entry.user != keys_->owner.user) return false;
        const auto blocks = base64_decoded(entry.base64);
        const auto now = SystemClock().wall_time();
        if (!blocks) return false;
        if (keys_->folder.decrypt(keys_->owner, blocks->reveal(), now)) return true;
        const auto all = keys_->folder.list();
        for (const auto& [owner, records] : all.value_or(std::vector<OwnedKeys>())) {
            if (!keys_->folder.decrypt(owner, blocks->reveal(), now)) continue;
            tell({entry.at, "found a value that was encrypted for " + owner.repository + " and " + owner.user +
                                ", expected one for " + keys_->owner.repository + " and " + keys_->owner.user});
        }
        return false;
    }

    const std::optional<Keys>& keys_;
    std::string file_;
    bool found_something_ = false;
    std::map<std::string, std::string> files_of_;  ///< by ciphertext
};

Result<std::optional<Keys>> keys_of(const KeyChoice& choice, bool wanted) {
    if (!wanted) return std::optional<Keys>();
    auto folder = key_folder_of(choice);
    if (!folder) return fail(folder.error());
    auto owner = key_owner_of(choice);
    if (!owner) return fail(owner.error());
    return std::optional<Keys>({std::move(*folder), std::move(*owner)});
}

/// Writes the value itself into the request, which goes to stdout.
SecretWriter decrypting(const Keys& keys) {
    return [&keys](const std::string& name, const EncryptedValue& value) -> Result<nlohmann::json> {
        const auto plain = decrypted_value(keys.folder, keys.owner, value, SystemClock().wall_time());
        if (!plain) return fail("the secret " + name + ": " + plain.error().message());
        return std::string(plain->reveal());
    };
}

Result<nlohmann::json> refuse_secret(const std::string& name, const EncryptedValue& /*value*/) {
    return fail("the request must not use secrets, and the file has " + name + " for it");
}

Result<nlohmann::json> read_request(const std::filesystem::path& path) {
    const auto text = read_file(path, longest_request);
    if (!text) return fail(text.error());
    auto json = nlohmann::json::parse(*text, nullptr, false);
    if (json.is_discarded()) return fail(path.string() + " is not JSON");
    return json;
}

Result<nlohmann::json> patched(const PatchOptions& options, const RepositoryFile& file,
                               const std::optional<Keys>& keys) {
    auto request = read_request(options.request);
    if (!request) return fail(request.error());
    const auto plan = options.plan.empty() ? std::nullopt : std::optional(options.plan);
    SecretWriter write = keep_encrypted;
    if (options.no_secrets) write = refuse_secret;
    if (keys && !options.no_secrets) write = decrypting(*keys);
    return patch_request(std::move(*request), file, plan, write);
}

}  // namespace

int check_file_command(const CheckFileOptions& options) {
    const auto keys = keys_of(options.key, options.with_keys);
    if (!keys) return complain("check", keys.error().message());
    FileCheck check(*keys);
    for (const auto& file : options.files) check.check(file);
    return check.found_something() ? exit_usage : 0;
}

int patch_command(const PatchOptions& options) {
    const auto text = read_file(options.file, longest_file);
    if (!text) return complain("patch", text.error().message());
    const auto file = parse_repository_file(*text);
    if (!file) return complain("patch", file.error().front().message(options.file.string()));
    for (const auto& finding : file->findings) std::cerr << finding.problem.message(options.file.string()) << '\n';
    const auto keys = keys_of(options.key, options.decrypt);
    if (!keys) return complain("patch", keys.error().message());
    const auto request = patched(options, *file, *keys);
    if (!request) return complain("patch", request.error().message());
    const auto out = request->dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    const auto written = write_all(STDOUT_FILENO, out);
    return written ? 0 : complain("patch", written.error().message());
}

}  // namespace trebuchet
