#include "agent/secrets/granted_secrets.hpp"

#include <algorithm>
#include <utility>

namespace trebuchet {
namespace {

/// When so many documents could not be reached for a phase, Vault is away, and not asked for more.
constexpr std::size_t most_out_of_reach = 3;

using Outcome = SecretAccess::Outcome;
using Source = SecretReference::Source;

Outcome outcome_of(SecretProblem::Kind kind) {
    switch (kind) {
        case SecretProblem::Kind::missing:
            return Outcome::missing;
        case SecretProblem::Kind::denied:
            return Outcome::denied;
        case SecretProblem::Kind::unreachable:
            break;
    }
    return Outcome::unreachable;
}

/// For the job's log, which may be public: nothing of where the lab keeps its secrets.
const char* public_reason(SecretProblem::Kind kind) {
    switch (kind) {
        case SecretProblem::Kind::missing:
            return "it is missing where the lab keeps it";
        case SecretProblem::Kind::denied:
            return "the agent may not read it";
        case SecretProblem::Kind::unreachable:
            break;
    }
    return "it could not be read";
}

/// Files end with a newline that nobody means to be in a variable.
SecretString without_newline(const SecretReference& reference, SecretString value) {
    const bool is_file = reference.source == Source::file || reference.source == Source::credential;
    if (!is_file || !value.reveal().ends_with('\n')) return value;
    return SecretString(value.reveal().substr(0, value.size() - 1));
}

}  // namespace

std::string_view name_of(Outcome outcome) {
    switch (outcome) {
        case Outcome::given:
            return "given";
        case Outcome::refused:
            return "refused";
        case Outcome::missing:
            return "missing";
        case Outcome::denied:
            return "denied";
        case Outcome::unreachable:
            return "unreachable";
    }
    return "";
}

/// What one phase gets.
class GrantedSecrets::PhaseReader {
  public:
    PhaseReader(GrantedSecrets& owner, std::string_view phase, SecretSink& sink)
        : owner_(owner), phase_(phase), sink_(sink) {}

    PhaseSecrets read() {
        std::vector<const Entry*> refused;
        for (auto& entry : owner_.entries_) {
            if (!is_for(entry, phase_)) continue;
            if (owner_.decide_now(entry).gives()) {
                give(entry);
            } else {
                refused.push_back(&entry);
            }
        }
        for (const auto* entry : refused) refuse(*entry);
        return std::move(result_);
    }

  private:
    void give(const Entry& entry) {
        for (const auto& [name, reference] : entry.grant.env) {
            if (is_wanted(entry, name)) give_variable(entry, name, reference);
        }
        for (const auto& [name, reference] : entry.grant.files) {
            if (is_wanted(entry, name)) give_file(entry, name, reference);
        }
        if (entry.grant.env_from) give_document(entry, *entry.grant.env_from);
    }

    [[nodiscard]] bool is_given(const std::string& name) const {
        const auto variable = result_.env.find(name);
        return result_.files.contains(name) || (variable != result_.env.end() && !variable->second.empty());
    }

    /// The first grant that has the variable counts.
    [[nodiscard]] bool is_wanted(const Entry& entry, const std::string& name) const {
        return entry.now->asked.has(name) && !is_given(name);
    }

    void give_variable(const Entry& entry, const std::string& name, const SecretReference& reference) {
        auto value = owner_.read(reference);
        if (!value) return miss(entry, name, reference, value.error());
        put(entry, name, reference, without_newline(reference, std::move(*value)));
    }

    void put(const Entry& entry, const std::string& name, const SecretReference& reference, SecretString value) {
        sink_.secret_value(name, value.reveal());
        if (value.reveal().find('\0') != std::string_view::npos) {
            return misfit(entry, name, reference, "it has a NUL byte, which a variable cannot: use files");
        }
        if (name.size() + 1 + value.size() > longest_variable) {
            return misfit(entry, name, reference, "it is too long for a variable: use files");
        }
        tell(entry, reference.text(), name, Outcome::given, "");
        result_.env[name] = std::move(value);
    }

