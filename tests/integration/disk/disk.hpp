#pragma once

#include "tests/integration/harness/lab_test.hpp"
#include "tests/integration/harness/whole_job.hpp"

#include <string>

namespace trebuchet::harness {

/// An agent whose disk refuses from some moment on.
class DiskTest : public LabTest {
  protected:
    DiskTest();

    /// From the `from`-th change on, counted from now. `calls`: "sync" for those only.
    void refuse(int error, int from = 1, const std::string& calls = "");
    void relent();

    /// Starts the agent, lets it be idle, and posts a job once its disk refuses as `refuse` has it. Whatever becomes of
    /// the job, it is told, nothing of its log is there twice, and the next one runs.
    void run_job_while(int error, int from, const std::string& calls = "");

    WholeJob whole{server, agent};

  private:
    void expect_output_or_error(const std::string& job_id, const std::string& phase);
};

class DiskFullFrom : public DiskTest, public ::testing::WithParamInterface<int> {};

}  // namespace trebuchet::harness
