#include "agent/cli/local_job.hpp"

#include "common/secret/secret_json.hpp"

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

/// Replaces the paths in one phase's `secrets`.
void resolve(SecretJson& variables, const SecretJson& values, std::vector<std::string>& warnings) {
    for (auto& [name, path] : variables.items()) {
        if (!path.is_string()) continue;
        const auto value = values.find(path.get_ref<const WipedString&>());
        if (value != values.end() && value->is_string()) {
            path = *value;
            continue;
        }
        warnings.push_back("the secrets file has no string value for " +
                           std::string(std::string_view(path.get_ref<const WipedString&>())) + ": " +
                           std::string(std::string_view(name)) + " will be empty");
        path = WipedString();
    }
}

}  // namespace

Result<LocalJob> make_local_job(const nlohmann::json& submitted, std::string_view secrets, const std::string& id,
                                const std::vector<std::string>& allowed_names) {
    if (!submitted.is_object()) return fail("the job is not a mapping of fields");
    auto values = SecretJson::parse(secrets.empty() ? std::string_view("{}") : secrets, nullptr, false);
    if (!values.is_object()) return fail("the secrets file is not a JSON object from path to value");

    LocalJob local;
    auto document =
        SecretJson::parse(submitted.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), nullptr, false);
    document["job_id"] = WipedString(id);
    for (const Phase phase : all_phases) {
        const auto data = document.find(WipedString(name_of(phase)) + "_data");
        if (data == document.end() || !data->is_object()) continue;
        if (data->contains("attachments")) {
            local.warnings.push_back("attachments of " + std::string(name_of(phase)) +
                                     "_data are not unpacked in a local run");
        }
        const auto variables = data->find("secrets");
        if (variables != data->end() && variables->is_object()) resolve(*variables, values, local.warnings);
    }
    auto job = parse_job(document.dump(), allowed_names);
    if (!job) return fail(job.error());
    local.job = std::move(*job);
    return local;
}

}  // namespace trebuchet
