#pragma once

#include <cstddef>
#include <string>

#include <gtest/gtest.h>

namespace trebuchet::harness {

/// A run of changes as git makes them, while jobs run. The same seed makes the same changes.
struct RandomChanges {
    unsigned seed = 0;
    std::size_t count = 0;
};

/// No job is lost, none runs twice, and no device has two agents at once.
class SuperviseThroughChanges : public ::testing::TestWithParam<RandomChanges> {};

[[nodiscard]] std::string name_of_changes(const ::testing::TestParamInfo<RandomChanges>& changes);

}  // namespace trebuchet::harness
