#include "provision/job/job_file.hpp"

#include "common/base/text.hpp"
#include "common/file/safe_file.hpp"
#include "provision/job/duration.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <utility>

namespace trebuchet {
namespace {

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

}  // namespace

Result<JobFile> JobFile::load(const std::filesystem::path& path) {
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

Result<bool> JobFile::provision_flag(const char* name, bool fallback) const {
    return flag("provision_data", name, fallback);
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
            // "" is invalid, so that reserve logs and skips it.
            data.ssh_keys.push_back(key.is_string() ? to_text(key) : std::string());
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
