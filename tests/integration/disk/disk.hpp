#pragma once

#include "tests/integration/harness/lab_test.hpp"
#include "tests/integration/harness/whole_job.hpp"

#include <string>

namespace trebuchet::harness {

/// An agent whose disk fails from a certain moment on.
class DiskTest : public LabTest {
  protected:
    DiskTest();

    /// Makes changes fail with `error` from the `from`-th on, counted from now. `calls`: "sync" for fsync only.
    void refuse(int error, int from = 1, const std::string& calls = "");
    /// Ends the failure.
    void relent();

    /// Starts the agent, and posts a job while its disk fails as in refuse(). Expects that the agent reports the job's
    /// end, however it ends, that no line of the log is sent twice, and that the next job runs.
    void run_job_while(int error, int from, const std::string& calls = "");

    WholeJob whole{server, agent};

  private:
    void expect_output_or_error(const std::string& job_id, const std::string& phase);
};

class DiskFullFrom : public DiskTest, public ::testing::WithParamInterface<int> {};

}  // namespace trebuchet::harness
