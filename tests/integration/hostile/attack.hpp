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
    using Texts = std::vector<std::string>;

    std::string name;
    std::string script;  ///< of the test phase; $HOLD is a folder that outlasts the job
    AttackEnd end = AttackEnd::by_itself;
    /// In the log of the test phase or of cleanup, also to prove that the attack was one. "!TEXT": not in there.
    Texts told{};
    Texts told_with_cgroup{};     ///< further ones where the agent has a cgroup
    Texts told_without_cgroup{};  ///< and where it has none
    std::string kept{};           ///< what must still be in $HOLD afterwards
    /// It leaves a process that nothing but a cgroup can end.
    bool outlives_without_cgroup = false;
    /// The agent knows that, and goes offline.
    bool offline_without_cgroup = false;
};

[[nodiscard]] const std::vector<Attack>& attacks();

/// For the name of a test.
inline std::ostream& operator<<(std::ostream& out, const Attack& attack) {
    return out << attack.name;
}

}  // namespace trebuchet::harness
