#include "agent/secrets/grant_decision.hpp"

#include "common/base/text.hpp"

#include <algorithm>

namespace trebuchet {
namespace {

using Rule = GrantRefusal::Rule;

template <typename Range, typename Value>
bool contains(const Range& range, const Value& value) {
    return std::find(range.begin(), range.end(), value) != range.end();
}

class Decider {
  public:
    Decider(const SecretGrant& grant, const JobFacts& facts) : grant_(grant), facts_(facts) {}

    GrantDecision decide() {
        check_queue();
        check_restriction();
        check_client();
        check_attachments();
        check_exceptions();
        return {asked(), std::move(refusals_)};
    }

  private:
    void refuse(Rule rule, std::string text) { refusals_.push_back({rule, std::move(text)}); }

    void check_queue() {
        const auto& queues = grant_.allow.queues;
        if (queues.empty() || contains(queues, facts_.queue)) return;
        refuse(Rule::queue, "the queue " + trebuchet::quoted(facts_.queue) + " is not one of its queues");
    }

    void check_restriction() {
        if (!grant_.allow.queue_restricted || facts_.queue_restriction == QueueRestriction::yes) return;
        refuse(Rule::queue_restricted,
               facts_.queue_restriction == QueueRestriction::no
                   ? "the queue " + trebuchet::quoted(facts_.queue) + " is not restricted to owners"
                   : "the server did not say whether the queue is restricted to owners");
    }

    void check_client() {
        const auto& clients = grant_.allow.client_ids;
        if (clients.empty()) return;
        if (!facts_.client_id) {
            refuse(Rule::client_id,
                   "the job has no client_id (servers add it to jobs with test_data.secrets, even to an empty one)");
        } else if (!contains(clients, *facts_.client_id)) {
            refuse(Rule::client_id,
                   "the client_id " + trebuchet::quoted(*facts_.client_id) + " is not one of its clients");
        }
    }

    void check_attachments() {
        if (!facts_.has_attachments || grant_.allow.any_attachments) return;
        refuse(Rule::attachments, "the job has attachments, which anybody can have uploaded");
    }

    void check_exceptions() {
        const auto& deny = grant_.deny;
        const auto tag = std::find_if(facts_.tags.begin(), facts_.tags.end(),
                                      [&](const auto& candidate) { return contains(deny.tags, candidate); });
        if (tag != facts_.tags.end()) refuse(Rule::tags, "it denies jobs with the tag " + trebuchet::quoted(*tag));
        if (contains(deny.names, facts_.name)) {
            refuse(Rule::name, "it denies jobs with the name " + trebuchet::quoted(facts_.name));
        }
        if (deny.priority_below && facts_.priority < *deny.priority_below) {
            refuse(Rule::priority, "the priority " + std::to_string(facts_.priority) + " is below " +
                                       std::to_string(*deny.priority_below));
        }
    }

    /// A field of a document can be asked for only if the grant has a prefix: otherwise any name could be one. The name
    /// is the submitter's, and becomes a variable's.
    [[nodiscard]] bool may_be_field(const std::string& name) const {
        return grant_.env_from && !grant_.env_prefix.empty() && name.starts_with(grant_.env_prefix) &&
               is_variable_name(name);
    }

    [[nodiscard]] AskedOfGrant asked() const {
        AskedOfGrant asked;
        asked.everything = grant_.always || facts_.asked_names.contains(grant_.name);
        for (const auto& name : facts_.asked_names) {
            if (grant_.env.contains(name) || grant_.files.contains(name) || may_be_field(name)) {
                asked.names.insert(name);
            }
        }
        return asked;
    }

    const SecretGrant& grant_;
    const JobFacts& facts_;
    std::vector<GrantRefusal> refusals_;
};

}  // namespace

std::string GrantDecision::reasons() const {
    std::string text;
    for (const auto& refusal : refusals) text += (text.empty() ? "" : "; ") + refusal.text;
    return text;
}

GrantDecision decide(const SecretGrant& grant, const JobFacts& facts) {
    return Decider(grant, facts).decide();
}

GrantDecision both(const GrantDecision& at_pick_up, const GrantDecision& now) {
    GrantDecision decision = now;
    for (const auto& refusal : at_pick_up.refusals) {
        if (contains(now.refusals, refusal)) continue;
        decision.refusals.push_back({refusal.rule, "when the job was taken, " + refusal.text});
    }
    return decision;
}

}  // namespace trebuchet
