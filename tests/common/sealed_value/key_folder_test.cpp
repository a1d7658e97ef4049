#include "common/sealed_value/key_folder.hpp"

#include "common/sealed_value/decrypted_value.hpp"
#include "common/sealed_value/rsa_oaep.hpp"
#include "common/secret/base64.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <chrono>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

/// One of a few keys, in turn: making one takes a second.
Result<RsaKeyPair> next_key() {
    static std::vector<RsaKeyPair> keys;
    static std::size_t turn = 0;
    if (keys.size() < 4) keys.push_back(std::move(*make_rsa_key()));
    const auto& key = keys[turn++ % 4];
    return RsaKeyPair{key.private_pem.clone(), key.public_pem};
}

class KeyFolderTest : public testing::Test {
  protected:
    const KeyOwner owner{"https://git.example.org/team/app", "team-a"};
    const KeyOwner fork{"https://git.example.org/fork/app", "team-a"};
    const KeyOwner other_user{"https://git.example.org/team/app", "team-b"};
    const KeyFolder::Time now{std::chrono::hours(500'000)};
    const TemporaryFolder folder;
    KeyFolder keys = std::move(*KeyFolder::open(folder / "keys", next_key));

    std::string sealed(const std::string& value) { return *rsa_encrypted(*keys.public_key(owner, now), value); }
    std::string opened(const KeyOwner& by, const std::string& blocks, KeyFolder::Time at) const {
        const auto value = keys.decrypt(by, blocks, at);
        return value ? std::string(value->reveal()) : value.error().message();
    }
    static EncryptedEntry entry(const std::string& user, const std::string& blocks) {
        return {user, std::string(std::string_view(base64_encoded(blocks))), {}};
    }
};

TEST_F(KeyFolderTest, MakesOnePairForEachOwner) {
    const auto first = *keys.public_key(owner, now);
    EXPECT_EQ(keys.public_key(owner, now), first);
    EXPECT_NE(keys.public_key(fork, now), first);
    EXPECT_NE(keys.public_key(other_user, now), first);
    EXPECT_THAT(*keys.list(), SizeIs(3));
}

TEST_F(KeyFolderTest, DecryptsForTheOwnerOnly) {
    const auto blocks = sealed("s3cret");
    (void)keys.public_key(fork, now);
    (void)keys.public_key(other_user, now);
    EXPECT_EQ(opened(owner, blocks, now), "s3cret");
    EXPECT_THAT(opened(fork, blocks, now), HasSubstr("was it encrypted for another repository or user"));
    EXPECT_THAT(opened(other_user, blocks, now), HasSubstr("another repository or user"));
    EXPECT_THAT(opened({"https://git.example.org/x", "y"}, blocks, now), HasSubstr("another repository or user"));
}

TEST_F(KeyFolderTest, RotatesWithAnOverlap) {
    const auto before = sealed("before");
    const auto fresh = keys.rotate(owner, now, std::chrono::hours(24));
    ASSERT_TRUE(fresh);
    EXPECT_EQ(keys.public_key(owner, now), *fresh) << "new values take the new key";
    const auto after = *rsa_encrypted(*fresh, "after");
    EXPECT_EQ(opened(owner, before, now + std::chrono::hours(23)), "before");
    EXPECT_THAT(opened(owner, before, now + std::chrono::hours(24)), HasSubstr("revoked or rotated"));
    EXPECT_EQ(opened(owner, after, now + std::chrono::hours(9999)), "after");
}

TEST_F(KeyFolderTest, RemovesKeysWhoseTimeIsOver) {
    const std::chrono::hours day{24};
    (void)keys.public_key(owner, now);
    for (int i = 1; i <= 60; ++i) {
        const auto rotated = keys.rotate(owner, now + i * day, day);
        ASSERT_TRUE(rotated) << i << ": " << rotated.error().message();
    }
    EXPECT_THAT(keys.list()->front().keys, SizeIs(10));
    // The four keys of the test come again, so this counts their files.
    keys = std::move(*KeyFolder::open(folder / "others"));
    (void)keys.public_key(owner, now);
    (void)keys.rotate(owner, now, day);
    (void)keys.rotate(owner, now + 2 * day, day);
    int files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "others")) {
        if (entry.path().extension() == ".pem") ++files;
    }
    EXPECT_EQ(files, 2);
}

