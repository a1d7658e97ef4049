#include "agent/job/job.hpp"
#include "common/base/text.hpp"
#include "tests/fuzz/require.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

using trebuchet::require;

namespace {

using nlohmann::json;

bool is_id(std::string_view text) {
    return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '_';
    });
}

bool is_environment_name(std::string_view text) {
    return !text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) == 0 &&
           std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

void require_one_clean_line(const std::string& message) {
    require(message.find_first_of(std::string_view("\n\r\0\x1b", 4)) == std::string::npos,
            "a message is one line without control characters");
    require(trebuchet::to_valid_utf8(message) == message, "a message is UTF-8");
}

json stripped(std::string_view document) {
    auto job = json::parse(document);
    for (const auto phase : trebuchet::all_phases) {
        const auto phase_data = job.find(std::string(trebuchet::name_of(phase)) + "_data");
        if (phase_data == job.end() || phase_data->is_null()) continue;
        phase_data->erase("secrets");
    }
    return job;
}

}  // namespace

/// Any text is read as a job or refused. A job keeps the contracts of job.hpp.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(data, data + size);
    const auto id = trebuchet::job_id_of(text);
    require(id.empty() || is_id(id), "an id is valid or empty");

    const auto job = trebuchet::parse_job(text);
    if (!job) {
        require_one_clean_line(job.error().message());
        return 0;
    }
    require(is_id(job->id) && job->id == id, "both readers find the same id");
    require(stripped(job->document) == stripped(text), "the document is unchanged but for its secrets");
    require(job->secrets().empty() != job->has_secrets(), "has_secrets says whether there are secrets");
    for (const auto* timeout : {&job->global_timeout, &job->output_timeout}) {
        require(!*timeout || (*timeout)->count() >= 0, "a timeout is not negative");
    }
    for (const auto& secret : job->secrets()) {
        require(is_environment_name(secret.name), "a secret's name is valid in an environment");
        require(secret.value.reveal().find('\0') == std::string_view::npos,
                "a secret's value is valid in an environment");
    }

    require(json::parse(job->public_document) == stripped(text),
            "the public document lacks the secrets and nothing else");
    return 0;
}
