#include "agent/job/job.hpp"

#include "common/base/json_text_scan.hpp"
#include "common/base/text.hpp"
#include "common/secret/secret_json_reading.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace trebuchet {
namespace {

constexpr std::chrono::hours default_global_timeout{4};
constexpr std::chrono::minutes default_output_timeout{15};

/// A final `*` matches every ending.
constexpr std::array<std::string_view, 16> dangerous_names{
    "LD_*",    "PATH",   "IFS",     "ENV",          "BASH_*",     "SHELLOPTS",      "PS4",         "PROMPT_COMMAND",
    "PYTHON*", "PERL5*", "RUBYOPT", "NODE_OPTIONS", "GCONV_PATH", "GLIBC_TUNABLES", "TREBUCHET_*", "HOME"};

constexpr std::size_t longest_id = 128;
constexpr std::string_view expected_id = "expected a job id of letters, digits, '-' and '_'";

tl::unexpected<Error> wrong(const std::string& field, const SecretJson& found, std::string_view expected) {
    return fail("the job's " + field + " is " + std::string(kind_of(found)) + ", expected " + std::string(expected));
}

const SecretJson* find(const SecretJson& object, const char* key) {
    const auto entry = object.find(key);
    return entry == object.end() || entry->is_null() ? nullptr : &*entry;
}

Result<std::string> read_string(const SecretJson& job, const char* key) {
    const auto* value = find(job, key);
    if (value == nullptr) return std::string();
    if (!value->is_string()) return wrong(key, *value, "a string");
    return std::string(std::string_view(value->get_ref<const WipedString&>()));
}

/// What else than a string there is says nothing.
std::optional<std::string> string_in(const SecretJson& job, const char* key) {
    const auto* value = find(job, key);
    if (value == nullptr || !value->is_string()) return std::nullopt;
    return std::string(std::string_view(value->get_ref<const WipedString&>()));
}

std::vector<std::string> strings_in(const SecretJson& job, const char* key) {
    std::vector<std::string> texts;
    const auto* list = find(job, key);
    if (list == nullptr || !list->is_array()) return texts;
    for (const auto& item : *list) {
        if (item.is_string()) texts.emplace_back(std::string_view(item.get_ref<const WipedString&>()));
    }
    return texts;
}

/// Whatever looks like attachments counts: grants are refused for them.
bool names_attachments(const SecretJson& job) {
    if (const auto* status = find(job, "attachments_status"); status != nullptr && *status != "none") return true;
    return std::any_of(all_phases.begin(), all_phases.end(), [&](Phase phase) {
        const auto* data = find(job, (std::string(name_of(phase)) + "_data").c_str());
        if (data == nullptr || !data->is_object()) return false;
        const auto* attachments = find(*data, "attachments");
        return attachments != nullptr && !attachments->empty();
    });
}

/// What grants ask of a job. A server has checked it, so that what makes no sense is left out.
void read_facts(const SecretJson& json, Job& job) {
    job.client_id = string_in(json, "client_id");
    job.name = string_in(json, "name").value_or("");
    job.tags = strings_in(json, "tags");
    job.names_attachments = names_attachments(json);
    if (const auto* priority = find(json, "job_priority"); priority != nullptr && priority->is_number_integer()) {
        job.priority = priority->get<std::int64_t>();
    }
}

Result<std::optional<std::chrono::seconds>> read_seconds(const SecretJson& job, const char* key) {
    const auto* value = find(job, key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_number_integer() || *value < 0 || *value > 10'000'000)
        return wrong(key, *value, "a number of seconds");
    return std::chrono::seconds(value->get<std::int64_t>());
}

Result<std::vector<SecretVariable>> read_secrets(const std::string& field, const SecretJson& secrets,
                                                 const std::vector<std::string>& allowed) {
    std::vector<SecretVariable> variables;
    if (!secrets.is_object()) return wrong(field, secrets, "an object of environment names and values");
    for (const auto& [name, value] : secrets.items()) {
        const std::string variable(std::string_view{name});
        const bool valid_name = !variable.empty() && std::isdigit(static_cast<unsigned char>(variable[0])) == 0 &&
                                std::all_of(variable.begin(), variable.end(),
                                            [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
        if (!valid_name)
            return fail("the job's " + field + " has the name " + trebuchet::quoted(variable) +
                        ", expected an environment name");
        if (!value.is_string() && !value.is_null()) return wrong(field + "." + variable, value, "a string");
        const std::string_view text = value.is_null() ? std::string_view() : value.get_ref<const WipedString&>();
        if (text.find('\0') != std::string_view::npos) {
            return fail("the job's " + field + "." + variable + " holds a NUL byte, which an environment cannot");
        }
        const bool is_allowed = std::find(allowed.begin(), allowed.end(), variable) != allowed.end();
        variables.push_back({variable, SecretString(text), is_dangerous_name(variable) && !is_allowed});
    }
    return variables;
}

Result<PhaseData> read_phase(const std::string& field, const SecretJson& data, bool attachments_are_unpacked,
                             const std::vector<std::string>& allowed) {
    if (!data.is_object()) return wrong(field, data, "an object");
    PhaseData phase;
    const bool only_attachments = attachments_are_unpacked && data.size() == 1 && data.contains("attachments");
    phase.present = !data.empty() && !only_attachments;
    if (const auto* skip = find(data, "skip")) {
        if (!skip->is_boolean()) return wrong(field + ".skip", *skip, "true or false");
        phase.skip = skip->get<bool>();
    }
    if (const auto* secrets = find(data, "secrets")) {
        auto variables = read_secrets(field + ".secrets", *secrets, allowed);
        if (!variables) return fail(variables.error());
        phase.secrets = std::move(*variables);
    }
    return phase;
}

/// Collects the values of `<phase>_data.secrets`, each with its name.
void collect_secret(const std::vector<WipedString>& keys, const SecretJson& value, std::vector<NamedSecret>& found) {
    constexpr std::string_view data = "_data";
    if (keys.size() != 3 || keys[1] != "secrets" || !value.is_string()) return;
    const std::string_view phase = keys[0];
    if (!phase.ends_with(data) || !phase_named(phase.substr(0, phase.size() - data.size()))) return;
    const std::string_view text = value.get_ref<const WipedString&>();
    if (!text.empty()) found.push_back({std::string(std::string_view(keys[2])), SecretString(text)});
}

void drop_values_of(const Job& job, std::vector<NamedSecret>& found) {
    std::erase_if(found, [&](const NamedSecret& secret) {
        return std::any_of(job.phases.begin(), job.phases.end(), [&](const auto& entry) {
            const auto& variables = entry.second.secrets;
            return std::any_of(variables.begin(), variables.end(), [&](const SecretVariable& variable) {
                return variable.value.reveal() == secret.value.reveal();
            });
        });
    });
}

WipedString dump(const SecretJson& json) {
    return json.dump(-1, ' ', false, SecretJson::error_handler_t::replace);
}

/// True if there were any.
bool erase_refused_secrets(const Job& job, SecretJson& json) {
    bool erased = false;
    for (const auto& [phase, data] : job.phases) {
        for (const auto& variable : data.secrets) {
            if (!variable.is_refused) continue;
            json[WipedString(name_of(phase)) + "_data"]["secrets"].erase(WipedString(variable.name));
            erased = true;
        }
    }
    return erased;
}

void erase_secrets(SecretJson& json) {
    for (const Phase phase : all_phases) {
        const auto data = json.find(WipedString(name_of(phase)) + "_data");
        if (data != json.end() && data->is_object()) data->erase("secrets");
    }
}

}  // namespace

bool is_dangerous_name(std::string_view name) {
    return std::any_of(dangerous_names.begin(), dangerous_names.end(), [&](std::string_view dangerous) {
        if (!dangerous.ends_with('*')) return name == dangerous;
        return name.starts_with(dangerous.substr(0, dangerous.size() - 1));
    });
}

const PhaseData& Job::data_of(Phase phase) const {
    static const PhaseData none;
    const auto entry = phases.find(phase);
    return entry == phases.end() ? none : entry->second;
}

std::vector<NamedSecret> Job::secrets() const {
    std::vector<NamedSecret> all;
    for (const auto& [phase, data] : phases) {
        for (const auto& variable : data.secrets) all.push_back({variable.name, variable.value.clone()});
    }
    for (const auto& secret : replaced_secrets) all.push_back({secret.name, secret.value.clone()});
    return all;
}

bool Job::has_secrets() const {
    return !replaced_secrets.empty() ||
           std::any_of(phases.begin(), phases.end(), [](const auto& entry) { return !entry.second.secrets.empty(); });
}

WipedString Job::document_with(const std::map<std::string, SecretString>& values) const {
    auto json = parse_secret_json(document, "the job");
    const auto data = json ? json->find("test_data") : SecretJson::iterator();
    if (values.empty() || !json || data == json->end() || !data->is_object()) return document;
    auto& secrets = (*data)["secrets"];
    if (!secrets.is_object()) secrets = SecretJson::object();
    for (const auto& [variable, value] : values) secrets[WipedString(variable)] = WipedString(value.reveal());
    return dump(*json);
}

std::chrono::seconds Job::global_timeout_within(std::chrono::seconds allowed) const {
    return std::min(global_timeout.value_or(default_global_timeout), allowed);
}

std::chrono::seconds Job::output_timeout_within(std::chrono::seconds allowed) const {
    return std::min(output_timeout.value_or(default_output_timeout), allowed);
}

WipedString without_secrets(std::string_view document) {
    auto json = parse_secret_json(document, "the job");
    if (!json || !json->is_object()) return {};
    erase_secrets(*json);
    return dump(*json);
}

bool is_job_id(std::string_view text) {
    return !text.empty() && text.size() <= longest_id && std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '_';
    });
}

