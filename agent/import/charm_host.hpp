#pragma once

#include "agent/config/config.hpp"
#include "agent/import/phase_script.hpp"
#include "common/base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace trebuchet {

/// An agent of the Python kind, as supervisord runs it.
struct CharmAgent {
    std::string program;                ///< its name in supervisord
    std::filesystem::path conf_file;    ///< of supervisord, on the host
    std::filesystem::path config;       ///< its testflinger-agent.conf, on the host, absolute
    std::optional<std::uint16_t> port;  ///< of its metrics
    std::filesystem::path token_file;   ///< "": the default
    std::string user;                   ///< "": root
    std::map<std::string, std::string> environment;
    std::optional<Config> loaded;  ///< nothing: `problem` says why
    std::string problem;
    std::set<std::filesystem::path> own_folders{};  ///< for runs, logs and results that its configuration names
    std::set<std::string> unexpanded{};             ///< variables with an expansion of supervisord: %(NAME)s

    [[nodiscard]] std::filesystem::path folder() const { return config.parent_path(); }
};

/// A result that the Python agent could not deliver.
struct LeftResult {
    std::filesystem::path folder;  ///< on the host
    std::string agent_id;          ///< whose queue its job had; "": nobody's here
    bool has_list = false;         ///< its folder has a list of adopted results
};

/// A host that Testflinger's charm has set up: see tests/testdata/samplehost for an example.
struct CharmHost {
    std::vector<CharmAgent> agents;                     ///< by name of the program
    std::map<std::string, std::string> other_programs;  ///< of supervisord: name → file
    std::map<std::string, std::string> not_started;     ///< agents with autostart=false: name → file
    std::map<std::string, std::string> instances;       ///< agent_id → NAME of trebuchet-agent@NAME
    std::vector<std::string> shared_files;              ///< files of supervisord with agents and other programs
    std::filesystem::path tree;                         ///< the folder of the agents' folders; "": they have several
    std::vector<std::string> extra_folders;             ///< of the tree: configurations that no program runs
    std::vector<std::string> siblings;                  ///< further trees beside it
    std::vector<PhaseScript> scripts;                   ///< /usr/local/bin/tf-*
    std::vector<LeftResult> results;
    std::vector<std::string> second_names;     ///< links in the tree to its folders
    std::vector<std::string> missing_folders;  ///< that configurations name, outside of /tmp
    bool has_docker_group = false;
};

/// Reads it; changes nothing. `root`: "/", or where the host's file system is. Fails if supervisord's configuration
/// cannot be read, or runs no agent.
[[nodiscard]] Result<CharmHost> read_charm_host(const std::filesystem::path& root);

/// Programs whose agent runs now, as the host's /proc shows.
[[nodiscard]] std::vector<std::string> running_programs(const CharmHost& host, const std::filesystem::path& root);

}  // namespace trebuchet
