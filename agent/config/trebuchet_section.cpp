#include "agent/config/trebuchet_section.hpp"

#include "agent/config/secrets_section.hpp"
#include "agent/config/section_reader.hpp"
#include "common/mask/credential_kind.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace trebuchet {
namespace {

/// Minimum of trebuchet.spool_limit in bytes.
constexpr std::int64_t least_spool = std::int64_t{1} << 20;
constexpr std::int64_t most_spool = std::int64_t{1} << 40;
/// Maximum of trebuchet.quarantine.
constexpr std::int64_t most_failures = 100;

/// Used for a missing section: a map without keys.
const YamlNode& no_section() {
    static const YamlNode none = [] {
        YamlNode node;
        node.kind = YamlKind::map;
        return node;
    }();
    return none;
}

void read_tls(const YamlNode& section, SectionNotes notes, TlsConfig& tls) {
    notes.prefix += "tls.";
    notes.section += "tls.";
    SectionReader reader(section, std::move(notes));
    reader.absolute_path("ca_file", tls.ca_file);
    reader.absolute_path("client_cert", tls.client_cert);
    reader.secret_file("client_key", tls.client_key);
    reader.refuse_unknown();
}

void read_tls_section(SectionReader& reader, const SectionNotes& notes, TlsConfig& tls) {
    const auto* section = reader.take_section("tls");
    const bool is_map = section != nullptr && section->kind == YamlKind::map;
    if (section != nullptr && !is_map) {
        reader.note("tls", section->expected("a map with ca_file, client_cert or client_key"));
    }
    read_tls(is_map ? *section : no_section(), notes, tls);
}

void read_list_of_phases(SectionReader& reader, std::vector<std::string>& phases) {
    static const std::vector<std::string> known{"setup",    "provision", "firmware_update", "test",
                                                "allocate", "reserve",   "cleanup"};
    const auto* node = reader.take("secret_phases");
    if (node == nullptr) return;
    if (node->kind != YamlKind::sequence) {
        reader.note("secret_phases", node->expected("a list of phases, such as [provision, test]"));
        return;
    }
    phases.clear();
    for (const auto& item : node->items) {
        const auto index = one_of(item, known);
        if (!index) {
            reader.note("secret_phases", index.error());
        } else {
            phases.push_back(known[*index]);
        }
    }
}

void read_secret_phases(SectionReader& reader, std::vector<std::string>& phases) {
    read_list_of_phases(reader, phases);
    reader.show("secret_phases", shown_list(phases));
}

void read_allow_secret_names(SectionReader& reader, std::vector<std::string>& names) {
    constexpr const char* key = "allow_secret_names";
    if (const auto* node = reader.take(key)) {
        if (node->kind != YamlKind::sequence) {
            reader.note(key, node->expected("a list of names of variables, such as [PYTHONPATH]"));
        } else {
            names.clear();
            for (const auto& item : node->items) {
                auto name = item.as_string().value_or("");
                if (is_variable_name(name)) {
                    names.push_back(std::move(name));
                } else {
                    reader.note(key, item.expected("the name of a variable, such as PYTHONPATH"));
                }
            }
        }
    }
    reader.show(key, shown_list(names));
}

/// All kinds of well-known credentials are masked, except those named here.
void read_list_of_credentials(SectionReader& reader, std::vector<std::string>& off) {
    const auto* node = reader.take("mask_credentials_off");
    if (node == nullptr) return;
    if (node->kind != YamlKind::sequence) {
        reader.note("mask_credentials_off", node->expected("a list of kinds, such as [jwt, aws]"));
        return;
    }
    off.clear();  // the other file's list
    const std::vector<std::string> known(credential_kind_names.begin(), credential_kind_names.end());
    for (const auto& item : node->items) {
        if (const auto index = one_of(item, known)) {
            off.push_back(known[*index]);
        } else {
            reader.note("mask_credentials_off", index.error());
        }
    }
}

void read_credentials_off(SectionReader& reader, std::vector<std::string>& off) {
    read_list_of_credentials(reader, off);
    reader.show("mask_credentials_off", shown_list(off));
}

std::string shown_seconds(std::chrono::milliseconds time) {
    auto text = std::to_string(time.count() / 1000);
    if (const auto rest = time.count() % 1000; rest > 0) text += "." + std::to_string(1000 + rest).substr(1);
    return text;
}

void read_grace(SectionReader& reader, const std::string& key, std::chrono::milliseconds& grace) {
    if (const auto* node = reader.take(key)) {
        const auto value = node->as_seconds();
        if (!value || *value > std::chrono::hours(1)) {
            reader.note(key, node->expected("a number of seconds from 0 to 3600"));
        } else {
            grace = *value;
        }
    }
    reader.show(key, shown_seconds(grace));
}

void read_login(SectionReader& reader, TrebuchetConfig& config) {
    reader.secret_file("secret_key_file", config.secret_key_file);
    if (const auto id = reader.non_empty_string("client_id")) {
        if (id->find_first_of(":\r\n") == std::string::npos) {
            config.client_id = *id;
        } else {
            reader.note("client_id",
                        reader.take("client_id")->expected("a name without colons, as HTTP logins need it"));
        }
    }
    reader.show("client_id", shown_value(config.client_id));
}

bool is_ip_address(const std::string& text) {
    std::array<unsigned char, sizeof(in6_addr)> parsed{};
    return ::inet_pton(AF_INET, text.c_str(), parsed.data()) == 1 ||
           ::inet_pton(AF_INET6, text.c_str(), parsed.data()) == 1;
}

void read_metrics_address(SectionReader& reader, std::string& address) {
    if (const auto text = reader.non_empty_string("metrics_address")) {
        if (is_ip_address(*text)) {
            address = *text;
        } else {
            reader.note(
                "metrics_address",
                reader.take("metrics_address")->expected("an IP address such as 127.0.0.1, or 0.0.0.0 for all"));
        }
    }
    reader.show("metrics_address", address);
}

void read_phase_user(SectionReader& reader, std::string& user) {
    if (const auto name = reader.non_empty_string("phase_user")) {
        if (name->find_first_of(":/\r\n") == std::string::npos) {
            user = *name;
        } else {
            reader.note("phase_user", reader.take("phase_user")->expected("the name of a user"));
        }
    }
    reader.show("phase_user", shown_value(user));
}

void read_command(SectionReader& reader, const std::string& key, std::string& command) {
    if (const auto text = reader.non_empty_string(key)) command = *text;
    reader.show(key, shown_value(command));
}

/// Reads a whole number into `value`, in units of `T`.
template <typename T>
void read_number(SectionReader& reader, const std::string& key, std::int64_t least, std::int64_t most, T& value) {
    if (const auto number = reader.whole_number(key, least, most)) value = static_cast<T>(*number);
    reader.show(key, std::to_string(value));
}

void read_limits(SectionReader& outer, SectionNotes notes, JobLimits& limits) {
    const auto* section = outer.take_section("limits");
    const bool is_map = section != nullptr && section->kind == YamlKind::map;
    if (section != nullptr && !is_map) outer.note("limits", section->expected("a map with memory or pids"));
    notes.prefix += "limits.";
    notes.section += "limits.";
    SectionReader reader(is_map ? *section : no_section(), std::move(notes));
    read_number(reader, "memory", 0, std::int64_t{1} << 50, limits.memory);
    read_number(reader, "pids", 0, std::int64_t{1} << 22, limits.pids);
    reader.refuse_unknown();
}

void read_days(SectionReader& reader, const char* key, std::chrono::hours& time) {
    auto days = time.count() / 24;
    read_number(reader, key, 0, 3650, days);
    time = std::chrono::hours(24 * days);
}

}  // namespace

