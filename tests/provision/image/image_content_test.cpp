#include "provision/image/image_content.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;
using testing::IsEmpty;

std::string with(std::size_t offset, const std::string& bytes) {
    auto text = std::string(70'000, '\0');
    return text.replace(offset, bytes.size(), bytes);
}

TEST(ImageContent, RefusesWhatAServerSendsInsteadOfAnImage) {
    for (const auto& [start, what] : {std::pair{"<!DOCTYPE html>\n<html><body>Not Found"s, "HTML"},
                                      {"\xef\xbb\xbf\r\n  <HTML lang=en>"s, "HTML"},
                                      {"<html><head><title>Index of /images</title>"s, "HTML"},
                                      {"<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code></Error>"s, "XML"},
                                      {"{\"message\": \"no such image\"}"s, "JSON"},
                                      {"drwxr-xr-x   2 ftp      ftp          4096 Jan 01 2024 images\n"s, "listing"},
                                      {"total 12\n-rw-r--r-- 1 ftp ftp 4096 Jan 01 2024 x.img\n"s, "listing"},
                                      {"version https://git-lfs.github.com/spec/v1\noid sha256:1\n"s, "Git LFS"},
                                      {"#!/bin/sh\necho\n"s, "script"}}) {
        EXPECT_THAT(inspect_image(start).refusal, HasSubstr(what)) << start;
    }
}

TEST(ImageContent, RefusesOtherFilesAndSaysWhatToDo) {
    EXPECT_THAT(inspect_image(with(257, "ustar")).refusal, HasSubstr("tar archive"));
    EXPECT_THAT(inspect_image("QFI\xfb"s + std::string(600, '\0')).refusal, HasSubstr("qemu-img convert"));
    EXPECT_THAT(inspect_image("7z\xbc\xaf\x27\x1c"s).refusal, HasSubstr("7z"));
    EXPECT_THAT(inspect_image("!<arch>\ndebian-binary"s).refusal, HasSubstr("ar archive"));
}

TEST(ImageContent, TakesDisksAndFilesystems) {
    for (const auto& start : {with(510, "\x55\xaa"), with(512, "EFI PART"), with(1080, "\x53\xef"), with(0, "hsqs"),
                              with(32769, "CD001")}) {
        const auto content = inspect_image(std::string_view(start).substr(0, image_start_size));
        EXPECT_THAT(content.refusal, IsEmpty());
        EXPECT_THAT(content.warning, IsEmpty());
    }
}

TEST(ImageContent, WarnsOfAnImageWithoutAPartitionTable) {
    for (const auto& start : {with(0, ""), "an image"s, "x"s}) {
        EXPECT_THAT(inspect_image(start).refusal, IsEmpty());
        EXPECT_THAT(inspect_image(start).warning, HasSubstr("no partition table"));
    }
    EXPECT_THAT(inspect_image("").warning, IsEmpty());
}

}  // namespace
}  // namespace trebuchet
