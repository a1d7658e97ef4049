#pragma once

#include <cstddef>

namespace trebuchet::harness {

struct FlappingRounds {
    std::size_t rounds = 0;
    std::size_t polls = 0;    ///< in each
    std::size_t jobs = 0;     ///< in each, with a phase and a secret
    std::size_t warm_up = 0;  ///< rounds that fill caches and pools
};

/// Lets an agent poll and work for a server that is away, cuts, refuses and stalls all the time. Expects every job to
/// be whole, and memory, descriptors and threads to stay flat; prints them.
void flap(const FlappingRounds& what);

}  // namespace trebuchet::harness
