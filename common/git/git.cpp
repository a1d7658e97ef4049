#include "common/git/git.hpp"

#include "common/base/text.hpp"
#include "common/file/safe_file.hpp"
#include "common/process/process.hpp"

#include <algorithm>
#include <cctype>
#include <memory>
#include <variant>

namespace trebuchet {
namespace {

constexpr std::size_t most_output = 64 * std::size_t{1024};
constexpr std::chrono::milliseconds kill_grace{1000};

// Values are in the environment, so the shell reads none of them as code. The URL is in git's command line, which every
// user sees: repository_url() refuses one with a credential.
constexpr const char* ask_origin = "exec git config --get remote.origin.url";
constexpr const char* ask_commit = R"(exec git ls-remote --exit-code -- "$SOURCE_URL" "refs/heads/$SOURCE_BRANCH")";

// A server that takes no filter sends all files of the commit.
constexpr const char* fetch = R"sh(
ulimit -f 524288
umask 077
git init -q --bare --template= repository || exit 1
cd repository || exit 1
git config remote.origin.url "$SOURCE_URL" || exit 1
git config remote.origin.promisor true || exit 1
git fetch -q --depth 1 --no-tags --no-recurse-submodules --filter=blob:none origin "+refs/heads/$SOURCE_BRANCH" || exit 1
[ "$(git rev-parse FETCH_HEAD)" = "$SOURCE_COMMIT" ] || { echo 'the branch has moved meanwhile'; exit 1; }
entry=$(git ls-tree FETCH_HEAD -- "$SOURCE_FILE") || exit 1
case $entry in
'') exit 3 ;;
100644\ blob\ * | 100755\ blob\ *) ;;
*) exit 4 ;;
esac
exec git cat-file blob "FETCH_HEAD:$SOURCE_FILE" > ../file
)sh";
constexpr int no_file = 3;
constexpr int no_regular_file = 4;

/// How git ended, and what it said.
struct Ending {
    ProcessEnd end = CouldNotStart{"it was not started"};
    std::string output;
    bool timed_out = false;

    [[nodiscard]] bool is_exit(int code) const {
        const auto* exited = std::get_if<Exited>(&end);
        return !timed_out && exited != nullptr && exited->code == code;
    }
};

Environment git_environment(const GitSource& source) {
    auto environment = Environment::inherited();
    for (const auto* prefix :
         {"SECRET_", "VAULT_", "BAO_", "GIT_CONFIG_KEY", "GIT_CONFIG_VALUE", "GIT_CONFIG_COUNT", "GIT_TRACE"}) {
        environment.unset_prefix(prefix);
    }
    for (const auto* name : {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "NOTIFY_SOCKET"}) environment.unset(name);
    environment.set("GIT_TERMINAL_PROMPT", "0");
    environment.set("GIT_ALLOW_PROTOCOL", "https:ssh:file");
    environment.set("LC_ALL", "C");
    if (!environment.variables().contains("GIT_SSH_COMMAND")) {
        environment.set("GIT_SSH_COMMAND", "ssh -oBatchMode=yes");
    }
    environment.set("SOURCE_URL", source.url);
    environment.set("SOURCE_BRANCH", source.branch);
    environment.set("SOURCE_FILE", source.file);
    return environment;
}

Ending run(EventLoop& loop, ProcessSpec spec, const GitSource& source) {
    spec.title = "git";
    spec.kill_grace = kill_grace;
    Ending ending;
    bool is_gone = false;
    bool has_ended = false;
    Process::Handlers handlers;
    handlers.output = [&](std::string_view bytes) {
        ending.output.append(bytes.substr(0, most_output - std::min(most_output, ending.output.size())));
    };
    handlers.ended = [&](const ProcessEnd& end, std::size_t /*left*/) {
        ending.end = end;
        has_ended = true;
    };
    handlers.gone = [&] { is_gone = true; };
    const auto process = Process::start(loop, spec, std::move(handlers));
    ending.timed_out = !loop.wait_for(source.timeout, [&] { return has_ended || source.is_interrupted(); });
    if (!has_ended) ending.timed_out = true;
    if (source.is_interrupted()) {
        process->kill(kill_grace);
    } else {
        process->stop();
    }
    (void)loop.wait_for(2 * kill_grace, [&] { return is_gone; });
    return ending;
}

