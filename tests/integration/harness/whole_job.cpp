#include "tests/integration/harness/whole_job.hpp"

#include "tests/integration/harness/lab_test.hpp"

#include <filesystem>
#include <regex>
#include <stdexcept>

namespace trebuchet::harness {
namespace {

constexpr int lines = 40;

std::string line(const std::string& phase, int number) {
    return phase + " " + std::to_string(number) + (number % 10 == 0 ? " <mask>" : "");
}

}  // namespace

WholeJob::WholeJob(LabServer& server, Agent& agent) : server_(server), folder_(agent.folder().path()) {
    // A background process with a name of its own, by which processes() finds it. It outlives its phase unless the
    // agent kills it.
    std::filesystem::create_symlink("/bin/sleep", folder_ / "linger");
    agent.folder().write("phase", R"(phase=$1 lines=$2
(setsid ')" + (folder_ / "linger").string() +
                                      R"(' 600 </dev/null >/dev/null 2>&1 &)
case $phase in
    provision) cat attachments/test/note >/dev/null && echo '{"device_info": {"device_ip": "127.0.0.1"}}' > device-info.json ;;
    test) mkdir -p artifacts; echo "kept $TOKEN" > artifacts/report ;;
esac
i=1
while [ $i -le "$lines" ]; do
    echo "console $i $TOKEN" >> "$phase-serial.log"
    if [ $((i % 10)) = 0 ]; then echo "$phase $i $TOKEN"; else echo "$phase $i"; fi
    if [ $((i % 20)) = 0 ]; then sleep 0.05; fi
    i=$((i + 1))
done
)");
    Json settings{{"trebuchet", {{"secret_phases", phases}, {"kill_grace", 1}}}};
    for (const std::string phase : phases) {
        settings[phase + "_command"] =
            "/bin/sh '" + (folder_ / "phase").string() + "' " + phase + " " + std::to_string(lines);
    }
    agent.configure(settings);
    server.store_secret("token", secret);
}

std::string WholeJob::post() {
    const Json attachment{{"agent", "note"}};
    const auto id = server_.post_job(
        {{"job_queue", queue},
         {"job_status_webhook", webhook},
         {"provision_data", {{"distro", "noble"}}},
         {"test_data",
          {{"test_cmds", "x"}, {"secrets", {{"TOKEN", "token"}}}, {"attachments", Json::array({attachment})}}}});
    const auto archive = folder_ / "attachments.tar.gz";
    const auto made = run(
        {"/bin/sh", {"-c", "mkdir -p test && echo note > test/note && tar czf attachments.tar.gz test"}, {}, folder_});
    if (made.code != 0) throw std::runtime_error("cannot make the attachments: " + made.err);
    server_.attach(id, archive);
    return id;
}

std::string WholeJob::plain(const std::string& log) {
    static const std::regex mask("\\*\\*[0-9a-f]{6}\\*\\*");
    static const std::regex list("\nSecrets that were masked in this job:\n([^\n]*: [^\n]* times?\n)+");
    return std::regex_replace(std::regex_replace(log, list, ""), mask, "<mask>");
}

std::string WholeJob::banner(const std::string& phase) {
    const auto title = "* Starting testflinger " + phase + " phase on " + agent_id + " *\n";
    const auto frame = std::string(title.size() - 1, '*') + "\n";
    return frame + title + frame;
}

std::string WholeJob::output_of(const std::string& phase) {
    std::string text;
    for (int number = 1; number <= lines; ++number) text += line(phase, number) + "\n";
    return text;
}

std::string WholeJob::serial() {
    std::string text;
    for (int number = 1; number <= lines; ++number) text += "console " + std::to_string(number) + " <mask>\n";
    return text;
}

std::vector<pid_t> WholeJob::processes() const {
    auto found = processes_with_argument((folder_ / "linger").string());
    const auto scripts = processes_with_argument((folder_ / "phase").string());
    found.insert(found.end(), scripts.begin(), scripts.end());
    return found;
}

}  // namespace trebuchet::harness
