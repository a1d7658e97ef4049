#include "provision/stages/stage_files.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

using nlohmann::json;

class StageFiles : public testing::Test {
  protected:
    [[nodiscard]] json errors() const { return json::parse(text_of(folder_ / "errors.json")); }
    [[nodiscard]] bool append(Stage stage, const StageError& error) const {
        return append_stage_error(folder_ / "errors.json", stage, error).has_value();
    }

    TemporaryFolder folder_;
};

TEST_F(StageFiles, DeviceInfoOmitsEmptyValues) {
    ConnectorConfig config;
    ASSERT_TRUE(write_device_info(folder_ / "device-info.json", config));
    EXPECT_EQ(json::parse(text_of(folder_ / "device-info.json")), (json{{"device_info", json::object()}}));
    config.agent_name = "board-1";
    ASSERT_TRUE(write_device_info(folder_ / "device-info.json", config));
    EXPECT_EQ(json::parse(text_of(folder_ / "device-info.json")), (json{{"device_info", {{"agent_name", "board-1"}}}}));
}

TEST_F(StageFiles, KeepErrorsOfSeveralStages) {
    ASSERT_TRUE(append(Stage::provision, {"RecoveryError", "no answer", "timed out", 46}));
    ASSERT_TRUE(append(Stage::runtest, {"JobError", "no commands", std::nullopt, 1}));
    EXPECT_EQ(errors(), json::parse(R"({
        "provision_exception_info": {"exception_name": "RecoveryError", "exception_message": "no answer",
                                     "exception_cause": "timed out"},
        "runtest_exception_info": {"exception_name": "JobError", "exception_message": "no commands",
                                   "exception_cause": null}})"));
}

TEST_F(StageFiles, ReplaceAFileWithoutAnObject) {
    const auto deep = "{\"a\":" + std::string(200'000, '[') + std::string(200'000, ']') + "}";
    for (const auto& text : {std::string(), std::string("{broken"), std::string("[1]"), std::string("\xff"), deep}) {
        folder_.write("errors.json", text);
        ASSERT_TRUE(append(Stage::reserve, {"E", "m\xff", std::nullopt, 1}));
        EXPECT_TRUE(errors().contains("reserve_exception_info")) << text.substr(0, 20);
    }
}

TEST_F(StageFiles, ALinkIsReplacedAndNotFollowed) {
    folder_.write("elsewhere", "{}");
    std::filesystem::create_symlink(folder_ / "elsewhere", folder_ / "errors.json");
    ASSERT_TRUE(append(Stage::cleanup, {"E", "m", std::nullopt, 1}));
    EXPECT_EQ(text_of(folder_ / "elsewhere"), "{}");
    EXPECT_TRUE(errors().contains("cleanup_exception_info"));
}

TEST_F(StageFiles, NameTheFileThatCannotBeWritten) {
    const auto done = write_device_info(folder_ / "missing/device-info.json", {});
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().message().find("missing/device-info.json"), std::string::npos);
}

}  // namespace
}  // namespace trebuchet