    void give_file(const Entry& entry, const std::string& name, const SecretReference& reference) {
        auto value = owner_.read(reference);
        if (!value) return miss(entry, name, reference, value.error());
        sink_.secret_value(name, value->reveal());
        tell(entry, reference.text(), name, Outcome::given, "");
        result_.files[name] = std::move(*value);
        result_.env.erase(name);
    }

    void give_document(const Entry& entry, const SecretReference& reference) {
        const auto fields = owner_.read_document(reference.path);
        if (!fields) return miss_document(entry, reference, fields.error());
        for (const auto& [field, value] : **fields) {
            const auto name = entry.grant.env_prefix + field;
            if (!is_wanted(entry, name)) continue;
            if (!is_variable_name(name) || owner_.parts_.is_dangerous(name)) {
                sink_.secret_value(name, value.reveal());
                misfit(entry, name, reference, "a variable cannot have this name");
            } else {
                put(entry, name, reference, value.clone());
            }
        }
        for (const auto& name : entry.now->asked.names) {
            const bool is_field = !entry.grant.env.contains(name) && !entry.grant.files.contains(name);
            if (!is_field || is_given(name) || result_.env.contains(name)) continue;
            miss(entry, name, reference, {SecretProblem::Kind::missing, "the document has no such field"});
        }
    }

    void miss(const Entry& entry, const std::string& name, const SecretReference& reference,
              const SecretProblem& problem) {
        leave_empty(entry, name, public_reason(problem.kind));
        tell(entry, reference.text(), name, outcome_of(problem.kind), problem.text);
    }

    /// Names of fields are not known.
    void miss_document(const Entry& entry, const SecretReference& reference, const SecretProblem& problem) {
        for (const auto& name : entry.now->asked.names) leave_blank(name);
        leave_out("secrets of the grant " + entry.grant.name, public_reason(problem.kind), entry);
        tell(entry, reference.text(), "*", outcome_of(problem.kind), problem.text);
    }

    void misfit(const Entry& entry, const std::string& name, const SecretReference& reference, const char* why) {
        leave_out("secret " + name, why, entry);
        tell(entry, reference.text(), name, Outcome::unreachable, why);
    }

    void leave_empty(const Entry& entry, const std::string& name, const char* why) {
        leave_blank(name);
        leave_out("secret " + name, why, entry);
    }

    void leave_blank(const std::string& name) {
        if (!is_given(name) && !owner_.parts_.is_dangerous(name)) result_.env[name] = SecretString();
    }

    void leave_out(const std::string& what, const char* why, const Entry& entry) {
        result_.notes +=
            "WARNING: the lab's " + what + (what.starts_with("secrets") ? " are" : " is") + " empty: " + why + "\n";
        if (entry.grant.on_missing != OnMissing::fail || !result_.ready) return;
        result_.ready = fail("the lab's " + what + ": " + why);
    }

    void refuse(const Entry& entry) {
        std::string names;
        const auto leave = [&](const std::string& name) {
            if (!entry.now->asked.has(name) || is_given(name)) return;
            leave_blank(name);
            names += (names.empty() ? "" : ", ") + name;
        };
        for (const auto& [name, reference] : entry.grant.env) leave(name);
        for (const auto& [name, reference] : entry.grant.files) leave(name);
        for (const auto& name : entry.now->asked.names) {
            if (!result_.env.contains(name)) leave(name);
        }
        if (entry.grant.env_from && entry.now->asked.everything) names += names.empty() ? "all" : " and others";
        if (names.empty()) return;
        const auto why = entry.now->reasons();
        result_.notes +=
            "WARNING: the lab's secrets of the grant " + entry.grant.name + " are empty (" + names + "): " + why + "\n";
        tell(entry, "", names, Outcome::refused, why);
        if (entry.grant.otherwise != Otherwise::refuse || !result_.ready) return;
        result_.ready = fail("the job may not have the secrets of the grant " + entry.grant.name + ": " + why);
    }

    void tell(const Entry& entry, const std::string& reference, const std::string& name, Outcome outcome,
              const std::string& why) const {
        sink_.secret_access({entry.grant.name, reference, name, std::string(phase_), outcome, why});
    }

