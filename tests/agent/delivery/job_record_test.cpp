#include "agent/delivery/job_record.hpp"

#include "tests/fakes/masked.hpp"

#include <chrono>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::chrono::system_clock::time_point noon{std::chrono::seconds(1'800'000'000)};

JobRecord record_of(const std::vector<JournalEntry>& entries) {
    JobRecord record;
    for (const auto& entry : entries) EXPECT_TRUE(apply_entry(entry.text(), record)) << entry.text();
    return record;
}

TEST(JobRecord, OutputThatIsWithheldStaysSoUntilAGrantAllowsTheJob) {
    EXPECT_FALSE(record_of({JournalEntry::taken("j1", noon)}).is_withheld);
    EXPECT_TRUE(record_of({JournalEntry::taken("j1", noon), JournalEntry::withheld()}).is_withheld);
    EXPECT_FALSE(record_of({JournalEntry::taken("j1", noon), JournalEntry::withheld(), JournalEntry::not_withheld()})
                     .is_withheld);
}

TEST(JobRecord, KnowsWhatWasUnderWay) {
    const auto record =
        record_of({JournalEntry::taken("j1", noon), JournalEntry::entered(Phase::provision),
                   JournalEntry::starts(Phase::provision, "ID=1"), JournalEntry::started({42, 1234, "boot"})});
    EXPECT_EQ(record.id, "j1");
    EXPECT_EQ(record.taken_at, noon);
    EXPECT_EQ(record.entered, Phase::provision);
    EXPECT_EQ(record.running, Phase::provision);
    ASSERT_EQ(record.processes.size(), 1U);
    EXPECT_EQ(record.processes[0].marker, "ID=1");
    EXPECT_EQ(record.processes[0].supervisor, (ProcessIdentity{42, 1234, "boot"}));
    EXPECT_FALSE(record.outcome);
}

TEST(JobRecord, KnowsTheProcessesOfPhasesThatEndedToo) {
    const auto record = record_of({JournalEntry::taken("j1", noon), JournalEntry::starts(Phase::setup, "ID=1"),
                                   JournalEntry::started({42, 1, "boot"}), JournalEntry::ran({{Phase::setup, 0}}),
                                   JournalEntry::starts(Phase::test, "ID=2")});
    ASSERT_EQ(record.processes.size(), 2U);
    EXPECT_FALSE(record.processes[1].supervisor);
    EXPECT_EQ(record.running, Phase::test);
    EXPECT_EQ(record.status, (PhaseStatus{{Phase::setup, 0}}));
}

TEST(JobRecord, KnowsHowTheJobEnded) {
    const auto record =
        record_of({JournalEntry::taken("j1", noon), JournalEntry::cancelled(), JournalEntry::artifacts_sent(),
                   JournalEntry::recovers(), JournalEntry::recovers(),
                   JournalEntry::decided({{Phase::test, 7}}, JobState::cancelled), JournalEntry::outcome_sent()});
    EXPECT_TRUE(record.cancelled);
    EXPECT_TRUE(record.artifacts_sent);
    EXPECT_EQ(record.recoveries, 2);
    ASSERT_TRUE(record.outcome);
    EXPECT_EQ(record.outcome->status, (PhaseStatus{{Phase::test, 7}}));
    EXPECT_EQ(record.outcome->state, JobState::cancelled);
    EXPECT_TRUE(record.outcome_sent);
}

TEST(JobRecord, HoldsTheJobMaskedAndWithoutItsSecrets) {
    auto job = parse_job(R"({"job_id": "j1", "job_queue": "q", "job_status_webhook": "http://hook",
        "test_data": {"test_cmds": "echo s3cret-value", "secrets": {"TOKEN": "s3cret-value"}}})");
    ASSERT_TRUE(job);
    const auto masks = MaskSet::build(job->secrets());
    ASSERT_TRUE(masks);
    const auto entry = JournalEntry::read(*job, **masks);
    EXPECT_THAT(entry.text(), Not(HasSubstr("s3cret")));
    const auto record = record_of({JournalEntry::taken("j1", noon), entry});
    EXPECT_TRUE(record.has_secrets);
    const auto again = job_of(record);
    EXPECT_EQ(again.id, "j1");
    EXPECT_EQ(again.queue, "q");
    EXPECT_EQ(again.webhook, "http://hook");
    EXPECT_TRUE(again.data_of(Phase::test).present);
    EXPECT_FALSE(again.has_secrets());
}

TEST(JobRecord, OfAJobThatCouldNotBeReadTheIdIsKnown) {
    const auto job = job_of(record_of({JournalEntry::taken("j1", noon)}));
    EXPECT_EQ(job.id, "j1");
    EXPECT_EQ(job.public_document, R"({"job_id":"j1"})");
}

TEST(JobRecord, AJobWithoutSecretsHasSomeOnceAPhaseRegistersOne) {
    const auto job = parse_job(R"({"job_id": "j1"})");
    ASSERT_TRUE(job);
    auto record = record_of({JournalEntry::taken("j1", noon), JournalEntry::read(*job, no_masks())});
    EXPECT_FALSE(record.has_secrets);
    EXPECT_TRUE(apply_entry(JournalEntry::mask_added().text(), record));
    EXPECT_TRUE(record.has_secrets);
}

TEST(JobRecord, KeepsTheEvents) {
    const auto record =
        record_of({JournalEntry::taken("j1", noon), JournalEntry::event({"job_start", "now", masked("detail \xFF")})});
    ASSERT_EQ(record.events.size(), 1U);
    EXPECT_EQ(record.events[0].name, "job_start");
    EXPECT_EQ(record.events[0].timestamp, "now");
    EXPECT_EQ(record.events[0].detail.bytes(), "detail \xEF\xBF\xBD");
}

TEST(JobRecord, AnEntryThatMakesNoSenseChangesNothing) {
    const auto before = record_of({JournalEntry::taken("j1", noon), JournalEntry::entered(Phase::test)});
    for (const auto* text :
         {"", "[]", "{}", "7", R"({"what": 7})", R"({"what": "danced"})", R"({"what": "taken"})",
          R"({"what": "taken", "job_id": "../j", "time": "2027-01-15T08:00:00+00:00"})",
          R"({"what": "taken", "job_id": "j2", "time": "soon"})", R"({"what": "entered", "phase": "walk"})",
          R"({"what": "started", "pid": 2, "start_time": 1, "boot_id": "b"})",
          R"({"what": "ran", "status": {"walk": 1}})", R"({"what": "ran", "status": {"test": "x"}})",
          R"({"what": "decided", "status": {}, "state": "running"})", R"({"what": "event", "name": "x"})",
          R"({"what": "read", "has_secrets": true})"}) {
        auto record = before;
        EXPECT_FALSE(apply_entry(text, record)) << text;
        EXPECT_EQ(record.id, "j1");
        EXPECT_EQ(record.entered, Phase::test);
        EXPECT_TRUE(record.status.empty());
        EXPECT_FALSE(record.outcome);
    }
}

}  // namespace
}  // namespace trebuchet
