#include "agent/config/trebuchet_section.hpp"

#include "agent/config/section_reader.hpp"
#include "common/mask/credential_kind.hpp"

#include <array>
#include <chrono>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace trebuchet {
namespace {

/// Bytes of trebuchet.spool_limit.
constexpr std::int64_t least_spool = std::int64_t{1} << 20;
constexpr std::int64_t most_spool = std::int64_t{1} << 40;

void read_tls(const YamlNode& section, const std::string& file, const std::string& prefix, TlsConfig& tls,
              std::vector<ConfigProblem>& problems) {
    SectionReader reader(section, file, prefix, problems);
    if (auto path = reader.absolute_path("ca_file")) tls.ca_file = std::move(*path);
    if (auto path = reader.absolute_path("client_cert")) tls.client_cert = std::move(*path);
    if (auto path = reader.absolute_path("client_key")) tls.client_key = std::move(*path);
    reader.refuse_unknown();
}

void read_secret_phases(SectionReader& reader, std::vector<std::string>& phases) {
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

/// Well-known credentials are masked unless they are named here.
void read_credentials_off(SectionReader& reader, std::vector<std::string>& off) {
    const auto* node = reader.take("mask_credentials_off");
    if (node == nullptr) return;
    if (node->kind != YamlKind::sequence) {
        reader.note("mask_credentials_off", node->expected("a list of kinds, such as [jwt, aws]"));
        return;
    }
    const std::vector<std::string> known(credential_kind_names.begin(), credential_kind_names.end());
    for (const auto& item : node->items) {
        if (const auto index = one_of(item, known)) {
            off.push_back(known[*index]);
        } else {
            reader.note("mask_credentials_off", index.error());
        }
    }
}

void read_grace(SectionReader& reader, const std::string& key, std::chrono::milliseconds& grace) {
    const auto* node = reader.take(key);
    if (node == nullptr) return;
    const auto value = node->as_seconds();
    if (!value || *value > std::chrono::hours(1)) {
        reader.note(key, node->expected("a number of seconds from 0 to 3600"));
    } else {
        grace = *value;
    }
}

void read_login(SectionReader& reader, TrebuchetConfig& config) {
    if (auto path = reader.absolute_path("secret_key_file")) config.secret_key_file = std::move(*path);
    const auto id = reader.non_empty_string("client_id");
    if (!id) return;
    if (id->find_first_of(":\r\n") == std::string::npos) {
        config.client_id = *id;
    } else {
        reader.note("client_id", reader.take("client_id")->expected("a name without colons, as HTTP logins want it"));
    }
}

void read_metrics_address(SectionReader& reader, std::string& address) {
    const auto text = reader.non_empty_string("metrics_address");
    if (!text) return;
    std::array<unsigned char, sizeof(in6_addr)> parsed{};
    if (::inet_pton(AF_INET, text->c_str(), parsed.data()) == 1 ||
        ::inet_pton(AF_INET6, text->c_str(), parsed.data()) == 1) {
        address = *text;
    } else {
        reader.note("metrics_address",
                    reader.take("metrics_address")->expected("an IP address such as 127.0.0.1, or 0.0.0.0 for all"));
    }
}

}  // namespace

void read_trebuchet_section(const YamlNode& section, const std::string& file, const std::string& prefix,
                            TrebuchetConfig& config, std::vector<ConfigProblem>& problems) {
    if (section.kind == YamlKind::null) return;
    SectionReader reader(section, file, prefix, problems);
    if (section.kind != YamlKind::map) {
        const auto problem = section.expected("a map of Trebuchet's own settings");
        problems.push_back({file, problem.at.line, problem.at.column, problem.text});
        return;
    }
    if (const auto* tls = reader.take("tls")) {
        if (tls->kind == YamlKind::map) {
            read_tls(*tls, file, prefix + "tls.", config.tls, problems);
        } else {
            reader.note("tls", tls->expected("a map with ca_file, client_cert or client_key"));
        }
    }
    if (const auto length = reader.whole_number("mask_min_length", 1, 64)) {
        config.mask.min_length = static_cast<std::size_t>(*length);
    }
    if (const auto index = reader.choice("mask_hash", {"keyed", "sha256"})) {
        config.mask.hash = std::array{MaskHash::keyed, MaskHash::sha256}.at(*index);
    }
    if (const auto index = reader.choice("job_file_secrets", {"tmpfs", "none"})) {
        config.job_file_secrets = std::array{JobFileSecrets::tmpfs, JobFileSecrets::none}.at(*index);
    }
    if (const auto index = reader.choice("artifacts_masking", {"mask", "withhold", "fail", "off"})) {
        config.artifacts_masking = std::array{ArtifactsMasking::mask, ArtifactsMasking::withhold,
                                              ArtifactsMasking::fail, ArtifactsMasking::off}
                                       .at(*index);
    }
    read_credentials_off(reader, config.mask_credentials_off);
    read_secret_phases(reader, config.secret_phases);
    read_grace(reader, "kill_grace", config.kill_grace);
    read_grace(reader, "stop_grace", config.stop_grace);
    if (const auto index = reader.choice("drain", {"stop", "finish"})) {
        config.drain = std::array{Drain::stop, Drain::finish}.at(*index);
    }
    if (const auto bytes = reader.whole_number("min_free_disk", 0, std::int64_t{1} << 50)) {
        config.min_free_disk = static_cast<std::uint64_t>(*bytes);
    }
    if (const auto bytes = reader.whole_number("spool_limit", least_spool, most_spool)) {
        config.spool.limit = static_cast<std::uint64_t>(*bytes);
    }
    if (const auto index = reader.choice("spool_full", {"wait", "cut"})) {
        config.spool.when_full = std::array{SpoolFull::wait, SpoolFull::cut}.at(*index);
    }
    if (const auto days = reader.whole_number("keep_results", 0, 3650)) {
        config.keep_results = std::chrono::hours(24 * *days);
    }
    read_login(reader, config);
    read_metrics_address(reader, config.metrics_address);
    reader.refuse_unknown();
}

}  // namespace trebuchet
