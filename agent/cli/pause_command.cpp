#include "agent/cli/pause_command.hpp"

#include "agent/cli/exit_codes.hpp"
#include "agent/cli/instance_command.hpp"
#include "agent/daemon/device_health.hpp"
#include "agent/daemon/host_pause.hpp"
#include "common/base/clock.hpp"
#include "common/base/system_text.hpp"
#include "common/base/text.hpp"

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <iostream>

#include <unistd.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

constexpr std::size_t longest_note = 500;
constexpr seconds longest_pause{std::chrono::hours(366 * 24)};

int refuse(const char* command, const Error& reason) {
    std::cerr << "trebuchet-agent " << command << ": " << reason.message() << '\n';
    return exit_usage;
}

void warn_unless_root(const char* command) {
    if (::geteuid() == 0) return;
    std::cerr << "warning: you are not root: the agent obeys " << command
              << " only if it runs as you, and its jobs as another user (trebuchet.phase_user)\n";
}

std::int64_t seconds_in(char unit) {
    switch (unit) {
        case 's':
            return 1;
        case 'm':
            return 60;
        case 'h':
            return 3600;
        case 'd':
            return 86400;
        default:
            return 0;
    }
}

/// The note as the server and terminals can show it: one line of UTF-8.
Result<std::string> one_line(const std::string& note) {
    if (note.size() > longest_note) {
        return fail("--note is longer than " + std::to_string(longest_note) + " bytes");
    }
    auto line = to_valid_utf8(note);
    for (char& c : line) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
    }
    return line;
}

Result<HostPause> pause_of(const PauseOptions& options) {
    auto note = one_line(options.note);
    if (!note) return fail(note.error());
    HostPause pause{std::move(*note), std::nullopt};
    if (options.duration.empty()) return pause;
    const auto duration = parse_duration(options.duration);
    if (!duration) return fail(duration.error().with_context("--for"));
    pause.until = std::chrono::time_point_cast<seconds>(SystemClock().wall_time()) + *duration;
    return pause;
}

}  // namespace

Result<seconds> parse_duration(std::string_view text) {
    const auto wrong = [&] {
        return fail("found " + trebuchet::quoted(text) + ", expected a time from 1s to 366d, such as 90s, 30m or 2h");
    };
    std::int64_t total = 0;
    auto rest = text;
    while (!rest.empty()) {
        std::int64_t number = 0;
        const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
        rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
        if (error != std::errc() || rest.empty() || number < 0 || number > longest_pause.count()) return wrong();
        const auto unit = seconds_in(rest.front());
        if (unit == 0) return wrong();
        total += number * unit;
        rest.remove_prefix(1);
        if (total > longest_pause.count()) return wrong();
    }
    if (total == 0) return wrong();
    return seconds(total);
}

Result<fs::path> state_folder_of(const AgentPlace& place) {
    if (place.name.empty() == place.state.empty()) {
        return fail("expected either the NAME of an instance or --state with the agent's state folder");
    }
    auto folder = place.state;
    if (!place.name.empty()) {
        if (auto good = check_instance_name(place.name); !good) return fail(good.error());
        folder = place.root / "var/lib/trebuchet" / place.name;
        const auto supervised = place.root / "var/lib/trebuchet-supervise" / place.name;
        if (std::error_code ignored; !fs::exists(folder, ignored) && fs::exists(supervised, ignored))
            folder = supervised;
    }
    std::error_code error;
    if (fs::is_directory(folder, error)) return folder;
    const auto reason = error ? system_text(error.value()) : "it is not a folder";
    return fail("there is no agent with the state folder " + folder.string() + ": " + reason +
                "; `trebuchet-agent instance list` prints the instances, and an agent makes the folder when it starts");
}

int pause_command(const PauseOptions& options) {
    const auto state = state_folder_of(options.place);
    if (!state) return refuse("pause", state.error());
    const auto pause = pause_of(options);
    if (!pause) return refuse("pause", pause.error());
    if (auto written = write_pause(*state, *pause); !written) return refuse("pause", written.error());
    std::cout << "the agent takes no more jobs "
              << (pause->until ? "until " + iso8601(*pause->until).substr(0, 16) + " UTC" : "until you resume it")
              << "; a running job goes on to its end\n";
    warn_unless_root("pause");
    return 0;
}

int resume_command(const AgentPlace& place) {
    const auto state = state_folder_of(place);
    if (!state) return refuse("resume", state.error());
    bool was_there = false;
    for (const auto* name : {pause_file, device_health_file}) {
        const auto file = *state / name;
        if (::unlink(file.c_str()) == 0) {
            was_there = true;
        } else if (errno != ENOENT) {
            return refuse("resume", Error("cannot remove " + file.string() + ": " + system_text(errno)));
        }
    }
    std::cout << (was_there ? "the agent takes jobs again, unless the server says otherwise\n"
                            : "the agent is not paused\n");
    return 0;
}

}  // namespace trebuchet
