#include "tests/integration/hostile/attack.hpp"

namespace trebuchet::harness {
namespace {

constexpr const char* killed = "the command's supervisor was killed";
constexpr const char* stopped = "the command's supervisor was stopped";

/// A chain of processes each of which forks the next and ends, about one in 2 ms; $HOLD/beat grows as long as it lives.
const std::string chain = R"sh(
cat > "$HOLD/chain" <<'SCRIPT'
trap '' TERM HUP
echo x >> "$HOLD/beat"
[ "$(wc -c < "$HOLD/beat")" -lt 200000 ] && setsid sh "$HOLD/chain" &
SCRIPT
setsid sh "$HOLD/chain" > /dev/null 2>&1 < /dev/null &
until [ -s "$HOLD/beat" ];
do :; done
)sh";

/// The agent: the parent of the supervisor.
const std::string agent_pid = R"sh(agent=$(sed 's/.*) . \([0-9]*\) .*/\1/' /proc/$PPID/stat); )sh";

/// Reads what /proc has of a process, and the same of one that may be read.
std::string look(const std::string& pid) {
    return "sleep 1000 & for f in environ maps auxv; do cat /proc/" + pid +
           "/$f > /dev/null 2>&1 && echo looked into $f; cat /proc/$!/$f > /dev/null 2>&1 && echo can look into its "
           "own "
           "$f; done; ls -l /proc/" +
           pid + "/fd > /dev/null 2>&1 && echo looked into fd; kill -9 $!; true";
}

std::vector<Attack> supervisor_attacks() {
    return {
        {"KillsItsSupervisor", "kill -9 $PPID; sleep 1000", AttackEnd::by_itself, {killed}},
        {"KillsItsSupervisorFromADaemon",
         "supervisor=$PPID; setsid sh -c \"kill -9 $supervisor; sleep 1000\" & sleep 1000",
         AttackEnd::by_itself,
         {killed}},
        {"KillsItsSupervisorAndLeavesAChain", chain + "kill -9 $PPID; sleep 1000", AttackEnd::by_itself, {killed}},
        {"KillsItsSupervisorAmongZombies",
         "for i in $(seq 50); do (setsid sh -c 'exit 0' &); done; perl -e 'for (1..50) { fork or exit } sleep 1000' & "
         "sleep 0.2; kill -9 $PPID; sleep 1000",
         AttackEnd::by_itself,
         {killed}},
        {"KillsTheSupervisorOfWhatItLeft",
         "supervisor=$PPID; setsid sh -c \"trap '' TERM; sleep 0.2; kill -9 $supervisor; sleep 1000\" & exit 0"},
        {"StopsItsSupervisor", "kill -STOP $PPID; echo goes on", AttackEnd::by_itself, {stopped}},
        {"StopsItsSupervisorAndItself", "kill -STOP $PPID; echo ready; kill -STOP $$", AttackEnd::cancelled},
        {"StopsItsSupervisorAgainAndAgain", "trap '' TERM; echo ready; while :; do kill -STOP $PPID; sleep 0.01; done",
         AttackEnd::cancelled},
        {"StopsTheSupervisorOfWhatItLeft",
         "supervisor=$PPID; setsid sh -c \"trap '' TERM; while :; do kill -STOP $supervisor; sleep 0.01; done\" & exit "
         "0"},
        {"SendsItsSupervisorEverySignal",
         "for s in HUP INT QUIT ILL TRAP ABRT BUS FPE USR1 SEGV USR2 PIPE ALRM TERM CHLD CONT TSTP TTIN TTOU URG XCPU "
         "XFSZ VTALRM PROF WINCH POLL PWR SYS 32 33 34 40 64; do kill -$s $PPID; done; sleep 0.1; kill -0 $PPID && "
         "echo "
         "still "
         "there",
         AttackEnd::by_itself,
         {"still there"}},
        {"WritesToTheDescriptorsOfItsSupervisor",
         "for fd in /proc/$PPID/fd/*; do echo K > $fd; done 2> /dev/null; sleep 0.2; echo goes on",
         AttackEnd::by_itself,
         {"goes on"}},
        {"LooksIntoItsSupervisor", look("$PPID"), AttackEnd::by_itself, {"!looked into", "can look into its own"}},
        {"LooksIntoTheAgent",
         agent_pid + look("$agent"),
         AttackEnd::by_itself,
         {"!looked into", "can look into its own"}},
        {"TracesItsSupervisor",
         "sleep 1000 & perl -e 'sub attach { syscall(101, 16, $_[0] + 0, 0, 0) == 0 } print attach($ARGV[1]) ? "
         "\"traced its own\\n\" : \"no own\\n\"; print attach($ARGV[0]) ? \"traced it\\n\" : \"refused\\n\"' $PPID "
         "$!; kill -9 $!; true",
         AttackEnd::by_itself,
         {"refused", "traced its own"}},
    };
}

std::vector<Attack> daemon_attacks() {
    return {
        {"LeavesADaemonWithASessionOfItsOwn", "(setsid sleep 1000 > /dev/null 2>&1 &); exit 0"},
        {"LeavesADaemonWithoutEnvironment", "env -i setsid sleep 1000 > /dev/null 2>&1 & exit 0"},
        {"LeavesADaemonThatHoldsItsOutput", "setsid sleep 1000 & echo done; exit 0", AttackEnd::by_itself, {"done"}},
        {"LeavesADaemonThatIgnoresTerm", "trap '' TERM HUP INT; nohup sleep 1000 > /dev/null 2>&1 & exit 0"},
        {"LeavesAChain", chain + "exit 0"},
        {"LeavesAStoppedProcess", "sleep 1000 & kill -STOP $!; exit 0"},
        {"KillsCleanupFromTheBackground",
         "nohup sh -c 'trap \"\" TERM; while :; do kill -9 $(cat \"$HOLD/cleanup.pid\"); done' > /dev/null 2>&1 & exit "
         "0"},
        {"StarvesCleanupOfProcesses", "(while :; do sleep 1000 & done) > /dev/null 2>&1; exit 0"},
        {"StartsMoreWhenItIsToldToEnd",
         "trap 'setsid sh -c \"trap \\\"\\\" TERM; sleep 1000\" & exit 0' TERM; echo ready; while :; do sleep 0.01; "
         "done",
         AttackEnd::cancelled},
        {"IgnoresTerm", "trap '' TERM; echo ready; while :; do sleep 1; done", AttackEnd::cancelled},
        {"StopsItself", "echo ready; kill -STOP $$", AttackEnd::cancelled},
        {"StopsItsWholeTree", "sleep 1000 & echo ready; kill -STOP 0", AttackEnd::cancelled},
    };
}

std::vector<Attack> swarm_attacks() {
    return {
        {"IsAForkBomb", "bomb() { bomb | bomb & }; bomb 2> /dev/null; echo ready; sleep 1000", AttackEnd::cancelled},
        {"LeavesAForkBomb", "bomb() { bomb | bomb & }; bomb 2> /dev/null; exit 0"},
        {"IsAForkBombWithoutSupervisor",
         "bomb() { bomb | bomb & }; bomb 2> /dev/null; kill -9 $PPID; sleep 1000",
         AttackEnd::by_itself,
         {killed}},
        {"FillsTheProcessTable",
         "perl -e 'while (1) { my $pid = fork; last unless defined $pid; if (!$pid) { sleep 1000; exit } } print "
         "\"ready\\n\"; $| = 1; sleep 1000'; sleep 1000",
         AttackEnd::cancelled},
        {"FillsTheProcessTableWithZombies",
         "perl -e '$| = 1; while (1) { my $pid = fork; last unless defined $pid; exit 0 unless $pid } print "
         "\"ready\\n\"; "
         "sleep 1000'",
         AttackEnd::cancelled},
        {"ForksAsFastAsItCan", "perl -e 'fork and exit 0 while 1' & echo ready; sleep 1000", AttackEnd::cancelled},
        {"ForksAndEndsItselfIgnoringTerm", "perl -e '$SIG{TERM} = \"IGNORE\"; fork and exit 0 while 1' & exit 0"},
    };
}

std::vector<Attack> broad_attacks() {
    return {
        {"KillsItsProcessGroup", "kill -9 0"},
        {"KillsEverythingThatItMay", "sleep 0.1; kill -9 -1", AttackEnd::agent_killed},
        {"KillsTheAgent", agent_pid + "kill -9 $agent; sleep 1000", AttackEnd::agent_killed},
        {"KillsTheAgentThatHasADaemonWithoutEnvironment",
         "env -i setsid sleep 1000 > /dev/null 2>&1 & " + agent_pid + "kill -9 $agent; sleep 1000",
         AttackEnd::agent_killed},
        {"KillsTheAgentAndItsSupervisorBesideADaemonWithoutEnvironment",
         "env -i setsid sleep 1000 > /dev/null 2>&1 & " + agent_pid + "kill -9 $agent $PPID; sleep 1000",
         AttackEnd::agent_killed,
         {},
         {},
         {},
         "",
         true},
        {"ClosesItsOutput", "exec > /dev/null 2>&1 < /dev/null; sleep 0.1; exit 3"},
        {"HasAHugeTitle", "perl -e '$0 = \"x\" x 4000 . \"\\n) Z 1 1 (\"; if (!fork) { sleep 1000 } exit 0'; exit 0"},
        {"HasANameThatLooksLikeAStatusLine",
         "cp /bin/sleep \"./a) Z 1 (b\"; ./a\\)\\ Z\\ 1\\ \\(b 1000 > /dev/null 2>&1 & exit 0"},
        {"CallsItselfASupervisor", "perl -e '$0 = \"trebuchet-phase\"; if (!fork) { sleep 1000 } exit 0'; exit 0"},
        {"PrintsWithoutEnd", "echo ready; yes", AttackEnd::cancelled},
    };
}

/// $phase and $job: the cgroups' folders of this phase and of its job; "" without one.
const std::string groups = R"sh(
phase= job=
for mount in /sys/fs/cgroup /sys/fs/cgroup/unified; do
  [ -e $mount/cgroup.controllers ] || continue
  group=$mount$(sed -n 's/^0:://p' /proc/self/cgroup)
  case $group in *-job-*) phase=$group job=${group%/*} ;; esac
done
)sh";

/// Waits until the test has put the program there.
const std::string other_user = R"sh(
until [ -x "$HOLD/other-user" ]; do sleep 0.05; done
[ "$("$HOLD/other-user" id -u)" != "$(id -u)" ] && echo is another user
)sh";

std::vector<Attack> cgroup_attacks() {
    return {
        {"LeavesItsCgroup",
         groups +
             "echo $$ > ${job%/*}/cgroup.procs && echo left it; setsid sleep 1000 > /dev/null 2>&1 & kill -9 $PPID; "
             "sleep 1000",
         AttackEnd::by_itself,
         {killed},
         {"left it"}},
        {"MakesCgroupsInItsOwn",
         groups + "mkdir -p $phase/a/b/c $phase/d && (echo 0 > $phase/a/b/c/cgroup.procs && echo is in there; exec "
                  "setsid sleep 1000 > /dev/null 2>&1) & sleep 0.2; exit 0",
         AttackEnd::by_itself,
         {},
         {"is in there"}},
        {"MakesManyCgroupsInItsOwn",
         groups +
             "[ $phase ] || exit 0; cd $phase; seq 1000 | xargs mkdir && levels=$(seq -s / 200 | sed 's/[0-9]*/d/g') "
             "&& mkdir -p $levels && echo made them",
         AttackEnd::by_itself,
         {},
         {"made them"}},
        {"FreezesItsCgroup", groups + "sleep 1000 & echo ready; sleep 0.1; echo 1 > $phase/cgroup.freeze; sleep 1000",
         AttackEnd::cancelled},
        {"FreezesItsCgroupAndWaits",
         groups + "[ $phase ] && echo 1 > $phase/cgroup.freeze; echo goes on",
         AttackEnd::by_itself,
         {"goes on"},
         {"the command's cgroup was frozen: thawed it"}},
        {"MakesAndFreezesTheCgroupOfCleanup",
         groups + "mkdir $job/cleanup && echo 1 > $job/cleanup/cgroup.freeze && echo 1 > $job/cgroup.freeze; echo made "
                  "it; exit 0",
         AttackEnd::by_itself,
         {"made it"},
         {"thawed it"}},
        {"MakesTheCgroupOfItsJobThreaded",
         groups +
             "[ $job ] && echo 0 > ${job%/*}/cgroup.procs && mkdir $job/x && echo threaded > $job/x/cgroup.type && "
             "cat $job/cgroup.type",
         AttackEnd::by_itself,
         {},
         {"domain threaded"}},
        {"LeavesAProcessOfAnotherUser",
         other_user + "\"$HOLD/other-user\" sleep 25 > /dev/null 2>&1 & sleep 0.5; exit 0",
         AttackEnd::by_itself,
         {"is another user"},
         {},
         {"could not end all processes"},
         "",
         true,
         true},
        {"WaitsForAProcessOfAnotherUser",
         other_user + "echo ready; \"$HOLD/other-user\" sleep 25; true",
         AttackEnd::cancelled,
         {"is another user"},
         {},
         {"could not end all processes"},
         "",
         true,
         true},
        {"KillsItsSupervisorBesideAProcessOfAnotherUser",
         other_user + "\"$HOLD/other-user\" sleep 25 > /dev/null 2>&1 & sleep 0.5; kill -9 $PPID; sleep 1000",
         AttackEnd::by_itself,
         {"is another user", killed},
         {},
         {"could not end all processes"},
         "",
         true,
         true},
    };
}

