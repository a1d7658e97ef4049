#include "provision/image/image_decoder.hpp"

#include "common/file/safe_file.hpp"
#include "tests/fakes/temporary_folder.hpp"
#include "tests/provision/image/packed.hpp"

#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;

class ImageDecoderTest : public testing::Test {
  protected:
    Result<std::string> decode(const std::string& bytes, const ImageDecoder::Options& options = {}) {
        const FileDescriptor file(::open(folder_.write("image", bytes).c_str(), O_RDONLY));
        auto decoder = ImageDecoder::open(file.get(), options);
        if (!decoder) return fail(decoder.error());
        compression_ = decoder->compression();
        known_size_ = decoder->known_size();
        std::string out;
        std::vector<char> buffer(70'000);
        while (true) {
            const auto count = decoder->read(buffer.data(), buffer.size());
            if (!count) return fail(count.error());
            out.append(buffer.data(), *count);
            if (*count == 0) break;
        }
        auto digest = decoder->finish();
        if (!digest) return fail(digest.error());
        digest_ = *digest;
        EXPECT_EQ(decoder->bytes_read(), bytes.size());
        return out;
    }

    TemporaryFolder folder_;
    Compression compression_ = Compression::none;
    std::optional<std::uint64_t> known_size_;
    std::string digest_;
};

TEST_F(ImageDecoderTest, DecodesEachFormatByItsContent) {
    const auto image = sample(100'000);
    const std::vector<std::pair<Compression, int>> filters{{Compression::zstd, ARCHIVE_FILTER_ZSTD},
                                                           {Compression::xz, ARCHIVE_FILTER_XZ},
                                                           {Compression::gzip, ARCHIVE_FILTER_GZIP},
                                                           {Compression::bzip2, ARCHIVE_FILTER_BZIP2},
                                                           {Compression::none, ARCHIVE_FILTER_NONE}};
    for (const auto& [compression, filter] : filters) {
        EXPECT_TRUE(decode(packed(image, filter)) == image) << name_of(compression);
        EXPECT_EQ(compression_, compression);
    }
}

TEST_F(ImageDecoderTest, ExtractsTheImageFromAZip) {
    const auto image = sample(100'000);
    EXPECT_TRUE(decode(packed(image, 0, "folder/disk.img")) == image);
    EXPECT_EQ(compression_, Compression::zip);
    EXPECT_THAT(decode(packed("text", 0, "README.txt")).error().message(), HasSubstr("the zip contains no image"));
}

TEST_F(ImageDecoderTest, FailsOnATruncatedImage) {
    const auto image = sample(100'000);
    for (const int filter : {ARCHIVE_FILTER_ZSTD, ARCHIVE_FILTER_XZ, ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_BZIP2}) {
        const auto whole = packed(image, filter);
        EXPECT_FALSE(decode(whole.substr(0, whole.size() / 2))) << filter;
    }
    const auto zip = packed(image, 0, "disk.img");
    EXPECT_FALSE(decode(zip.substr(0, zip.size() / 2)));
}

TEST_F(ImageDecoderTest, FailsOnADamagedImage) {
    auto bytes = packed(sample(100'000), ARCHIVE_FILTER_XZ);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x55);
    EXPECT_THAT(decode(bytes).error().message(), HasSubstr("cannot decompress the image (xz)"));
}

TEST_F(ImageDecoderTest, PassesCompressedBytesThroughOnRequest) {
    ImageDecoder::Options as_is;
    as_is.decompress = false;
    const auto bytes = packed("abc", ARCHIVE_FILTER_ZSTD);
    EXPECT_EQ(decode(bytes, as_is), bytes);
    EXPECT_EQ(compression_, Compression::zstd);
}

TEST_F(ImageDecoderTest, HashesTheSource) {
    ImageDecoder::Options options;
    options.digest = DigestKind::sha256;
    EXPECT_EQ(decode("abc", options), "abc");
    EXPECT_EQ(digest_, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    const auto bytes = packed(sample(100'000), ARCHIVE_FILTER_GZIP) + "trailing bytes";
    Digest whole(DigestKind::sha256);
    whole.update(bytes.data(), bytes.size());
    (void)decode(bytes, options);
    EXPECT_EQ(digest_, whole.hex());
}

TEST_F(ImageDecoderTest, FailsOnAnEmptyImage) {
    EXPECT_EQ(decode("").error().message(), "the image is empty");
}

TEST_F(ImageDecoderTest, TextThatOnlyBeginsLikeBzip2IsNotCompressed) {
    EXPECT_EQ(decode("BZh91 is a plate"), "BZh91 is a plate");
}

}  // namespace
}  // namespace trebuchet
