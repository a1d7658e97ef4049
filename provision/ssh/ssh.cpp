#include "provision/ssh/ssh.hpp"

#include "provision/process/exit_codes.hpp"
#include "provision/ssh/connection_watch.hpp"
#include "provision/ssh/shell_quote.hpp"

#include <cerrno>
#include <cstdlib>
#include <initializer_list>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

/// A unix socket's path has at most 107 characters, and ssh appends 17 while it connects.
constexpr std::size_t longest_folder = 80;

std::filesystem::path make_socket_folder() {
    for (const char* parent :
         std::initializer_list<const char*>{std::getenv("XDG_RUNTIME_DIR"), std::getenv("TMPDIR"), "/tmp"}) {
        if (parent == nullptr || *parent != '/') continue;
        auto name = std::string(parent) + "/trebuchet-ssh-XXXXXX";
        if (name.size() <= longest_folder && ::mkdtemp(name.data()) != nullptr) return name;
    }
    return {};
}

tl::unexpected<Error> failed(const std::string& what, const CommandResult& result) {
    return fail(what + ": " + (is_transport_failure(result.end) ? "no ssh connection, " : "") + describe(result));
}

}  // namespace

bool is_transport_failure(const CommandEnd& end) {
    const auto* exited = std::get_if<CommandExited>(&end);
    return exited != nullptr && exited->code == exit_ssh_failed;
}

Ssh::Ssh(SshTarget target, CommandRunner& commands)
    : target_(std::move(target)), commands_(&commands), folder_(make_socket_folder()) {
    if (target_.password.empty()) return;
    environment_ = std::make_unique<Environment>(Environment::inherited());
    environment_->set("SSHPASS", target_.password.reveal());
}

Ssh::~Ssh() {
    disconnect();
    if (folder_.empty()) return;
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

std::string Ssh::destination() const {
    return target_.user.empty() ? target_.host : target_.user + "@" + target_.host;
}

std::string Ssh::name() const {
    return destination() + (target_.port == 0 ? "" : " port " + std::to_string(target_.port));
}

std::vector<std::string> Ssh::arguments() const {
    std::vector<std::string> all;
    if (environment_) all = {"sshpass", "-e"};
    all.emplace_back("ssh");
    const auto option = [&](const std::string& text) { all.insert(all.end(), {"-o", text}); };
    option("StrictHostKeyChecking=no");
    option("UserKnownHostsFile=/dev/null");
    option("GlobalKnownHostsFile=/dev/null");
    option("LogLevel=ERROR");
    option("ConnectTimeout=10");
    option("ServerAliveInterval=10");
    option("ServerAliveCountMax=6");
    if (environment_) {
        option("NumberOfPasswordPrompts=1");
    } else {
        option("BatchMode=yes");
    }
    if (!folder_.empty()) {
        option("ControlMaster=auto");
        option("ControlPath=" + (folder_ / "mux").string());
        option("ControlPersist=30");
    }
    if (!target_.mark.empty()) option("SetEnv=LC_TREBUCHET=" + target_.mark);
    if (!target_.key_file.empty()) {
        option("IdentitiesOnly=yes");
        all.insert(all.end(), {"-i", target_.key_file});
    }
    if (target_.port != 0) all.insert(all.end(), {"-p", std::to_string(target_.port)});
    return all;
}

Command Ssh::command(std::string_view command_line) const {
    Command command;
    command.argv = arguments();
    command.argv.insert(command.argv.end(), {"-T", destination(), "--", std::string(command_line)});
    command.environment = environment_.get();
    return command;
}

CommandResult Ssh::run(const std::string& command_line, const SshCall& call) {
    auto ssh = command(command_line);
    ssh.timeout = call.timeout;
    ssh.capture_output = call.capture_output;
    ssh.output_limit = call.output_limit;
    ssh.input = call.input;
    may_be_connected_ = true;
    return commands_->run(ssh);
}

CommandResult Ssh::run_script(std::string_view script, const SshCall& call) {
    WipedString text(connection_watch());
    text += "{\n";
    text += script;
    text += "\n} </dev/null\n";
    auto with_script = call;
    with_script.input = text;
    return run("/bin/sh -s", with_script);
}

tl::expected<std::unique_ptr<RunningCommand>, CommandEnd> Ssh::start(const std::string& command_line, Piped piped) {
    may_be_connected_ = true;
    return commands_->start(command(command_line), piped);
}

Result<void> Ssh::upload(std::string_view content, const std::string& remote_file, const std::string& mode) {
    SshCall call;
    call.input = content;
    const auto file = shell_quote(remote_file);
    const auto result = run("umask 077; cat > " + file + " && chmod " + mode + " " + file, call);
    if (!succeeded(result)) return failed("cannot write " + remote_file + " on " + name(), result);
    return {};
}

Result<void> Ssh::upload_file(const std::filesystem::path& file, const std::string& remote_file,
                              std::chrono::milliseconds timeout, const std::string& mode) {
    const FileDescriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!opened) return fail("cannot open " + file.string() + ": " + std::system_category().message(errno));
    const auto remote = shell_quote(remote_file);
    auto ssh = command("umask 077; cat > " + remote + " && chmod " + mode + " " + remote);
    ssh.timeout = timeout;
    ssh.capture_output = true;
    ssh.input_fd = opened.get();
    may_be_connected_ = true;
    const auto result = commands_->run(ssh);
    if (!succeeded(result)) return failed("cannot copy " + file.string() + " to " + name(), result);
    return {};
}

Result<void> Ssh::download(const std::string& remote_file, const std::filesystem::path& file,
                           std::chrono::milliseconds timeout) {
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
    const auto created = create_new_file(file);
    if (!created) return fail(created.error());
    auto ssh = command("cat " + shell_quote(remote_file));
    ssh.timeout = timeout;
    ssh.capture_output = true;
    ssh.output_fd = created->get();
    may_be_connected_ = true;
    const auto result = commands_->run(ssh);
    if (succeeded(result)) return {};
    std::filesystem::remove(file, ignored);
    return failed("cannot copy " + remote_file + " from " + name(), result);
}

Result<void> Ssh::check_login(std::chrono::milliseconds timeout) {
    SshCall call;
    call.timeout = timeout;
    const auto result = run("/bin/true", call);
    if (!succeeded(result)) return failed("cannot log in to " + name(), result);
    return {};
}

void Ssh::disconnect() {
    if (folder_.empty() || !std::exchange(may_be_connected_, false)) return;
    std::error_code ignored;
    if (!std::filesystem::exists(folder_ / "mux", ignored)) return;
    Command end;
    end.argv = {"ssh", "-o", "ControlPath=" + (folder_ / "mux").string(), "-O", "exit", destination()};
    end.timeout = 5s;
    end.capture_output = true;
    end.ignore_stop_signal = true;
    (void)commands_->run(end);
    std::filesystem::remove(folder_ / "mux", ignored);
}

}  // namespace trebuchet
