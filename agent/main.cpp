#include "agent/cli/adopt_results_command.hpp"
#include "agent/cli/check_config_command.hpp"
#include "agent/cli/daemon_command.hpp"
#include "agent/cli/exit_codes.hpp"
#include "agent/cli/import_command.hpp"
#include "agent/cli/instance_command.hpp"
#include "agent/cli/mask_command.hpp"
#include "agent/cli/pause_command.hpp"
#include "agent/cli/repository_file_command.hpp"
#include "agent/cli/run_command.hpp"
#include "agent/cli/secret_command.hpp"
#include "agent/cli/status_command.hpp"
#include "agent/cli/supervise_command.hpp"
#include "common/base/version.hpp"
#include "common/process/process.hpp"
#include "common/process/supervisor/supervisor.hpp"

#include <atomic>
#include <csignal>
#include <cstring>
#include <exception>
#include <iostream>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

namespace {

/// Secrets pass through this process: no core dumps, and no other process of the same user may read its memory.
void shut_the_doors() {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    trebuchet::adopt_orphans();
    std::signal(SIGPIPE, SIG_IGN);
}

/// At its exit the HTTP library waits for its threads, and one of them may be in the resolver for as long as that
/// likes: then the process ends without.
void limit_exit(int code) {
    static std::atomic<int> wanted;
    wanted = code;
    std::signal(SIGALRM, [](int) { ::_exit(wanted); });
    const itimerval limit{{0, 0}, {0, 500'000}};
    ::setitimer(ITIMER_REAL, &limit, nullptr);
}

struct InstanceOptions {
    trebuchet::NewInstance added;
    std::string removed;
    bool purge = false;
    std::string root = "/";
};

void add_instance_commands(CLI::App& app, InstanceOptions& options, int& exit_code) {
    auto* instance = app.add_subcommand("instance", "Add, list and remove the agents of this host's devices (systemd)");
    instance->require_subcommand(1);
    instance->add_option("--root", options.root, "Another root folder, such as of an image")->group("");
    instance->footer(
        "Example:\n  trebuchet-agent instance add rpi4-1 --server https://lab.example.com --queue rpi4 "
        "--connector muxpi");

    auto* add = instance->add_subcommand("add", "Make the configuration and the user of one device's agent");
    add->add_option("NAME", options.added.name, "The agent's ID, which is also the instance of the unit")->required();
    add->add_option("--server", options.added.server, "The Testflinger server, such as https://lab.example.com")
        ->required();
    add->add_option("--queue", options.added.queues, "A queue to take jobs from; may be repeated")->required();
    add->add_option("--connector", options.added.connector, "A type of trebuchet-provision")->capture_default_str();
    add->add_option("--client-id", options.added.client_id, "Log in with this ID; needs --key-file");
    add->add_option("--key-file", options.added.key_file, "The file with the ID's secret key, which is copied")
        ->check(CLI::ExistingFile);
    add->add_option("--ca-file", options.added.ca_file, "The CA certificates (PEM) to check the server with");
    add->footer(
        "Example:\n  trebuchet-agent instance add rpi4-1 --server https://lab.example.com --queue rpi4 "
        "--client-id lab --key-file key");
    add->callback([&] { exit_code = trebuchet::add_instance(options.added, options.root); });

    auto* list = instance->add_subcommand("list", "Print name, user, server and queues of each instance");
    list->footer("Example:\n  trebuchet-agent instance list");
    list->callback([&] { exit_code = trebuchet::list_instances(options.root); });

    auto* remove = instance->add_subcommand("remove", "Stop an instance and remove its configuration");
    remove->add_option("NAME", options.removed, "The instance")->required();
    remove->add_flag("--purge", options.purge, "Also remove its state and its user");
    remove->footer("Example:\n  trebuchet-agent instance remove rpi4-1");
    remove->callback([&] { exit_code = trebuchet::remove_instance(options.removed, options.purge, options.root); });
}

struct SecretOptions {
    trebuchet::ExplainOptions explain;
    trebuchet::IdentityOptions identity;
    std::filesystem::path env_file;
    trebuchet::KeyChoice keygen;
    trebuchet::EncryptOptions encrypt;
    trebuchet::KeyChoice decrypt;
    trebuchet::KeyChoice list;
    trebuchet::RotateOptions rotate;
    trebuchet::RevokeOptions revoke;
    trebuchet::CheckFileOptions check;
    trebuchet::PatchOptions patch;
};

void add_key_folder(CLI::App& command, trebuchet::KeyChoice& choice) {
    command.add_option("--key-folder", choice.key_folder, "The lab's keys; default: trebuchet.secrets.key_folder");
}

void add_owner(CLI::App& command, trebuchet::KeyChoice& choice) {
    command.add_option("--repository", choice.repository, "The tested repository; default: `origin` of the one here");
    command.add_option(
        "--user", choice.user,
        "The client_id of who posts the jobs; default: $TESTFLINGER_CLIENT_ID, then trebuchet.client_id");
}

void add_key_choice(CLI::App& command, trebuchet::KeyChoice& choice) {
    command.add_option("-c,--config", choice.config, "The agent's configuration")->capture_default_str();
    add_key_folder(command, choice);
    add_owner(command, choice);
}

/// For who writes values into a repository.
void add_value_commands(CLI::App& secret, SecretOptions& options, int& exit_code) {
    auto* encrypt = secret.add_subcommand("encrypt", "Encrypt a value for .testing-farm.yaml");
    encrypt->add_option("NAME", options.encrypt.name, "The variable that gets it")->capture_default_str();
    add_key_choice(*encrypt, options.encrypt.key);
    encrypt->add_option("--public-key", options.encrypt.public_key,
                        "The public key's file; default: from the key folder, or else from the server");
    encrypt->add_flag("--keep-newline", options.encrypt.keep_newline, "Keep the newline at the end of stdin");
    encrypt->footer(
        "Reads the value from the terminal, without echo, or from stdin.\n\n"
        "Example:\n  trebuchet-agent secret encrypt STORE_TOKEN --user team-a < token");
    encrypt->callback([&] { exit_code = trebuchet::encrypt_command(options.encrypt); });

    auto* decrypt = secret.add_subcommand("decrypt", "Decrypt an encrypted value from stdin");
    add_key_choice(*decrypt, options.decrypt);
    decrypt->footer("Example:\n  trebuchet-agent secret decrypt --user team-a < encrypted");
    decrypt->callback([&] { exit_code = trebuchet::decrypt_command(options.decrypt); });

    auto* check = secret.add_subcommand("check", "Print every mistake in a repository's .testing-farm.yaml");
    check->add_option("FILE", options.check.files, "The file; may be repeated")->required();
    check->add_flag("--decrypt", options.check.with_keys,
                    "Check with the lab's keys what each value was encrypted for");
    add_key_choice(*check, options.check.key);
    check->footer(
        "Exit codes: 0 fine; 2 there are mistakes.\n\n"
        "Example:\n  trebuchet-agent secret check .testing-farm.yaml");
    check->callback([&] { exit_code = trebuchet::check_file_command(options.check); });

    auto* patch =
        secret.add_subcommand("patch", "Print a request to Testing Farm's API as .testing-farm.yaml patches it");
    patch->add_option("REQUEST", options.patch.request, "The request, JSON")->required()->check(CLI::ExistingFile);
    patch->add_option("--config", options.patch.file, "The repository's file")->capture_default_str();
    patch->add_option("--plan", options.patch.plan, "The plan that runs, such as /smoke");
    auto* decrypts =
        patch->add_flag("--decrypt", options.patch.decrypt, "Write the values of secrets, not the ciphertexts");
    patch->add_flag("--no-secrets", options.patch.no_secrets, "Fail if the file has secrets for the request")
        ->excludes(decrypts);
    patch->add_option("--agent-config", options.patch.key.config, "The agent's configuration")->capture_default_str();
    add_key_folder(*patch, options.patch.key);
    add_owner(*patch, options.patch.key);
    patch->footer("Example:\n  trebuchet-agent secret patch --config .testing-farm.yaml request.json --plan /smoke");
    patch->callback([&] { exit_code = trebuchet::patch_command(options.patch); });
}

/// For who runs the lab.
void add_key_commands(CLI::App& secret, SecretOptions& options, int& exit_code) {
    auto* keygen =
        secret.add_subcommand("keygen", "Make the key pair of a repository and a user; print the public key");
    add_key_choice(*keygen, options.keygen);
    keygen->footer("Example:\n  trebuchet-agent secret keygen --repository https://git.example.org/app --user team-a");
    keygen->callback([&] { exit_code = trebuchet::keygen_command(options.keygen); });

    auto* list = secret.add_subcommand("list", "List the key pairs of repositories and users");
    list->add_option("-c,--config", options.list.config, "The agent's configuration")->capture_default_str();
    add_key_folder(*list, options.list);
    list->footer("Example:\n  trebuchet-agent secret list --key-folder /srv/keys");
    list->callback([&] { exit_code = trebuchet::list_keys_command(options.list); });

    auto* rotate = secret.add_subcommand("rotate", "Make a new key pair; the old one decrypts for some time");
    add_key_choice(*rotate, options.rotate.key);
    rotate->add_option("--overlap", options.rotate.overlap_days, "Days in which older keys decrypt")
        ->check(CLI::Range(0, 3650))
        ->capture_default_str();
    rotate->footer("Example:\n  trebuchet-agent secret rotate --user team-a --overlap 14");
    rotate->callback([&] { exit_code = trebuchet::rotate_command(options.rotate); });

    auto* revoke = secret.add_subcommand("revoke", "Remove private keys: what was encrypted for them is lost");
    add_key_choice(*revoke, options.revoke.key);
    revoke->add_option("--id", options.revoke.id, "Only this key, as `secret list` prints it");
    revoke->footer("Example:\n  trebuchet-agent secret revoke --user team-a");
    revoke->callback([&] { exit_code = trebuchet::revoke_command(options.revoke); });
}

void add_secret_commands(CLI::App& app, SecretOptions& options, int& exit_code) {
    auto* secret = app.add_subcommand("secret", "Explain and prepare the secrets that the lab gives to jobs");
    secret->require_subcommand(1);
    secret->footer("Example:\n  trebuchet-agent secret explain job.yaml --queue rpi4");

    auto* explain = secret->add_subcommand("explain", "Print what a job would get of each grant, or why not");
    explain->add_option("JOB", options.explain.job, "The job, YAML or JSON, as it would be submitted")
        ->required()
        ->check(CLI::ExistingFile);
    explain->add_option("--queue", options.explain.queue, "The queue that it would be posted to")->required();
    explain->add_option("--client-id", options.explain.client_id, "Who would post it");
    explain->add_option("-c,--config", options.explain.config, "The agent's configuration")->capture_default_str();
    explain->footer("Example:\n  trebuchet-agent secret explain job.yaml --queue rpi4 --client-id team-a");
    explain->callback([&] { exit_code = trebuchet::explain_command(options.explain); });

    auto* identity = secret->add_subcommand("identity", "Make the agent's signing key, and print how Vault trusts it");
    identity->add_option("-c,--config", options.identity.config, "The agent's configuration")->capture_default_str();
    identity->footer("Example:\n  trebuchet-agent secret identity -c testflinger-agent.conf");
    identity->callback([&] { exit_code = trebuchet::identity_command(options.identity); });

    auto* encode = secret->add_subcommand("encode-env", "Print a .env file as lines SECRET_NAME=base64");
    encode->add_option("FILE", options.env_file, "The .env file, mode 0600")->required()->check(CLI::ExistingFile);
    encode->footer("Example:\n  trebuchet-agent secret encode-env .env > env_encoded");
    encode->callback([&] { exit_code = trebuchet::encode_env_command(options.env_file); });

    add_value_commands(*secret, options, exit_code);
    add_key_commands(*secret, options, exit_code);
}

void add_status_command(CLI::App& app, trebuchet::StatusOptions& options, int& exit_code) {
    auto* status = app.add_subcommand("status", "Print what the agents of this host are doing");
    status->add_option("NAME", options.name, "Only this agent");
    status->add_flag("--watch", options.watch, "Print it again every 2 s");
    status->add_flag("--json", options.json, "Print a JSON array");
    status->add_option("--dir", options.folder, "The agents' trebuchet.status_dir")->capture_default_str();
    status->add_option("--root", options.root, "Another root folder, such as of an image")->group("");
    status->footer("Exit codes: 0 all run; 1 at least one does not.\n\nExample:\n  trebuchet-agent status rpi4-1");
    status->callback([&] { exit_code = trebuchet::status_command(options); });
}

void add_supervise_command(CLI::App& app, trebuchet::SuperviseOptions& options, int& exit_code) {
    auto* supervise = app.add_subcommand("supervise", "Run an agent for each folder of a lab's configurations");
    supervise->add_option("DIR", options.tree, "The folder; each of its folders has a testflinger-agent.conf")
        ->required();
    supervise->add_option("--token-file", options.token_file,
                          R"(The file with {"refresh_token": "…"}, for all agents)");
    supervise->add_option("--status-dir", options.status_folder,
                          "Where the agents show their status, for `status --dir`");
    supervise->add_option("--port", options.ports,
                          "AGENT_ID=PORT: serve an agent's metrics on this port; may be repeated");
    supervise->add_option("--program", options.program, "Run this trebuchet-agent, instead of the one that supervises");
    const auto hidden = [&](const char* name, std::chrono::milliseconds& time) {
        supervise->add_option_function<unsigned>(name, [&time](unsigned ms) { time = std::chrono::milliseconds(ms); })
            ->group("");
    };
    hidden("--quiet-ms", options.times.quiet);
    hidden("--removal-ms", options.removal_grace);
    hidden("--program-ms", options.program_pause);
    supervise->footer(
        "SIGHUP reads the folder again; SIGUSR1 restarts each agent when no job of it runs; SIGTERM stops all.\n\n"
        "Exit codes: 0 stopped; 2 DIR cannot be used; 3 another process supervises the same state folder.\n\n"
        "Example:\n  trebuchet-agent supervise /srv/agent-configs/lab-1");
    supervise->callback([&] { exit_code = trebuchet::supervise_command(options); });
}

void add_import_command(CLI::App& app, trebuchet::ImportOptions& options, int& exit_code) {
    auto* import = app.add_subcommand("import", "Move this host from the Python agents, as their charm set them up");
    auto* write = import->add_flag("--write", options.write, "Make the changes; without it they are only printed");
    import
        ->add_flag("--rehearse", options.rehearse,
                   "Run a job through each agent's own scripts, with doubles of docker and of the device connectors")
        ->excludes(write);
    import->add_flag("--undo", options.undo, "Take back what --write made")->excludes(write);
    import->add_flag(
        "--force", options.force,
        "With --undo: also what was changed by hand since, or runs; with --write: while the Python agents run");
    import->add_option("--root", options.root, "Another root folder, such as of an image")->group("");
    import->footer(
        "Exit codes: 0 done; 1 something is to be mended first, or a rehearsed job differs; 2 nothing to import or to "
        "undo, or it failed.\n\n"
        "Example:\n  trebuchet-agent import");
    import->callback([&] { exit_code = trebuchet::import_command(options);
});
}  // namespace

void add_agent_names(CLI::App& command, trebuchet::AgentPlace& place) {
    command.add_option("NAME", place.name, "The instance, as `instance list` prints it");
    command.add_option("--state", place.state, "Instead of NAME, the state folder of an agent that is no instance");
    command.add_option("--root", place.root, "Another root folder, such as of an image")->group("");
}

void add_pause_commands(CLI::App& app, trebuchet::PauseOptions& options, int& exit_code) {
    auto* pause = app.add_subcommand("pause", "Take an agent into maintenance once its running job has ended");
    add_agent_names(*pause, options.place);
    pause->add_option("--note", options.note, "Why: shown at the server as the agent's comment")->required();
    pause->add_option("--for", options.duration, "How long, such as 90s, 30m, 2h or 1d; default: until `resume`");
    pause->footer("Example:\n  trebuchet-agent pause rpi4-1 --note \"new cable\" --for 2h");
    pause->callback([&] { exit_code = trebuchet::pause_command(options); });

    auto* resume = app.add_subcommand("resume", "End a pause or a quarantine");
    add_agent_names(*resume, options.place);
    resume->footer("Example:\n  trebuchet-agent resume rpi4-1");
    resume->callback([&] { exit_code = trebuchet::resume_command(options.place); });
}

int run(int argc, char** argv) {
    trebuchet::DaemonOptions daemon;
    trebuchet::RunOptions job;
    trebuchet::MaskCommandOptions mask;
    int exit_code = 0;

    CLI::App app{
        "Runs the jobs of one device under test: polls a Testflinger server, provisions and tests the device, masks\n"
        "secrets in the log and sends it. Without a subcommand it runs as the daemon."};
    app.name("trebuchet-agent");
    app.footer(
        "Exit codes: 0 stopped; 1 to be restarted; 2 the configuration or a folder of it is wrong; 3 another process\n"
        "serves this device; 70 a bug.\n"
        "\n"
        "Example:\n"
        "  trebuchet-agent -c testflinger-agent.conf --token-file refresh_token -p 9100");
    app.set_version_flag("--version", std::string("trebuchet-agent ") + trebuchet::version);
    app.set_help_all_flag("--help-all", "Print the help of all subcommands");
    app.require_subcommand(0, 1);
    app.add_option("-c,--config", daemon.config, "The agent's configuration")->capture_default_str();
    app.add_option("--token-file", daemon.token_file, R"(The file with {"refresh_token": "…"})")->capture_default_str();

    app.add_option("-p,--metrics_port", daemon.metrics_port,
                   "Serve Prometheus metrics and /healthz on this port (address: trebuchet.metrics_address)");
    app.add_option("--status-dir", daemon.status_folder,
                   "Show the status in this folder, instead of "
                   "trebuchet.status_dir");

    trebuchet::CheckConfigOptions to_check;
    auto* check = app.add_subcommand("check-config", "Check a configuration and print every problem in it");
    check->add_option("-c,--config", to_check.config, "The agent's configuration")->capture_default_str();
    check->add_option("--token-file", to_check.token_file, R"(The file with {"refresh_token": "…"})")
        ->capture_default_str();
    check->add_flag(
        "--show", to_check.show,
        "Print every setting, its value and where the value comes from. Files with secrets are not read, and "
        "well-known credentials are masked; a password inside a command is printed");
    auto* online = check->add_flag("--online", to_check.online,
                                   "Check this host and the server, too: print a line for each check, ok, warning or "
                                   "error. Run it as the agent's user; it takes no job");
    check->add_flag("--json", to_check.json, "With --online: print a JSON array")->needs(online);
    check->footer(
        "Exit codes: 0 fine; 1 --online found an error; 2 the configuration is wrong.\n\n"
        "Example:\n  trebuchet-agent check-config -c testflinger-agent.conf --show");
    check->callback([&] { exit_code = trebuchet::check_config_command(to_check); });

    trebuchet::AdoptResultsOptions to_adopt;
    auto* adopt = app.add_subcommand("adopt-results", "Have the agent deliver results that the Python agent left");
    adopt->add_option("DIR", to_adopt.results, "The configuration's results_basedir")
        ->required()
        ->check(CLI::ExistingDirectory);
    adopt->footer("Run it as root, while no job runs.\n\nExample:\n  trebuchet-agent adopt-results /srv/results");
    adopt->callback([&] { exit_code = trebuchet::adopt_results_command(to_adopt); });

    auto* run_job = app.add_subcommand("run", "Run one job on this machine, without a server");
    run_job->add_option("JOB", job.job, "The job, YAML or JSON, as it would be submitted")
        ->required()
        ->check(CLI::ExistingFile);
    run_job->add_option("--secrets", job.secrets, "JSON object from the job's secret path to its value")
        ->check(CLI::ExistingFile);
    run_job->add_option("--output", job.output, "Folder for logs, artifacts and the outcome")
        ->default_val("trebuchet-output");
    run_job->add_option("-c,--config", job.config, "An agent's configuration, for its phase commands")
        ->check(CLI::ExistingFile);
    run_job->footer("Example:\n  trebuchet-agent run job.yaml --secrets secrets.json --output results");
    run_job->callback([&] { exit_code = trebuchet::run_command(job); });

    auto* mask_stream = app.add_subcommand("mask", "Copy stdin to stdout and mask the given secrets");
    mask_stream->add_option("--secrets", mask.secrets_file, "JSON object from name to value")->required();
    mask_stream->add_option("--read-size", mask.read_size, "Bytes per read")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    mask_stream
        ->add_option("--credentials-off", mask.credentials_off,
                     "Credential types to leave out of pattern-based masking, such as jwt,aws")
        ->delimiter(',');
    mask_stream->add_flag("--check", mask.check,
                          "Copy nothing; print which forms of each value are masked, which values are weak, and which "
                          "credential types are masked");
    mask_stream->footer("Example:\n  make 2>&1 | trebuchet-agent mask --secrets secrets.json");
    mask_stream->callback([&] { exit_code = trebuchet::mask_command(mask); });

    InstanceOptions instance;
    add_instance_commands(app, instance, exit_code);
    SecretOptions secret;
    add_secret_commands(app, secret, exit_code);
    trebuchet::PauseOptions to_pause;
    add_pause_commands(app, to_pause, exit_code);
    trebuchet::StatusOptions to_show;
    add_status_command(app, to_show, exit_code);
    trebuchet::ImportOptions to_import;
    add_import_command(app, to_import, exit_code);
    trebuchet::SuperviseOptions to_supervise;
    add_supervise_command(app, to_supervise, exit_code);

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : trebuchet::exit_usage;
    }
    return app.get_subcommands().empty() ? trebuchet::daemon_command(daemon) : exit_code;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1 && std::strcmp(argv[1], trebuchet::supervisor_flag) == 0) trebuchet::supervise_phase(argc, argv);
    shut_the_doors();
    try {
        const int code = run(argc, argv);
        limit_exit(code);
        return code;
    } catch (const std::exception& error) {
        std::cerr << "trebuchet-agent: this is a bug: " << error.what() << '\n';
        return 70;  // EX_SOFTWARE of sysexits.h
    }
}
