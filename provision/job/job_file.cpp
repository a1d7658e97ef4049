#include "provision/job/job_file.hpp"

#include "common/base/text.hpp"
#include "common/file/regular_file.hpp"
#include "common/file/safe_file.hpp"
#include "provision/job/duration.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <utility>

namespace trebuchet {
namespace {

/// Entries of a list such as `disks`.
constexpr std::size_t most_records = 500;

std::string to_text(const SecretJson& value) {
    const auto& text = value.get_ref<const WipedString&>();
    return {text.data(), text.size()};
}

bool is_variable_name(std::string_view name) {
    const auto is_word = [](char c) { return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0; };
    return !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
           std::all_of(name.begin(), name.end(), is_word);
}

bool has_nul(std::string_view text) {
    return text.find('\0') != std::string_view::npos;
}

/// The `attachments` of a job's phases. What is malformed is left to the server to refuse.
std::vector<JobFile::ChildJob::Attachment> attachments_of(const SecretJson& job) {
    std::vector<JobFile::ChildJob::Attachment> found;
    for (const auto* phase : {"provision", "firmware_update", "test"}) {
        const auto data = job.find((std::string(phase) + "_data").c_str());
        if (data == job.end() || !data->is_object()) continue;
        const auto list = data->find("attachments");
        if (list == data->end() || !list->is_array()) continue;
        for (const auto& attachment : *list) {
            if (!attachment.is_object()) continue;
            const auto name = attachment.find("agent");
            if (name != attachment.end() && name->is_string()) found.push_back({phase, to_text(*name)});
        }
    }
    return found;
}

}  // namespace

Result<JobFile> JobFile::load(const std::filesystem::path& path) {
    if (const auto file = open_regular_file(path); !file) return fail(file.error());
    const auto text = read_secret_file(path, max_bytes);
    if (!text) return fail(text.error());
    return parse(text->reveal(), path.string());
}

Result<JobFile> JobFile::parse(std::string_view text, std::string file) {
    auto root = parse_secret_json(text, file);
    if (!root) return fail(root.error().message() + "; expected the job as the agent wrote it");
    if (!root->is_object()) {
        return fail(file + ": found " + std::string(kind_of(*root)) + ", expected the job as an object");
    }
    return JobFile(std::move(*root), std::move(file));
}

std::string JobFile::id() const {
    const auto id = root_.find("job_id");
    return id != root_.end() && id->is_string() ? to_text(*id) : "<job_id>";
}

WipedString JobFile::provision_data_text() const {
    const auto data = root_.find("provision_data");
    if (data == root_.end() || data->is_null()) return "{}";
    return data->dump(2, ' ', false, SecretJson::error_handler_t::replace);
}

Result<std::optional<SecretString>> JobFile::secret(const char* phase_data, const char* name) const {
    const auto value = field(phase_data, name);
    if (!value) return fail(value.error());
    if (*value == nullptr) return std::optional<SecretString>();
    const auto where = std::string(phase_data) + "." + name;
    if (!(*value)->is_string()) return unexpected(where, **value, "text");
    const auto& text = (*value)->get_ref<const WipedString&>();
    if (has_nul(text)) return fail(file_ + ": " + where + ": contains a NUL character");
    return std::optional<SecretString>(SecretString(text));
}

Result<std::optional<SecretString>> JobFile::provision_secret(const char* name) const {
    return secret("provision_data", name);
}

Result<std::optional<std::string>> JobFile::text(const char* phase_data, const char* name) const {
    const auto value = secret(phase_data, name);
    if (!value) return fail(value.error());
    if (!*value) return std::optional<std::string>();
    return std::optional<std::string>((*value)->reveal());
}

Result<bool> JobFile::flag(const char* phase_data, const char* name, bool fallback) const {
    const auto value = field(phase_data, name);
    if (!value) return fail(value.error());
    if (*value == nullptr) return fallback;
    if (!(*value)->is_boolean()) {
        return unexpected(std::string(phase_data) + "." + name, **value, "true or false");
    }
    return (*value)->get<bool>();
}

Result<std::optional<std::string>> JobFile::provision_text(const char* name) const {
    return text("provision_data", name);
}

Result<const SecretJson*> JobFile::provision_value(const char* name) const {
    return field("provision_data", name);
}

Result<SecretJson> JobFile::provision_data() const {
    const auto data = root_.find("provision_data");
    if (data == root_.end() || data->is_null()) return SecretJson::object();
    if (!data->is_object()) return unexpected("provision_data", *data, "an object");
    return *data;
}

Result<bool> JobFile::provision_flag(const char* name, bool fallback) const {
    return flag("provision_data", name, fallback);
}

Result<std::optional<JobFile::Records>> JobFile::provision_records(const char* name) const {
    const auto value = field("provision_data", name);
    if (!value) return fail(value.error());
    if (*value == nullptr) return std::optional<Records>();
    const auto where = std::string("provision_data.") + name;
    if (!(*value)->is_array()) return unexpected(where, **value, "a list of names and values");
    if ((*value)->size() > most_records) {
        return fail(file_ + ": " + where + ": found " + std::to_string((*value)->size()) +
                    " entries, expected at most " + std::to_string(most_records));
    }
    Records records;
    for (const auto& item : **value) {
        const auto item_name = where + "[" + std::to_string(records.size()) + "]";
        if (!item.is_object()) return unexpected(item_name, item, "names and values");
        auto& record = records.emplace_back();
        for (auto entry = item.begin(); entry != item.end(); ++entry) {
            const std::string key(entry.key().data(), entry.key().size());
            const auto& found = entry.value();
            if (found.is_null()) continue;
            if (found.is_structured())
                return unexpected(item_name + "." + trebuchet::quoted(key), found, "text or a number");
            const auto text = found.is_string() ? found.get_ref<const WipedString&>() : found.dump();
            if (has_nul(text))
                return fail(file_ + ": " + item_name + "." + trebuchet::quoted(key) + ": holds a NUL character");
            record[key] = std::string(text.data(), text.size());
        }
    }
    return std::optional<Records>(std::move(records));
}

Result<std::optional<std::chrono::seconds>> JobFile::allocation_timeout() const {
    const auto value = root_.find("allocation_timeout");
    if (value == root_.end() || value->is_null()) return std::optional<std::chrono::seconds>();
    if (!value->is_string() && !value->is_number_integer()) {
        return unexpected("allocation_timeout", *value, "a number of seconds");
    }
    const auto parsed = parse_duration(value->is_string() ? to_text(*value) : std::string(value->dump()));
    if (!parsed) return fail(parsed.error().with_context(file_ + ": allocation_timeout"));
    return std::optional<std::chrono::seconds>(*parsed);
}

Result<std::vector<JobFile::ChildJob>> JobFile::child_jobs(std::size_t& skipped) const {
    const auto value = field("provision_data", "jobs");
    if (!value) return fail(value.error());
    if (*value == nullptr || !(*value)->is_array() || (*value)->empty()) {
        return fail("You must specify a list of 'jobs' in the 'provision_data' section of your job.");
    }
    std::vector<ChildJob> children;
    skipped = 0;
    for (const auto& entry : **value) {
        if (!entry.is_object()) {
            ++skipped;
            continue;
        }
        ChildJob child;
        child.attachments = attachments_of(entry);
        auto job = entry;
        job["allocate_data"] = SecretJson{{"allocate", true}};
        if (const auto id = root_.find("job_id"); id != root_.end()) job["parent_job_id"] = *id;
        child.text = job.dump(-1, ' ', false, SecretJson::error_handler_t::replace);
        children.push_back(std::move(child));
    }
    return children;
}

bool JobFile::is_debug() const {
    const auto debug = root_.find("debug");
    return debug != root_.end() && debug->is_boolean() && debug->get<bool>();
}

Result<std::optional<std::string>> JobFile::firmware_version() const {
    return text("firmware_update_data", "version");
}

Result<bool> JobFile::ignores_firmware_failure() const {
    return flag("firmware_update_data", "ignore_failure", false);
}

Result<std::optional<SecretString>> JobFile::test_password() const {
    return secret("test_data", "test_password");
}

Result<TestCommands> JobFile::test_commands() const {
    const auto value = field("test_data", "test_cmds");
    if (!value) return fail(value.error());
    if (*value == nullptr) return TestCommands{};
    const auto& commands = **value;
    if (commands.is_string()) return TestCommands(to_text(commands));
    if (!commands.is_array()) return unexpected("test_data.test_cmds", commands, "a list of commands, or a script");
    std::vector<std::string> list;
    for (const auto& command : commands) {
        const auto item = "test_data.test_cmds[" + std::to_string(list.size()) + "]";
        if (!command.is_string()) return unexpected(item, command, "a command as text");
        list.push_back(to_text(command));
        if (has_nul(list.back()))
            return fail(file_ + ": " + item + ": contains a NUL character, which a command cannot contain");
    }
    return TestCommands(std::move(list));
}

bool JobFile::has_test_username() const {
    const auto value = field("test_data", "test_username");
    return value && *value != nullptr;
}

Result<std::string> JobFile::test_username() const {
    const auto value = field("test_data", "test_username");
    if (!value) return fail(value.error());
    if (*value == nullptr) return "ubuntu";
    if (!(*value)->is_string()) return unexpected("test_data.test_username", **value, "a user's name");
    auto name = to_text(**value);
    // A leading "-" would be an option of ssh.
    if (name.empty() || name.front() == '-' || has_nul(name)) {
        return fail(file_ + ": test_data.test_username: found " + trebuchet::quoted(name) + ", expected a user's name");
    }
    return name;
}

Result<JobSecrets> JobFile::test_secrets() const {
    const auto value = field("test_data", "secrets");
    if (!value) return fail(value.error());
    JobSecrets secrets;
    if (*value == nullptr) return secrets;
    if (!(*value)->is_object()) return unexpected("test_data.secrets", **value, "an object of environment variables");
    for (auto entry = (*value)->begin(); entry != (*value)->end(); ++entry) {
        const std::string name(entry.key().data(), entry.key().size());
        const auto& secret = entry.value();
        if (!is_variable_name(name)) {
            return fail(file_ + ": test_data.secrets: found the name " + trebuchet::quoted(name) +
                        ", expected letters, digits and underscores, not starting with a digit");
        }
        const auto where = "test_data.secrets." + name;
        if (secret.is_null()) {
            secrets[name] = std::nullopt;
        } else if (!secret.is_string()) {
            return unexpected(where, secret, "text or null");
        } else if (const auto& text = secret.get_ref<const WipedString&>(); has_nul(text)) {
            return fail(file_ + ": " + where +
                        ": contains a NUL character, which an environment variable cannot contain");
        } else {
            secrets[name] = SecretString(text);
        }
    }
    return secrets;
}

Result<ReserveData> JobFile::reserve_data() const {
    ReserveData data;
    const auto keys = field("reserve_data", "ssh_keys");
    if (!keys) return fail(keys.error());
    if (*keys != nullptr) {
        if (!(*keys)->is_array()) return unexpected("reserve_data.ssh_keys", **keys, "a list of names or public keys");
        for (const auto& key : **keys) {
            if (key.is_string()) {
                data.ssh_keys.push_back(to_text(key));
            } else {
                const auto text = key.dump(-1, ' ', false, SecretJson::error_handler_t::replace);
                data.unusable_keys.emplace_back(text.data(), text.size());
            }
        }
    }
    const auto timeout = field("reserve_data", "timeout");
    if (!timeout) return fail(timeout.error());
    if (*timeout != nullptr) {
        const auto& value = **timeout;
        if (!value.is_string() && !value.is_number()) return unexpected("reserve_data.timeout", value, "seconds");
        auto text = value.is_string() ? to_text(value) : std::string(value.dump());
        if (value.is_number_float()) text = std::to_string(std::llround(std::clamp(value.get<double>(), -1.0, 1e12)));
        const auto parsed = parse_duration(text);
        if (!parsed) return fail(parsed.error().with_context(file_ + ": reserve_data.timeout"));
        data.timeout = *parsed;
    }
    return data;
}

Result<const SecretJson*> JobFile::field(const char* phase_data, const char* name) const {
    const auto data = root_.find(phase_data);
    if (data == root_.end() || data->is_null()) return nullptr;
    if (!data->is_object()) return unexpected(phase_data, *data, "an object");
    const auto value = data->find(name);
    return value == data->end() || value->is_null() ? nullptr : &*value;
}

tl::unexpected<Error> JobFile::unexpected(const std::string& field, const SecretJson& found,
                                          std::string_view expected) const {
    return fail(file_ + ": " + field + ": found " + std::string(kind_of(found)) + ", expected " +
                std::string(expected));
}

}  // namespace trebuchet
