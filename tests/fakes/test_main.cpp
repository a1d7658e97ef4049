#include "common/process/supervisor/supervisor.hpp"

#include <string_view>

#include <gtest/gtest.h>

/// For tests that run real processes: the test program executes itself as their supervisor.
int main(int argc, char** argv) {
    if (argc > 1 && std::string_view(argv[1]) == trebuchet::supervisor_flag) {
        trebuchet::supervise_phase(argc, argv);
    }
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
