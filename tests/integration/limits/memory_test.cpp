#include "tests/integration/harness/lab_test.hpp"
#include "tests/integration/limits/process_memory.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>

#include <openssl/evp.h>

namespace trebuchet::harness {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string noise(std::size_t size) {
    static std::mt19937_64 random{std::random_device{}()};
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string text;
    while (text.size() < size) text += letters[random() % letters.size()];
    return text;
}

std::string base64(const std::string& text) {
    std::string encoded((text.size() + 2) / 3 * 4 + 1, '\0');
    const auto size =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                        reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    encoded.resize(static_cast<std::size_t>(size));
    return encoded;
}

std::string text_of_process(pid_t pid, const std::string& file) {
    std::ifstream stream("/proc/" + std::to_string(pid) + "/" + file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

std::string texts(const std::vector<FoundPiece>& pieces) {
    std::string all;
    for (const auto& piece : pieces) all += piece.text() + "\n";
    return all;
}

/// Searches the memory of an agent that runs a job with secrets. The values are random in each run, so any value that
/// is found came with the job.
class Memory : public LabTest {
  protected:
    Memory() {
        agent.set_environment("STATE_DIRECTORY", folder / "state");
        std::size_t number = 0;
        for (const std::size_t size : {20U, 40U, 100U, 700U, 6000U}) {
            values.push_back(noise(size));
            server.store_secret("value" + std::to_string(number), values.back());
            secrets["VALUE_" + std::to_string(number)] = "value" + std::to_string(number);
            ++number;
        }
        forms = values;
        for (const auto& value : values) forms.push_back(base64(value));
        agent.on("provision", R"(printf '{"note": "%s"}' "$VALUE_1" > device-info.json; env)");
        agent.on("test",
                 "mkdir -p artifacts; env | tee artifacts/file; cat testflinger.json; echo \"$VALUE_2\" | base64; " +
                     scanned.wait_command() + "; env");
    }
    std::string post() {
        return server.post_job(job(
            {{"provision_data", {{"distro", "noble"}}}, {"test_data", {{"test_cmds", "x"}, {"secrets", secrets}}}}));
    }

    Gate scanned = gate();
    std::vector<std::string> values;
    std::vector<std::string> forms;  ///< the values, plain and encoded
    Json secrets = Json::object();
};

TEST_F(Memory, HoldsNothingOfSecretsOnceTheJobIsOver) {
    const auto id = post();
    agent.start();
    scanned.open();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
    ASSERT_TRUE(server.agent_is(agent_id, "waiting")) << agent.log();
    const auto next = server.requests().size();
    ASSERT_TRUE(eventually([&] { return server.requests().size() > next + 1; }));

    EXPECT_THAT(server.log(id, "test"), HasSubstr("VALUE_4=**"));
    EXPECT_EQ(texts(pieces_in_memory(agent.program().pid(), forms)), "");
}

TEST_F(Memory, HoldsSecretsInLockedAndHiddenPagesOnlyWhileTheJobRuns) {
    const auto id = post();
    agent.start();
    ASSERT_TRUE(server.shows(id, "test", "VALUE_4=**")) << agent.log();

    auto pieces = pieces_in_memory(agent.program().pid(), forms);
    EXPECT_GE(pieces.size(), values.size());
    std::erase_if(pieces, [](const FoundPiece& piece) { return piece.locked && piece.hidden; });
    EXPECT_EQ(texts(pieces), "");

    const auto pid = agent.program().pid();
    for (const auto& value : forms) {
        EXPECT_THAT(text_of_process(pid, "cmdline"), Not(HasSubstr(value)));
        EXPECT_THAT(text_of_process(pid, "environ"), Not(HasSubstr(value)));
    }
    scanned.open();
    EXPECT_TRUE(server.reaches(id, "complete")) << agent.log();
}

}  // namespace
}  // namespace trebuchet::harness
