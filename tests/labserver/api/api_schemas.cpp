#include "tests/labserver/api/api_schemas.hpp"

#include "tests/labserver/api/provision_schema.hpp"

#include <algorithm>

namespace trebuchet::labserver::schemas {
namespace {

using enum Presence;

Json wrong(std::string sentence) {
    return Json::array({std::move(sentence)});
}

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool is_variable_name(std::string_view name) {
    return !name.empty() && !(name[0] >= '0' && name[0] <= '9') && std::all_of(name.begin(), name.end(), is_word);
}

bool is_secret_reference(std::string_view path) {
    return !path.empty() &&
           std::all_of(path.begin(), path.end(), [](char c) { return is_word(c) || c == '-' || c == '/'; });
}

bool is_ssh_key_reference(std::string_view key) {
    return key.size() > 3 && (key.starts_with("lp:") || key.starts_with("gh:")) &&
           key.find_first_of(" \t\r\n\f\v") == std::string_view::npos;
}

std::vector<std::string> phase_names() {
    return {phases.begin(), phases.end()};
}

Json ephemeral_or_expiring(const Json& secret) {
    const auto expiry = secret.find("expire_after");
    const bool expires = expiry != secret.end() && !expiry->is_null();
    return secret.value("ephemeral", false) && expires ? wrong("A secret is either ephemeral or expires.") : Json();
}

bool is_image_name(const std::string& name) {
    return !name.empty() && name[0] != '$' && name.find('.') == std::string::npos &&
           name.find('\0') == std::string::npos;
}

Json check_images(const Json& queues) {
    for (const auto& [queue, offered] : queues.items()) {
        if (queue.empty()) return wrong("A queue's name must not be empty.");
        if (!offered.is_object()) return wrong("The images of queue '" + queue + "' must be an object.");
        for (const auto& [name, data] : offered.items()) {
            if (!is_image_name(name)) return wrong("Image name '" + name + "' is empty, starts with '$' or has a dot.");
            if (!data.is_string()) return wrong("The provision data of image '" + name + "' must be a string.");
        }
    }
    return {};
}

Json check_queues(const Json& queues) {
    for (const auto& [queue, description] : queues.items()) {
        if (queue.empty()) return wrong("A queue's name must not be empty.");
        if (!description.is_string()) return wrong("The description of queue '" + queue + "' must be a string.");
    }
    return {};
}

/// Any object that passes `check`. An error is about the object as a whole.
Check any_object(Json (*check)(const Json&)) {
    return [check](Json& value) {
        auto error = value.is_object() ? check(value) : wrong("Invalid input type.");
        return error.is_null() ? Json() : Json{{"_schema", std::move(error)}};
    };
}

Check test_data() {
    return object({{"test_cmds", text()},
                   {"attachments", list_of(attachment())},
                   {"test_username", text()},
                   {"test_password", text()},
                   {"secrets", mapping(text_matching(is_variable_name), text_matching(is_secret_reference))}});
}

Check reserve_data() {
    return object({{"ssh_keys", list_of(text_matching(is_ssh_key_reference))},
                   {"timeout", duration(), optional, Null::accepted}});
}

}  // namespace

Check job() {
    return object({{"job_id", text()},
                   {"parent_job_id", text()},
                   {"name", text()},
                   {"tags", list_of(text())},
                   {"job_queue", text(1), required},
                   {"global_timeout", integer()},
                   {"output_timeout", integer()},
                   {"allocation_timeout", integer()},
                   {"provision_data", provision_data(), optional, Null::accepted},
                   {"firmware_update_data", mapping()},
                   {"test_data", test_data()},
                   {"allocate_data", mapping()},
                   {"reserve_data", reserve_data()},
                   {"job_status_webhook", text()},
                   {"job_priority", integer()},
                   {"exclude_agents", list_of(text()), optional, Null::refused, Json::array()},
                   {"debug", boolean()}});
}

Check job_search() {
    auto state = one_of({"setup", "provision", "firmware_update", "test", "allocate", "allocated", "reserve", "cleanup",
                         "cancelled", "completed", "active"});
    return object({{"tags", list_of(text())}, {"match", one_of({"any", "all"})}, {"state", list_of(std::move(state))}});
}

Check action() {
    return object({{"action", one_of({"cancel"}), required}});
}

Check events() {
    auto event = object({{"event_name", text(), required}, {"timestamp", text(), required}, {"detail", text()}});
    return object({{"agent_id", text()},
                   {"job_queue", text()},
                   {"job_status_webhook", url(), required},
                   {"events", list_of(std::move(event))}});
}

Check result() {
    return object(
        {{"status", mapping(one_of(phase_names()), integer())}, {"device_info", mapping()}, {"job_state", text()}});
}

Check log_fragment() {
    return object({{"fragment_number", integer(), required},
                   {"timestamp", timestamp(), required},
                   {"phase", one_of(phase_names()), required},
                   {"log_data", text(), required}});
}

Check log_query() {
    return object({{"start_fragment", integer(0)}, {"start_timestamp", timestamp()}, {"phase", one_of(phase_names())}});
}

Check agent() {
    return object({{"identifier", text()},
                   {"job_id", text()},
                   {"location", text()},
                   {"log", list_of(text())},
                   {"provision_type", text()},
                   {"queues", list_of(text())},
                   {"state", text()},
                   {"comment", text()}});
}

Check provision_log() {
    return object({{"job_id", text(), required}, {"exit_code", integer(), required}, {"detail", text()}});
}

Check queues() {
    return any_object(check_queues);
}

Check images() {
    return any_object(check_images);
}

Check secret() {
    return object({{"value", text(1), required},
                   {"expire_after", integer(1), optional, Null::accepted},
                   {"ephemeral", boolean(), optional, Null::refused, false}},
                  ephemeral_or_expiring);
}

Check refresh_token() {
    return object({{"refresh_token", text(1), required}});
}

Check restricted_queue() {
    return object({{"client_id", text(), required}});
}

Check client() {
    return object(
        {{"secret_key", text(1), required},
         {"role", one_of({"admin", "manager", "contributor", "agent"}), optional, Null::refused, "contributor"},
         {"max_priority", mapping({}, integer()), optional, Null::refused, Json::object()},
         {"max_reservation_time", mapping({}, integer()), optional, Null::refused, Json::object()},
         {"allowed_queues", list_of(text()), optional, Null::refused, Json::array()}});
}

}  // namespace trebuchet::labserver::schemas
