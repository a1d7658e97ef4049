#include "tests/fakes/temporary_folder.hpp"
#include "tests/fakes/test_authority.hpp"
#include "tests/labserver/text/json_text.hpp"

#include <array>
#include <csignal>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace trebuchet::labserver {
namespace {

/// The program as a child, with its stdout and stderr in one pipe.
class Program {
  public:
    explicit Program(std::vector<std::string> arguments) {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) ADD_FAILURE() << "pipe2 failed";
        output_ = ends[0];
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
        arguments.insert(arguments.begin(), LABSERVER_PROGRAM);
        std::vector<char*> argv;
        argv.reserve(arguments.size() + 1);
        for (auto& argument : arguments) argv.push_back(argument.data());
        argv.push_back(nullptr);
        EXPECT_EQ(::posix_spawn(&pid_, LABSERVER_PROGRAM, &actions, nullptr, argv.data(), environ), 0);
        posix_spawn_file_actions_destroy(&actions);
        ::close(ends[1]);
    }
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;
    ~Program() {
        if (!reaped_) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
        ::close(output_);
    }

    /// The next line without its line break, or the rest.
    std::string read_line() {
        std::string line;
        char c = 0;
        while (::read(output_, &c, 1) == 1 && c != '\n') line += c;
        return line;
    }
    void signal(int number) const { ::kill(pid_, number); }
    int exit_code() {
        int status = 0;
        ::waitpid(pid_, &status, 0);
        reaped_ = true;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

  private:
    pid_t pid_ = -1;
    int output_ = -1;
    bool reaped_ = false;
};

TEST(LabserverProgram, SaysWhereItListensAndEndsCleanlyOnASignal) {
    const TemporaryFolder folder;
    const auto files = TestAuthority(folder.path(), "ca").issue("server", "IP:127.0.0.1");
    for (const int number : {SIGTERM, SIGINT}) {
        Program program({"--listen", "127.0.0.1:0", "--cert", files.certificate, "--key", files.key});
        const auto line = program.read_line();
        EXPECT_EQ(line.rfind("trebuchet-labserver listening on https://127.0.0.1:", 0), 0U) << line;
        EXPECT_FALSE(line.ends_with(":0"));
        program.signal(number);
        EXPECT_EQ(program.read_line(), "");
        EXPECT_EQ(program.exit_code(), 0);
    }
}

TEST(LabserverProgram, ReadsItsClientsFromAFile) {
    const TemporaryFolder folder;
    const auto path = folder / "clients.json";
    folder.write("clients.json", R"({"rig": {"secret_key": "k", "role": "agent"}})");
    Program good({"--listen", "127.0.0.1:0", "--clients", path});
    EXPECT_EQ(good.read_line().rfind("trebuchet-labserver listening on http://", 0), 0U);
    good.signal(SIGTERM);
    EXPECT_EQ(good.exit_code(), 0);

    folder.write("clients.json", R"({"rig": {"secret_key": "hush", "role": "king"}})");
    Program bad({"--listen", "127.0.0.1:0", "--clients", path});
    const auto message = bad.read_line();
    EXPECT_NE(message.find(path.string()), std::string::npos) << message;
    EXPECT_NE(message.find("\"rig\""), std::string::npos) << message;
    EXPECT_EQ(message.find("hush"), std::string::npos) << message;
    EXPECT_EQ(bad.exit_code(), 1);
}

TEST(LabserverProgram, ExportsClientsWithoutTheirKeys) {
    const TemporaryFolder folder;
    folder.write("clients.json", R"({"rig": {"secret_key": "hush", "role": "agent", "allowed_queues": ["vip"]}})");
    Program program({"--export", "--clients", folder / "clients.json", "--data", folder / "missing"});
    EXPECT_NE(program.read_line().find("is missing"), std::string::npos);
    EXPECT_EQ(program.exit_code(), 1);
    Program good({"--export", "--clients", folder / "clients.json"});
    std::string text;
    for (auto line = good.read_line(); !line.empty(); line = good.read_line()) text += line;
    EXPECT_EQ(good.exit_code(), 0);
    EXPECT_EQ(Json::parse(text), Json::parse(R"({"queues": {}, "secrets": {}, "clients": {"rig": {"role": "agent",
        "max_priority": {}, "max_reservation_time": {}, "allowed_queues": ["vip"]}}})"));
}

TEST(LabserverProgram, RefusesAWrongCommandLine) {
    for (const auto& arguments : std::vector<std::vector<std::string>>{
             {"--listen", "nonsense"}, {"--listen", "127.0.0.1:0", "--fault", "close", "--fault", "nonsense x2"}}) {
        Program program(arguments);
        EXPECT_NE(program.read_line().find("nonsense"), std::string::npos);
        EXPECT_EQ(program.exit_code(), 2);
    }
}

TEST(LabserverProgram, RefusesADataFileThatIsInUse) {
    const TemporaryFolder folder;
    Program first({"--listen", "127.0.0.1:0", "--data", folder / "lab.db"});
    EXPECT_EQ(first.read_line().rfind("trebuchet-labserver listening on http://", 0), 0U);
    Program second({"--listen", "127.0.0.1:0", "--data", folder / "lab.db"});
    EXPECT_NE(second.read_line().find("database is locked"), std::string::npos);
    EXPECT_EQ(second.exit_code(), 1);
    first.signal(SIGKILL);
    EXPECT_EQ(first.exit_code(), -1);
    Program third({"--listen", "127.0.0.1:0", "--data", folder / "lab.db"});
    EXPECT_EQ(third.read_line().rfind("trebuchet-labserver listening on http://", 0), 0U);
}

}  // namespace
}  // namespace trebuchet::labserver
