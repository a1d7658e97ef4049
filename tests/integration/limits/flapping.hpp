#pragma once

#include <cstddef>

namespace trebuchet::harness {

struct FlappingRounds {
    std::size_t rounds = 0;
    std::size_t polls = 0;    ///< per round
    std::size_t jobs = 0;     ///< per round, with a phase and a secret
    std::size_t warm_up = 0;  ///< rounds that fill caches and pools; not measured
};

/// Runs an agent with a server that is down, cuts connections, refuses them and stalls all the time. Expects every job
/// to be complete, and memory, file descriptors and threads to stay constant. Prints these figures.
void flap(const FlappingRounds& what);

}  // namespace trebuchet::harness