    GrantedSecrets& owner_;
    std::string_view phase_;
    SecretSink& sink_;
    PhaseSecrets result_;
};

GrantedSecrets::GrantedSecrets(Parts parts) : parts_(std::move(parts)) {
    for (const auto& grant : parts_.config.grants) entries_.push_back({grant, decide(grant, parts_.facts)});
}

bool GrantedSecrets::is_for(const Entry& entry, std::string_view phase) {
    const auto& phases = entry.grant.phases;
    return entry.at_pick_up.asked.anything() && std::find(phases.begin(), phases.end(), phase) != phases.end();
}

std::string GrantedSecrets::refusal(SecretSink& sink) const {
    for (const auto& [grant, decision, now] : entries_) {
        if (grant.otherwise != Otherwise::refuse || !decision.asked.anything() || decision.is_allowed()) continue;
        const auto why = decision.reasons();
        sink.secret_access({grant.name, "", "*", "", Outcome::refused, why});
        return "it may not have the secrets of the grant " + grant.name + ": " + why;
    }
    return "";
}

bool GrantedSecrets::concerns(std::string_view phase) const {
    return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) { return is_for(entry, phase); });
}

bool GrantedSecrets::is_allowed_something() const {
    return std::any_of(entries_.begin(), entries_.end(),
                       [](const Entry& entry) { return entry.at_pick_up.is_allowed(); });
}

bool GrantedSecrets::gives_something() const {
    return std::any_of(entries_.begin(), entries_.end(), [](const Entry& entry) { return entry.at_pick_up.gives(); });
}

const GrantDecision& GrantedSecrets::decide_now(Entry& entry) {
    if (entry.now) return *entry.now;
    entry.now = entry.at_pick_up;
    // What the first check refused needs no second one.
    if (!entry.grant.allow.queue_restricted || !entry.at_pick_up.is_allowed()) return *entry.now;
    if (!restriction_now_) restriction_now_ = parts_.ask_restriction();
    auto facts = parts_.facts;
    facts.queue_restriction = *restriction_now_;
    entry.now = both(entry.at_pick_up, decide(entry.grant, facts));
    return *entry.now;
}

PhaseSecrets GrantedSecrets::for_phase(std::string_view phase, SecretSink& sink) {
    is_interrupted_ = false;
    out_of_reach_.clear();
    return PhaseReader(*this, phase, sink).read();
}

SecretResult<const SecretFields*> GrantedSecrets::read_document(const std::string& path) {
    if (is_interrupted_) {
        return tl::unexpected(
            SecretProblem{SecretProblem::Kind::unreachable, "the phase was ended before it was read"});
    }
    const auto known = out_of_reach_.find(path);
    if (known != out_of_reach_.end()) return tl::unexpected(known->second);
    if (out_of_reach_.size() >= most_out_of_reach) return tl::unexpected(out_of_reach_.begin()->second);
    auto fields = parts_.documents.read(path);
    if (!fields && fields.error().kind == SecretProblem::Kind::unreachable) {
        out_of_reach_.emplace(path, fields.error());
    }
    return fields;
}

SecretResult<SecretString> GrantedSecrets::read(const SecretReference& reference) {
    if (reference.source == Source::vault) {
        const auto fields = read_document(reference.path);
        if (!fields) return tl::unexpected(fields.error());
        const auto field = (*fields)->find(reference.field);
        if (field != (*fields)->end()) return field->second.clone();
        return tl::unexpected(SecretProblem{SecretProblem::Kind::missing,
                                            "the document " + reference.path + " has no field " + reference.field});
    }
    if (reference.source == Source::server) {
        const auto* value = parts_.server_value(reference.path);
        if (value != nullptr && !value->empty()) return value->clone();
        return tl::unexpected(
            SecretProblem{SecretProblem::Kind::missing, "the server gave no value for " + reference.path});
    }
    const auto key = reference.text();
    if (const auto known = values_.find(key); known != values_.end()) return known->second.clone();
    auto value = parts_.local.read(reference);
    if (value) values_.emplace(key, value->clone());
    return value;
}

}  // namespace trebuchet