TEST_F(KeyFolderTest, ListsNoFolderWithoutKeys) {
    (void)keys.public_key(owner, now);
    std::filesystem::create_directory(folder / "keys" / "empty");
    const auto all = keys.list();
    ASSERT_TRUE(all) << all.error().message();
    EXPECT_THAT(*all, SizeIs(1));
    EXPECT_TRUE(*keys.has_key(owner));
    EXPECT_FALSE(*keys.has_key(fork));
}

TEST_F(KeyFolderTest, RevokesForGood) {
    const auto blocks = sealed("s3cret");
    EXPECT_EQ(keys.revoke(owner, "0000", now), 0);
    EXPECT_EQ(keys.revoke(owner, "", now), 1);
    EXPECT_THAT(opened(owner, blocks, now), HasSubstr("revoked"));
    EXPECT_TRUE(keys.list()->front().keys.front().revoked);
    EXPECT_THAT(opened(owner, sealed("new"), now), "new");
    EXPECT_THAT(opened(owner, blocks, now), HasSubstr("revoked"));
}

TEST_F(KeyFolderTest, IsPrivate) {
    (void)keys.public_key(owner, now);
    struct stat info {};
    ASSERT_EQ(::stat((folder / "keys").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0700U);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "keys")) {
        ASSERT_EQ(::stat(entry.path().c_str(), &info), 0);
        EXPECT_EQ(info.st_mode & 0077U, 0U) << entry.path();
    }
    ASSERT_EQ(::chmod((folder / "keys").c_str(), 0755), 0);
    EXPECT_FALSE(KeyFolder::open(folder / "keys"));
}

TEST_F(KeyFolderTest, SaysWhatItCannotUse) {
    EXPECT_TRUE(keys.check_readable()) << "there is nothing yet";
    (void)keys.public_key(owner, now);
    EXPECT_TRUE(keys.check_readable());
    if (::geteuid() != 0) {
        ASSERT_EQ(::chmod((folder / "keys").c_str(), 0300), 0);
        EXPECT_THAT(keys.check_readable().error().message(), HasSubstr("cannot read"));
        ASSERT_EQ(::chmod((folder / "keys").c_str(), 0700), 0);
    } else {
        ASSERT_EQ(::chown((folder / "keys").c_str(), 12345, 12345), 0);
        EXPECT_THAT(keys.check_readable().error().message(),
                    testing::AllOf(HasSubstr("belongs to the user 12345"), HasSubstr("this is the user 0")));
    }
}

TEST_F(KeyFolderTest, TakesTheFirstEntryThatDecrypts) {
    const auto foreign = *rsa_encrypted(*keys.public_key(fork, now), "foreign");
    const auto own = sealed("own");
    EncryptedValue value{{entry("team-b", own), entry("team-a", foreign), entry("team-a", own)}, {}};
    EXPECT_EQ(decrypted_value(keys, owner, value, now)->reveal(), "own");
    value.entries = {entry("", own)};
    EXPECT_EQ(decrypted_value(keys, owner, value, now)->reveal(), "own");
}

TEST_F(KeyFolderTest, NeverTakesAnEntryAsPlainText) {
    const auto problem = [&](const EncryptedValue& value) {
        const auto decrypted = decrypted_value(keys, owner, value, now);
        return decrypted ? "decrypted" : decrypted.error().message();
    };
    EXPECT_THAT(problem({}), HasSubstr("not encrypted"));
    EXPECT_THAT(problem({{entry("team-b", sealed("x"))}, {}}), HasSubstr("other users"));
    EXPECT_THAT(problem({{entry("", std::string(512, 'x'))}, {}}), HasSubstr("another repository or user"));
    EXPECT_THAT(problem({{entry("", sealed(std::string("a\0b", 3)))}, {}}), HasSubstr("NUL"));
}

TEST_F(KeyFolderTest, SaysWhatIsWrongWithItsList) {
    (void)keys.public_key(owner, now);
    for (const auto& entry : std::filesystem::directory_iterator(folder / "keys")) {
        if (entry.is_directory()) std::filesystem::resize_file(entry.path() / "keys.json", 3);
    }
    EXPECT_THAT(keys.list().error().message(), HasSubstr("keys.json is not a list of keys"));
    EXPECT_FALSE(keys.public_key(owner, now)) << "a broken list is not replaced";
}

}  // namespace
}  // namespace trebuchet
