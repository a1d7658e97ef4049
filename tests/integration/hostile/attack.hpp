#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace trebuchet::harness {

/// How the test ends the attack.
enum class AttackEnd {
    by_itself,
    cancelled,    ///< once the test phase has printed "ready"
    agent_killed  ///< the attack kills the agent, which is started again
};

/// One thing that a job does to hold its agent, to outlive it or to spoil the next job. What must hold after each of
/// them is in hostile_test.cpp.
struct Attack {
    std::string name;
    std::string script;  ///< of the test phase; $HOLD is a folder that outlasts the job
    AttackEnd end = AttackEnd::by_itself;
    /// In the log of the test phase; "": nothing in particular. "!TEXT": not in there.
    std::string told{};
    /// The same where the agent has no cgroup.
    std::string told_without_cgroup{};
    /// It leaves a process that nothing but a cgroup can end.
    bool outlives_without_cgroup = false;
};

[[nodiscard]] const std::vector<Attack>& attacks();

/// For the name of a test.
inline std::ostream& operator<<(std::ostream& out, const Attack& attack) {
    return out << attack.name;
}

}  // namespace trebuchet::harness