/// The last line of what git said, without a password that stands in a URL.
std::string reason_of(const Ending& ending, const GitSource& source) {
    if (source.is_interrupted()) return "git was interrupted";
    if (ending.timed_out) return "git took longer than " + std::to_string(source.timeout.count() / 1000) + " s";
    auto text = ending.output;
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.pop_back();
    auto line = text.substr(text.rfind('\n') + 1);
    if (line.empty()) line = "git failed";
    for (auto at = line.find("://"); at != std::string::npos; at = line.find("://", at + 3)) {
        const auto end = std::min(line.find_first_of("/ '\"", at + 3), line.size());
        const auto user_end = line.rfind('@', end);
        if (user_end != std::string::npos && user_end > at) line.erase(at + 3, user_end + 1 - (at + 3));
    }
    return trebuchet::quoted(line, 200);
}

bool is_commit(std::string_view text) {
    return text.size() >= 40 && text.size() <= 64 &&
           std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
}

/// A new folder that is removed with its content, also if a former run was killed.
class Scratch {
  public:
    explicit Scratch(const std::filesystem::path& parent) : path_(parent / "git-fetch") {
        is_made_ = remove_tree(path_) && make_private_folder(path_);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() { (void)remove_tree(path_); }
    [[nodiscard]] bool is_made() const { return is_made_; }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
    bool is_made_ = false;
};

}  // namespace

bool is_branch_name(const std::string& text) {
    const bool is_plain = std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == '/' || c == '+' || c == '#';
    });
    return is_plain && !text.empty() && text.size() <= 200 && text.front() != '-' && text.front() != '/' &&
           text.back() != '/' && text.back() != '.' && text.find("..") == std::string::npos &&
           text.find("//") == std::string::npos;
}

Result<std::string> origin_url(EventLoop& loop, const std::filesystem::path& folder) {
    GitSource source;
    ProcessSpec spec;
    spec.command = ask_origin;
    spec.folder = folder;
    spec.environment = git_environment(source);
    auto ending = run(loop, std::move(spec), source);
    if (!ending.is_exit(0)) return fail("there is no git repository with a remote `origin` here");
    return ending.output.substr(0, ending.output.find('\n'));
}

Result<std::string> remote_commit(EventLoop& loop, const GitSource& source) {
    ProcessSpec spec;
    spec.command = ask_commit;
    spec.folder = "/";
    spec.environment = git_environment(source);
    const auto ending = run(loop, std::move(spec), source);
    if (ending.is_exit(2)) return fail("the repository has no branch " + source.branch);
    if (!ending.is_exit(0)) return fail("git cannot read the repository: " + reason_of(ending, source));
    // Warnings may come first.
    const auto end = ending.output.find("\trefs/heads/" + source.branch + "\n");
    if (end == std::string::npos) return fail("git gave no commit of the branch " + source.branch);
    auto commit = ending.output.substr(0, end);
    commit = commit.substr(commit.rfind('\n') + 1);
    return is_commit(commit) ? Result<std::string>(commit) : fail("git gave no commit of the branch " + source.branch);
}

Result<std::optional<std::string>> fetch_file(EventLoop& loop, const GitSource& source, const std::string& commit,
                                              const std::filesystem::path& scratch) {
    const Scratch folder(scratch);
    if (!folder.is_made()) return fail("cannot make a folder for git in " + scratch.string());
    ProcessSpec spec;
    spec.command = fetch;
    spec.folder = folder.path();
    spec.environment = git_environment(source);
    spec.environment.set("SOURCE_COMMIT", commit);
    const auto ending = run(loop, std::move(spec), source);
    if (ending.is_exit(no_file)) return std::optional<std::string>();
    if (ending.is_exit(no_regular_file)) return fail(source.file + " is not a file in the repository");
    if (!ending.is_exit(0)) return fail("git cannot fetch " + source.file + ": " + reason_of(ending, source));
    auto text = read_untrusted(folder.path() / "file", source.limit);
    if (!text)
        return fail(source.file + " in the repository is longer than " + std::to_string(source.limit) + " bytes");
    return std::optional<std::string>(std::move(*text));
}

}  // namespace trebuchet
