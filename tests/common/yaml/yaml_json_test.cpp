#include "common/yaml/yaml_json.hpp"

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

nlohmann::json json_of(std::string_view text) {
    const auto document = parse_yaml(text);
    if (!document) {
        ADD_FAILURE() << document.error().message("f");
        return {};
    }
    return yaml_to_json(document->root);
}

TEST(YamlJson, GivesScalarsTheTypesThatPyYamlGivesThem) {
    EXPECT_EQ(json_of("[~, '~', yes, 'yes', 10, '10', 0x10, 1_000, 1.5, 1e3, 2026-11-20, x]").dump(),
              R"([null,"~",true,"yes",10,"10",16,1000,1.5,"1e3","2026-11-20","x"])");
    EXPECT_EQ(
        json_of("[9223372036854775808, -9223372036854775808, 1_000_000_000_000_000_000_000, .inf, -.inf, .nan]").dump(),
        R"([9223372036854775808,-9223372036854775808,1e+21,".inf","-.inf",".nan"])");
}

TEST(YamlJson, ConvertsAJobFile) {
    const auto job = json_of(
        "job_queue: rpi4\n"
        "provision_data:\n  url: http://example.com/image.img.xz\n  use_attachment: no\n"
        "test_data:\n"
        "  test_cmds: |\n    set -e\n    echo \"{braces}\"\n"
        "  attachments:\n    - local: a.sh\n"
        "reserve_data: {ssh_keys: [lp:me], timeout: 4800}\n"
        "allocate_data:\n");
    EXPECT_EQ(job, nlohmann::json::parse(R"({
        "job_queue": "rpi4",
        "provision_data": {"url": "http://example.com/image.img.xz", "use_attachment": false},
        "test_data": {"test_cmds": "set -e\necho \"{braces}\"\n", "attachments": [{"local": "a.sh"}]},
        "reserve_data": {"ssh_keys": ["lp:me"], "timeout": 4800},
        "allocate_data": null})"));
}

TEST(YamlJson, AlwaysMakesDumpableText) {
    EXPECT_EQ(json_of(R"({"\0\x1b\xff": "\U0001F600\n"})").dump(),
              "{\"\\u0000\\u001b\xC3\xBF\":\"\xF0\x9F\x98\x80\\n\"}");
    EXPECT_EQ(json_of(R"("é\N\_\L\P")").dump(), "\"é\xC2\x85\xC2\xA0\xE2\x80\xA8\xE2\x80\xA9\"");
    EXPECT_EQ(json_of("{}").dump(), "{}");
    EXPECT_EQ(json_of("[]").dump(), "[]");
    EXPECT_EQ(json_of("").dump(), "null");
}

}  // namespace
}  // namespace trebuchet
