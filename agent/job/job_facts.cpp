#include "agent/job/job_facts.hpp"

#include "agent/secrets/granted_secrets.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace trebuchet {
namespace {

constexpr std::string_view asking_tag = "secret:";

/// Half of what a variable may have: the name and a wide margin are in the rest.
constexpr std::size_t longest_tags = longest_variable / 2;

bool is_plain(std::string_view tag) {
    return !tag.empty() && std::none_of(tag.begin(), tag.end(), [](unsigned char c) { return std::iscntrl(c) != 0; });
}

}  // namespace

JobFacts facts_of(const Job& job, QueueRestriction restriction) {
    JobFacts facts;
    facts.queue = job.queue;
    facts.queue_restriction = restriction;
    facts.client_id = job.client_id;
    facts.has_attachments = job.has_attachments || job.names_attachments;
    facts.tags = job.tags;
    facts.name = job.name;
    facts.priority = job.priority;
    for (const auto& tag : job.tags) {
        if (tag.starts_with(asking_tag)) facts.asked_names.insert(tag.substr(asking_tag.size()));
    }
    for (const auto& variable : job.data_of(Phase::test).secrets) {
        if (variable.value.empty()) facts.asked_names.insert(variable.name);
    }
    return facts;
}

const SecretString* server_value(const Job& job, const std::string& name) {
    const auto& variables = job.data_of(Phase::test).secrets;
    const auto found = std::find_if(variables.begin(), variables.end(),
                                    [&](const SecretVariable& variable) { return variable.name == name; });
    return found == variables.end() ? nullptr : &found->value;
}

std::string tags_variable(const Job& job) {
    std::string lines;
    for (const auto& tag : job.tags) {
        if (!is_plain(tag) || lines.size() + tag.size() > longest_tags) continue;
        lines += (lines.empty() ? "" : "\n") + tag;
    }
    return lines;
}

}  // namespace trebuchet
