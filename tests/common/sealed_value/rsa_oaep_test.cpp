#include "common/sealed_value/rsa_oaep.hpp"

#include "common/file/safe_file.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <cstdlib>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;

const RsaKeyPair& pair() {
    static const auto pair = std::move(*make_rsa_key());
    return pair;
}

constexpr const char* options = " -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256";

/// Runs the real openssl in `folder`.
void openssl(const TemporaryFolder& folder, const std::string& arguments) {
    const auto command = "cd '" + folder.path().string() + "' && openssl " + arguments + options;
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
}

TEST(RsaOaep, EncryptsWhatItDecrypts) {
    for (const std::size_t size : {1U, 445U, 446U, 447U, 892U, 893U, 28544U}) {
        std::string value(size, 'a');
        value.back() = '\n';
        const auto blocks = rsa_encrypted(pair().public_pem, value);
        ASSERT_TRUE(blocks);
        EXPECT_EQ(blocks->size(), (size + 445) / 446 * 512);
        EXPECT_EQ(rsa_decrypted(pair().private_pem.reveal(), *blocks)->reveal(), value);
    }
}

TEST(RsaOaep, OpensslDecryptsWhatItEncrypts) {
    const TemporaryFolder folder;
    folder.write("key.pem", std::string(pair().private_pem.reveal()));
    folder.write("sealed", *rsa_encrypted(pair().public_pem, "s3cret\n"));
    openssl(folder, "pkeyutl -decrypt -inkey key.pem -in sealed -out plain");
    EXPECT_EQ(read_file(folder / "plain", 1000), "s3cret\n");
}

TEST(RsaOaep, DecryptsWhatOpensslEncrypts) {
    const TemporaryFolder folder;
    folder.write("public.pem", pair().public_pem);
    folder.write("plain", std::string(446, 'p'));
    openssl(folder, "pkeyutl -encrypt -pubin -inkey public.pem -in plain -out sealed");
    EXPECT_EQ(rsa_decrypted(pair().private_pem.reveal(), *read_file(folder / "sealed", 1000))->reveal(),
              std::string(446, 'p'));
}

TEST(RsaOaep, RefusesAnotherKeyAndBrokenBlocks) {
    const auto other = make_rsa_key();
    auto blocks = *rsa_encrypted(pair().public_pem, "value");
    EXPECT_FALSE(rsa_decrypted(other->private_pem.reveal(), blocks));
    blocks[100] = static_cast<char>(blocks[100] ^ 1);
    EXPECT_FALSE(rsa_decrypted(pair().private_pem.reveal(), blocks));
    for (const auto& text :
         {std::string(), std::string(511, 'x'), std::string(512, '\xff'), std::string(512 * 65, 'x')}) {
        EXPECT_FALSE(rsa_decrypted(pair().private_pem.reveal(), text));
    }
}

TEST(RsaOaep, RefusesOtherKeysAndValues) {
    EXPECT_FALSE(rsa_encrypted("no key", "value"));
    EXPECT_FALSE(rsa_encrypted(pair().public_pem, ""));
    EXPECT_FALSE(rsa_encrypted(pair().public_pem, std::string(28545, 'x')));
    EXPECT_FALSE(rsa_public_key(pair().public_pem));
    EXPECT_EQ(rsa_public_key(pair().private_pem.reveal()), pair().public_pem);
    EXPECT_EQ(rsa_key_id(pair().public_pem)->size(), 16U);
}

}  // namespace
}  // namespace trebuchet
