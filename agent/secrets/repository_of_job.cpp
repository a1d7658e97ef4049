#include "agent/secrets/repository_of_job.hpp"

#include "common/event/beside.hpp"
#include "common/log/log.hpp"
#include "common/repository_file/request_patch.hpp"
#include "common/sealed_value/decrypted_value.hpp"
#include "common/sealed_value/repository_url.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace trebuchet {
namespace {

/// One decryption takes 4 ms.
constexpr std::size_t most_secrets = 200;
constexpr std::size_t most_entries = 400;
constexpr std::size_t most_notes = 10;

bool has(const std::vector<std::string>& list, const std::string& item) {
    return std::find(list.begin(), list.end(), item) != list.end();
}

const RepositorySecrets* repository_for(const SecretsConfig& config, const JobFacts& facts) {
    if (!facts.client_id) return nullptr;
    for (const auto& repository : config.repositories) {
        const bool is_queue = repository.queues.empty() || has(repository.queues, facts.queue);
        if (is_queue && has(repository.client_ids, *facts.client_id)) return &repository;
    }
    return nullptr;
}

std::string context_name(std::string_view key) {
    std::string name = "TMT_CONTEXT_";
    for (const char c : key) {
        const auto byte = static_cast<unsigned char>(c);
        name += std::isalnum(byte) != 0 ? static_cast<char>(std::toupper(byte)) : '_';
    }
    return name;
}

std::string text_of(const nlohmann::json& value) {
    if (value.is_string()) return value.get<std::string>();
    if (!value.is_array()) return value.dump();
    std::string joined;
    for (const auto& item : value) joined += (joined.empty() ? "" : ",") + text_of(item);
    return joined;
}

const nlohmann::json& part_of(const nlohmann::json& values, const char* first, const char* second = nullptr) {
    static const nlohmann::json none = nlohmann::json::object();
    const auto found = values.find(first);
    if (found == values.end() || !found->is_object()) return none;
    return second == nullptr ? *found : part_of(*found, second);
}

/// An environment holds no NUL, and Linux takes no longer text.
bool fits(const std::string& name, std::string_view value) {
    return value.find('\0') == std::string_view::npos && name.size() + 1 + value.size() <= longest_variable;
}

}  // namespace

RepositoryOfJob::RepositoryOfJob(Parts parts)
    : parts_(std::move(parts)), repository_(repository_for(parts_.config, parts_.facts)) {}

const RepositoryValues& RepositoryOfJob::values(std::string_view phase, SecretSink& sink) {
    if (!values_ || !values_->is_known) {
        values_.emplace();
        values_->is_known = true;
        if (concerns()) read(phase, sink);
    }
    return *values_;
}

RepositoryOfJob::Opened RepositoryOfJob::open(const std::string& text) const {
    Opened opened;
    const auto file = parse_repository_file(text);
    if (!file) {
        opened.notes.push_back("WARNING: it cannot be used: " + file.error().front().message(repository_file_name));
        return opened;
    }
    for (const auto& finding : file->findings) {
        opened.notes.push_back("WARNING: " + finding.problem.message(repository_file_name));
    }
    if (!file->test.is_null() || !file->settings.is_null()) {
        opened.notes.emplace_back("NOTE: `test` and `settings` of the repository's file do not apply here");
    }
    const auto plan = repository_->plans_by_job_name ? std::optional(parts_.facts.name) : std::nullopt;
    auto patch = patch_for(*file, parts_.names, plan);
    opened.values = std::move(patch.values);
    const auto owner_url = repository_url(repository_->url);
    const auto keys = KeyFolder::open(parts_.config.key_folder);
    const KeyOwner owner{owner_url.value_or(""), *parts_.facts.client_id};
    std::size_t entries = 0;
    for (const auto* secrets : {&patch.tmt_secrets, &patch.secrets}) {
        for (const auto& [name, value] : *secrets) {
            entries += value.entries.size();
            if (opened.secrets.size() >= most_secrets || entries > most_entries) {
                opened.secrets.push_back({name, fail("the file has too many secrets")});
                return opened;
            }
            if (is_stopped_) return opened;
            opened.secrets.push_back(
                {name, keys ? decrypted_value(*keys, owner, value, parts_.clock.wall_time()) : fail(keys.error())});
        }
    }
    return opened;
}

