#include "common/repository_file/request_patch.hpp"

#include <algorithm>

namespace trebuchet {
namespace {

/// `tmt.environment`, which is a map if it is there; else null.
nlohmann::json* tmt_environment(nlohmann::json& values) {
    const auto tmt = values.find("tmt");
    if (tmt == values.end()) return nullptr;
    const auto environment = tmt->find("environment");
    return environment == tmt->end() ? nullptr : &*environment;
}

/// A later plain value takes the place of an encrypted one, and the other way round.
void join(EnvironmentPatch& all, const EnvironmentPatch& patch) {
    for (const auto& [name, value] : patch.secrets) all.secrets[name] = value;
    if (auto* plain = tmt_environment(all.values)) {
        for (const auto& [name, value] : patch.tmt_secrets) plain->erase(name);
    }
    auto values = patch.values;
    if (const auto* plain = tmt_environment(values)) {
        for (const auto& [name, value] : plain->items()) all.tmt_secrets.erase(name);
    }
    force(all.values, values);
    for (const auto& [name, value] : patch.tmt_secrets) all.tmt_secrets[name] = value;
}

void join(EnvironmentPatch& all, const PatchBlock& block, const std::vector<std::string>& names) {
    if (block.all) join(all, *block.all);
    for (const auto& named : block.named) {
        const auto matches = [&](const std::string& name) { return named.name.matches(name); };
        if (std::any_of(names.begin(), names.end(), matches)) join(all, named.patch);
    }
}

Result<void> write_secrets(const std::map<std::string, EncryptedValue>& secrets, nlohmann::json& target,
                           const SecretWriter& write) {
    if (secrets.empty()) return {};
    if (!target.is_object()) target = nlohmann::json::object();
    for (const auto& [name, value] : secrets) {
        auto written = write(name, value);
        if (!written) return fail(written.error());
        target[name] = std::move(*written);
    }
    return {};
}

Result<void> patch_environment(nlohmann::json& environment, const EnvironmentPatch& patch, const SecretWriter& write) {
    force(environment, patch.values);
    auto written = write_secrets(patch.secrets, environment["secrets"], write);
    if (environment["secrets"].is_null()) environment.erase("secrets");
    if (!written || patch.tmt_secrets.empty()) return written;
    return write_secrets(patch.tmt_secrets, environment["tmt"]["environment"], write);
}

Result<std::vector<std::string>> names_of(const nlohmann::json& environment) {
    const auto name = environment.find("name");
    if (name == environment.end() || name->is_null()) return std::vector<std::string>{};
    if (!name->is_string()) return fail("the name of an environment is not a text");
    return std::vector<std::string>{name->get<std::string>()};
}

/// What a patch will go into must be a map, or nothing.
Result<void> check_environment(const nlohmann::json& environment) {
    if (!environment.is_object()) return fail("an environment of the request is not an object");
    for (const auto* key : {"variables", "secrets", "tmt"}) {
        const auto found = environment.find(key);
        if (found == environment.end() || found->is_null() || found->is_object()) continue;
        return fail(std::string("`") + key + "` of an environment of the request is not an object");
    }
    return {};
}

}  // namespace

void force(nlohmann::json& target, const nlohmann::json& patch) {
    if (!patch.is_object()) {
        target = patch;
        return;
    }
    if (!target.is_object()) target = nlohmann::json::object();
    for (const auto& [key, value] : patch.items()) force(target[key], value);
}

EnvironmentPatch patch_for(const RepositoryFile& file, const std::vector<std::string>& names,
                           const std::optional<std::string>& plan) {
    EnvironmentPatch all;
    join(all, file.environments, names);
    if (!plan) return all;
    for (const auto& block : file.plans) {
        if (block.plan.matches(*plan)) join(all, block.environments, names);
    }
    return all;
}

Result<nlohmann::json> keep_encrypted(const std::string& name, const EncryptedValue& value) {
    if (value.entries.empty()) return fail("the secret " + name + " is not encrypted: `secret check` says where");
    if (value.entries.size() == 1) return value.entries.front().text();
    auto list = nlohmann::json::array();
    for (const auto& entry : value.entries) list.push_back(entry.text());
    return list;
}

Result<nlohmann::json> patch_request(nlohmann::json request, const RepositoryFile& file,
                                     const std::optional<std::string>& plan, const SecretWriter& write) {
    if (!request.is_object()) return fail("the request is not an object");
    if (!file.test.is_null()) force(request["test"], file.test);
    if (!file.settings.is_null()) force(request["settings"], file.settings);
    const auto environments = request.find("environments");
    if (environments == request.end() || environments->is_null()) return request;
    if (!environments->is_array()) return fail("`environments` of the request is not a list");
    for (auto& environment : *environments) {
        if (auto checked = check_environment(environment); !checked) return fail(checked.error());
        const auto names = names_of(environment);
        if (!names) return fail(names.error());
        auto patched = patch_environment(environment, patch_for(file, *names, plan), write);
        if (!patched) return fail(patched.error());
    }
    return request;
}

}  // namespace trebuchet