Result<Job> parse_job(std::string_view document, const std::vector<std::string>& allowed_names) {
    std::vector<NamedSecret> all_secrets;
    SecretJsonReading reading;
    reading.on_value = [&](const auto& keys, const auto& value) { collect_secret(keys, value, all_secrets); };
    auto parsed = parse_secret_json(document, "the job", reading);
    if (!parsed) return fail(parsed.error());
    auto& json = *parsed;
    if (!json.is_object()) return fail("the job is " + std::string(kind_of(json)) + ", expected an object");

    Job job;
    auto id = read_string(json, "job_id");
    if (!id) return fail(id.error());
    if (!is_job_id(*id)) return fail("the job's job_id is " + trebuchet::quoted(*id) + ", " + std::string(expected_id));
    job.id = std::move(*id);
    for (const auto& [key, target] : {std::pair{"job_queue", &job.queue},
                                      {"parent_job_id", &job.parent_id},
                                      {"job_status_webhook", &job.webhook}}) {
        auto text = read_string(json, key);
        if (!text) return fail(text.error());
        *target = std::move(*text);
    }
    for (const auto& [key, target] :
         {std::pair{"global_timeout", &job.global_timeout}, {"output_timeout", &job.output_timeout}}) {
        const auto seconds = read_seconds(json, key);
        if (!seconds) return fail(seconds.error());
        *target = *seconds;
    }
    const auto* status = find(json, "attachments_status");
    job.has_attachments = status != nullptr && *status == "complete";
    read_facts(json, job);
    for (const Phase phase : all_phases) {
        const auto field = std::string(name_of(phase)) + "_data";
        const auto* data = find(json, field.c_str());
        if (data == nullptr) continue;
        auto phase_data = read_phase(field, *data, job.has_attachments, allowed_names);
        if (!phase_data) return fail(phase_data.error());
        job.phases.emplace(phase, std::move(*phase_data));
    }
    if (reading.has_duplicate_keys) {
        drop_values_of(job, all_secrets);
        job.replaced_secrets = std::move(all_secrets);
    }
    const bool is_changed = erase_refused_secrets(job, json) || reading.has_duplicate_keys;
    job.document = is_changed ? dump(json) : WipedString(document);
    erase_secrets(json);
    const WipedString text = dump(json);
    job.public_document.assign(text.data(), text.size());
    return job;
}

std::string job_id_of(std::string_view document) {
    JsonTextScan scan("job_id", longest_id);
    scan.feed(document);
    const auto id = scan.value().value_or("");
    return is_job_id(id) ? id : "";
}

}  // namespace trebuchet