std::vector<Attack> folder_attacks() {
    return {
        {"MakesADeepRunFolder",
         "levels=$(seq -s / 1500 | sed 's/[0-9]*/d/g'); for i in 1 2 3; do mkdir -p $levels; cd $levels; done"},
        {"MakesAWideRunFolder", "seq 50000 | xargs touch"},
        {"LocksItsRunFolder", "mkdir -p a/b; touch a/b/c; chmod 0 a/b a ."},
        {"LinksItsRunFolderElsewhere",
         "mkdir \"$HOLD/kept\"; touch \"$HOLD/kept/file\"; run=$PWD; cd ..; rm -rf \"$run\"; ln -s \"$HOLD/kept\" "
         "\"$run\" && echo linked",
         AttackEnd::by_itself,
         {"linked"},
         {},
         {},
         "kept/file"},
        {"PutsFoldersWhereFilesGo",
         "rm -f testflinger.json testflinger-outcome.json \"$TREBUCHET_MASK_FILE\"; for f in testflinger.json "
         "testflinger.json.new testflinger-outcome.json testflinger-outcome.json.new cleanup.log cleanup-serial.log "
         "test-serial.log device-info.json device-connector-error.json \"$TREBUCHET_MASK_FILE\"; do mkdir -p $f/a/b && "
         "(cd $f/a && seq 1000 | xargs touch); done; echo put them",
         AttackEnd::by_itself,
         {"put them"}},
        {"PutsFifosWhereFilesGo",
         "rm -f testflinger.json testflinger-outcome.json cleanup.log; for f in testflinger.json "
         "testflinger-outcome.json cleanup.log cleanup-serial.log device-info.json device-connector-error.json; do "
         "mkfifo $f; done"},
    };
}