void read_trebuchet_section(const YamlNode& section, const std::string& file, const std::string& prefix,
                            TrebuchetConfig& config, std::vector<ConfigProblem>& problems,
                            EffectiveSettings& settings) {
    if (section.kind != YamlKind::map && section.kind != YamlKind::null) {
        const auto problem = section.expected("a map of Trebuchet's own settings");
        problems.push_back({file, problem.at.line, problem.at.column, problem.text});
        return;
    }
    const SectionNotes notes{file, prefix, "trebuchet.", problems, settings};
    SectionReader reader(section.kind == YamlKind::map ? section : no_section(), notes);
    read_tls_section(reader, notes, config.tls);
    read_number(reader, "mask_min_length", 1, 64, config.mask.min_length);
    reader.choice("mask_hash", {{"keyed", MaskHash::keyed}, {"sha256", MaskHash::sha256}}, config.mask.hash);
    read_phase_user(reader, config.phase_user);
    reader.choice("job_home", {{"keep", JobHome::keep}, {"fresh", JobHome::fresh}}, config.job_home);
    reader.choice("job_file_secrets", {{"tmpfs", JobFileSecrets::tmpfs}, {"none", JobFileSecrets::none}},
                  config.job_file_secrets);
    reader.choice("artifacts_masking",
                  {{"mask", ArtifactsMasking::mask},
                   {"withhold", ArtifactsMasking::withhold},
                   {"fail", ArtifactsMasking::fail},
                   {"off", ArtifactsMasking::off}},
                  config.artifacts_masking);
    read_credentials_off(reader, config.mask_credentials_off);
    read_secret_phases(reader, config.secret_phases);
    read_allow_secret_names(reader, config.allow_secret_names);
    read_grace(reader, "kill_grace", config.kill_grace);
    read_grace(reader, "stop_grace", config.stop_grace);
    reader.choice("drain", {{"stop", Drain::stop}, {"finish", Drain::finish}}, config.drain);
    reader.choice("cleanup_failure", {{"ignore", CleanupFailure::ignore}, {"offline", CleanupFailure::offline}},
                  config.cleanup_failure);
    read_number(reader, "quarantine", 0, most_failures, config.quarantine);
    read_limits(reader, notes, config.limits);
    read_number(reader, "min_free_disk", 0, std::int64_t{1} << 50, config.min_free_disk);
    read_number(reader, "spool_limit", least_spool, most_spool, config.spool.limit);
    reader.choice("spool_full", {{"wait", SpoolFull::wait}, {"cut", SpoolFull::cut}}, config.spool.when_full);
    read_days(reader, "keep_results", config.keep_results);
    read_days(reader, "token_lifetime", config.token_lifetime);
    read_login(reader, config);
    read_metrics_address(reader, config.metrics_address);
    read_number(reader, "metrics_port", 0, 65535, config.metrics_port);
    reader.absolute_path("status_dir", config.status_dir);
    reader.choice("status_page", {{"loopback", false}, {"all", true}}, config.status_page_for_all);
    reader.choice("log_format", {{"text", false}, {"json", true}}, config.log_json);
    read_command(reader, "console_command", config.console_command);
    read_command(reader, "output_timeout_command", config.output_timeout_command);
    read_secrets_section(reader, notes, config.secrets);
    reader.refuse_unknown();
}

}  // namespace trebuchet
