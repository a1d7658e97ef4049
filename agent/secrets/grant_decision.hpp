#pragma once

#include "agent/config/secrets_config.hpp"
#include "agent/secrets/job_facts.hpp"

#include <set>
#include <string>
#include <vector>

namespace trebuchet {

/// What keeps a job from a grant.
struct GrantRefusal {
    enum class Rule { queue, queue_restricted, client_id, attachments, tags, name, priority };
    Rule rule;
    std::string text;  ///< one clause: what the job is, and what the grant wants
    bool operator==(const GrantRefusal& other) const { return rule == other.rule; }
};

/// What a job asks of a grant.
struct AskedOfGrant {
    bool everything = false;      ///< by the grant's name, or the grant needs no asking
    std::set<std::string> names;  ///< of single variables
    [[nodiscard]] bool anything() const { return everything || !names.empty(); }
    [[nodiscard]] bool has(const std::string& name) const { return everything || names.contains(name); }
};

struct GrantDecision {
    AskedOfGrant asked;
    std::vector<GrantRefusal> refusals;  ///< of all rules, whether the job asks or not

    [[nodiscard]] bool is_allowed() const { return refusals.empty(); }
    /// Both: only then a value is read.
    [[nodiscard]] bool gives() const { return asked.anything() && is_allowed(); }
    /// The refusals in one sentence, without a full stop.
    [[nodiscard]] std::string reasons() const;
};

/// Decides what a job with these facts gets of a grant. A condition that cannot be checked does not hold.
[[nodiscard]] GrantDecision decide(const SecretGrant& grant, const JobFacts& facts);

/// Whether a job gets something of a grant whose conditions were checked twice: both must allow it. The refusals are
/// those of the later one, then those that only the earlier one has.
[[nodiscard]] GrantDecision both(const GrantDecision& at_pick_up, const GrantDecision& now);

}  // namespace trebuchet