void RepositoryOfJob::leave_out(const std::string& why) {
    values_->notes += "WARNING: the variables and secrets of the repository are missing: " + why + "\n";
}

void RepositoryOfJob::read(std::string_view phase, SecretSink& sink) {
    const auto reference = "repository:" + repository_->url;
    const Tell tell = [&](const std::string& name, SecretAccess::Outcome outcome, const std::string& why) {
        sink.secret_access({"repository", reference, name, std::string(phase), outcome, why});
    };
    if (parts_.facts.has_attachments && !repository_->any_attachments) {
        constexpr const char* why = "the job has attachments, which anybody can have uploaded";
        tell("*", SecretAccess::Outcome::refused, why);
        return leave_out(why);
    }
    const auto text = parts_.cache.get({.loop = parts_.loop,
                                        .repository = *repository_,
                                        .scratch = parts_.scratch,
                                        .now = parts_.clock.now(),
                                        .is_interrupted = [this] { return is_stopped_.load(); }});
    if (!text) {
        values_->is_known = false;
        tell("*", SecretAccess::Outcome::unreachable, text.error().message());
        return leave_out("it is out of reach");
    }
    if (!text->text) {
        tell("*", SecretAccess::Outcome::missing, "commit " + text->commit + " has no file");
        return leave_out(std::string("it has no ") + repository_file_name);
    }
    Opened opened;
    run_beside(parts_.loop, [&] { opened = open(*text->text); });
    if (is_stopped_) values_->is_known = false;
    for (std::size_t i = 0; i < std::min(opened.notes.size(), most_notes); ++i) note(opened.notes[i]);
    take_variables(opened.values);
    for (auto& secret : opened.secrets) take_secret(secret, sink, tell);
}

void RepositoryOfJob::note(const std::string& line) {
    values_->notes += line + "\n";
}

bool RepositoryOfJob::refuses(const std::string& name, std::string_view value) {
    const auto warning = "WARNING: the repository's variable " + name + " is left out: ";
    if (parts_.is_dangerous(name)) {
        note(warning + "a variable of this name changes how programs run");
    } else if (!fits(name, value)) {
        note(warning + "it is too long, or holds a NUL byte");
    } else {
        return false;
    }
    return true;
}

void RepositoryOfJob::take_variables(const nlohmann::json& values) {
    const auto take = [&](const std::string& name, const std::string& value) {
        if (!refuses(name, value)) values_->variables[name] = value;
    };
    for (const auto* part : {&part_of(values, "variables"), &part_of(values, "tmt", "environment")}) {
        for (const auto& [name, value] : part->items()) take(name, text_of(value));
    }
    for (const auto& [key, value] : part_of(values, "tmt", "context").items()) {
        take(context_name(key), text_of(value));
    }
}

void RepositoryOfJob::take_secret(Opened::Secret& secret, SecretSink& sink, const Tell& tell) {
    auto& [name, value] = secret;
    if (value) sink.secret_value(name, value->reveal());
    if (refuses(name, value ? value->reveal() : std::string_view())) {
        return tell(name, SecretAccess::Outcome::refused, "of its name or its length");
    }
    if (value) {
        tell(name, SecretAccess::Outcome::given, "");
        values_->variables.erase(name);
        values_->secrets[name] = std::move(*value);
        return;
    }
    const auto& why = value.error().message();
    tell(name, SecretAccess::Outcome::missing, why);
    // What else there is names places of the lab.
    const bool is_public = why.find("was it encrypted") != std::string::npos;
    note("WARNING: the repository's secret " + name +
         " gives no value: " + (is_public ? why : "it has no value that can be decrypted here"));
    if (!values_->variables.contains(name)) values_->secrets.try_emplace(name);
}

}  // namespace trebuchet
