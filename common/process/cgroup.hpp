#pragma once

#include "common/file/safe_file.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace trebuchet {

/// A control group of version 2 (cgroups(7)) below the one that this program was started in: what is put there, and all
/// that descends from it, can be killed in one step, whoever its parent and its user are. A process of our user can
/// move itself out of it.
class Cgroup {
  public:
    /// `name`: relative, such as "trebuchet-job-ID/test"; what is missing of it is made. Nothing where the host does
    /// not let us, such as under systemd without Delegate=yes.
    static std::optional<Cgroup> make(const std::string& name);
    /// One that is there.
    static std::optional<Cgroup> find(const std::string& name);

    /// Whether make() can succeed.
    [[nodiscard]] static bool is_available();

    /// Its folder, as a descriptor.
    [[nodiscard]] int folder() const { return folder_.get(); }
    /// KILL to every process in it and below it.
    void kill() const;
    /// Of the processes in it and below it, some; as many as one look finds.
    [[nodiscard]] std::vector<pid_t> processes() const;
    /// Whether a process, not counting zombies, is in it or below it.
    [[nodiscard]] bool is_populated() const;
    /// Of all processes that ever were in it.
    [[nodiscard]] std::optional<std::chrono::microseconds> cpu_time() const;
    /// Removes it with all groups below it, and then those above it that this leaves empty. False if a process is in
    /// it.
    bool remove();

  private:
    Cgroup(std::filesystem::path path, std::filesystem::path own, FileDescriptor folder)
        : path_(std::move(path)), own_(std::move(own)), folder_(std::move(folder)) {}

    std::filesystem::path path_;
    std::filesystem::path own_;  ///< this program's: where removing stops
    FileDescriptor folder_;
};

/// The folder of the cgroup that a process is in, out of its /proc/PID/cgroup and /proc/PID/mountinfo; "" if it is in
/// none of version 2 or no mount shows it.
[[nodiscard]] std::filesystem::path cgroup_folder(std::string_view cgroup, std::string_view mountinfo);

}  // namespace trebuchet