/// What a job sees and plants as the agent's user.
std::vector<Attack> planted_attacks() {
    const std::string kill_agent = agent_pid + "kill -9 $agent; sleep 1000";
    return {
        {"PrintsTheTokenOfTheAgent",
         "printf 'the token is '; sed 's/.*:\"\\(.*\\)\".*/\\1/' \"$HOLD/refresh_token\"; echo",
         AttackEnd::by_itself,
         {"the token is **"}},
        {"PutsTheTokenOfTheAgentIntoItsArtifacts",
         "mkdir artifacts; cp \"$HOLD/refresh_token\" artifacts/token.json",
         AttackEnd::by_itself,
         {"artifacts: \"agent's refresh token\""}},
        {"LinksTheTokenOfTheAgentIntoItsArtifacts",
         "mkdir artifacts; ln -s \"$HOLD/refresh_token\" artifacts/token",
         AttackEnd::by_itself,
         {"artifact left out: \"artifacts/token\""}},
        {"PutsAFifoIntoItsArtifacts",
         "mkdir artifacts; mkfifo artifacts/fifo",
         AttackEnd::by_itself,
         {"artifact left out: \"artifacts/fifo\": a FIFO"}},
        {"PlantsAFifoForAJournal",
         "mkdir \"$HOLD/state/jobs/aaa\"; mkfifo \"$HOLD/state/jobs/aaa/journal\"; " + kill_agent,
         AttackEnd::agent_killed},
        {"PlantsAFolderLikeAJobs", "mkdir -p \"$HOLD/state/jobs/aaa/deep\"; " + kill_agent, AttackEnd::agent_killed},
        {"PlantsALinkAndAFifoAmongTheJobs",
         "ln -s / \"$HOLD/state/jobs/aaa\"; mkfifo \"$HOLD/state/jobs/bbb\"; " + kill_agent, AttackEnd::agent_killed},
        {"PlantsAFifoForItsOwnJournal", "cd \"$HOLD/state/jobs\"/*; rm journal; mkfifo journal; " + kill_agent,
         AttackEnd::agent_killed},
        {"PlantsFoldersInTheRuntimeFolder",
         "cd \"${TREBUCHET_MASK_FILE%/*}\"; mkdir -p aaa/recovery/deep bbb; mkfifo bbb/recovery; chmod 0 aaa; " +
             kill_agent,
         AttackEnd::agent_killed},
        {"LocksTheStateFolder", "chmod 0 \"$HOLD/state/jobs\" \"$HOLD/state\"; " + kill_agent, AttackEnd::agent_killed},
        {"ReplacesTheLockByAFifo", "rm \"$HOLD/state/lock\"; mkfifo \"$HOLD/state/lock\"; " + kill_agent,
         AttackEnd::agent_killed},
        {"StartsASecondAgentWithoutTheLock",
         "rm \"$HOLD/state/lock\"; STATE_DIRECTORY=\"$HOLD/state\" \"$AGENT\" -c \"$HOLD/testflinger-agent.conf\" > "
         "/dev/null 2>&1; echo \"the second agent: $?\"",
         AttackEnd::by_itself,
         {"the second agent: 3"}},
    };
}

}  // namespace

const std::vector<Attack>& attacks() {
    static const std::vector<Attack> all = [] {
        std::vector<Attack> together;
        for (const auto& some : {supervisor_attacks(), daemon_attacks(), swarm_attacks(), broad_attacks(),
                                 cgroup_attacks(), folder_attacks(), planted_attacks()}) {
            together.insert(together.end(), some.begin(), some.end());
        }
        return together;
    }();
    return all;
}

}  // namespace trebuchet::harness
