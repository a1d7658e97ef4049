#include "common/repository_file/encrypted_entry.hpp"
#include "common/sealed_value/key_folder.hpp"
#include "common/sealed_value/repository_url.hpp"
#include "tests/labserver/api/api.hpp"
#include "tests/labserver/api/api_schemas.hpp"

#include <algorithm>
#include <map>
#include <memory>

namespace trebuchet::labserver {
namespace {

constexpr std::size_t most_pairs = 1000;
constexpr int most_pairs_of_a_caller = 10;  ///< since the start
constexpr std::chrono::seconds one_year = std::chrono::hours(365 * 24);

bool is_path_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '/';
}

bool is_secret_path(const std::string& path) {
    return !path.empty() && path.front() != '/' && path.back() != '/' && path.find("//") == std::string::npos &&
           std::all_of(path.begin(), path.end(), is_path_character);
}

std::optional<Response> refusal(const State& state, const Call& call) {
    if (!state.settings.secrets_store) return problem(400, "No secrets store");
    if (call.caller.anonymous()) return problem(401, "Only a client with a token can have secrets");
    if (call.caller.client_id != call.parts[0]) {
        return problem(403, "'" + call.parts[0] + "' is not the client of this token");
    }
    if (!is_secret_path(call.parts[1])) {
        return problem(422, "Not a secret's path: expected letters, digits, '-' and '_', with single '/' between them");
    }
    return std::nullopt;
}

Response put(State& state, const Call& call) {
    if (auto refused = refusal(state, call)) return *refused;
    const bool ephemeral = call.body["ephemeral"].get<bool>();
    const auto now = state.clock.wall_time();
    std::optional<std::chrono::system_clock::time_point> expires;
    const auto given = call.body.find("expire_after");
    if (ephemeral) {
        expires = std::nullopt;
    } else if (given == call.body.end()) {
        expires = now + one_year;
    } else if (given->is_number()) {
        constexpr std::int64_t most = 100LL * 365 * 24 * 3600;
        expires = now + std::chrono::seconds(std::min(given->get<std::int64_t>(), most));
    }
    state.secrets.write(call.parts[0], call.parts[1], call.body["value"].get_ref<const std::string&>(), expires,
                        ephemeral);
    return json_answer({{"expires_at", expires ? Json(iso8601(*expires)) : Json()}});
}

Response remove(State& state, const Call& call) {
    if (auto refused = refusal(state, call)) return *refused;
    state.secrets.remove(call.parts[0], call.parts[1]);
    return text_answer("OK");
}

/// By the client for whom they were made.
using PairsMade = std::map<std::string, int>;

/// Making a pair takes a second, and a file that stays. Counts this one.
bool may_make_pair(PairsMade& made, const KeyFolder& keys, const std::string& client) {
    if (keys.count_owners() >= most_pairs || made[client] >= most_pairs_of_a_caller) return false;
    ++made[client];
    return true;
}

/// Of the pair for the repository and the user, which is made if it is missing.
Response public_key(const State& state, const Call& call, PairsMade& made) {
    if (call.caller.anonymous()) return problem(401, "Only a client with a token can have public keys");
    if (!state.keys) return problem(404, "This server has no keys of repositories");
    const auto repository = repository_url(first_of(call.query, "repository").value_or(""));
    const auto user = first_of(call.query, "user").value_or("");
    if (!repository) return problem(422, "repository: " + repository.error().message());
    if (!is_encrypted_user(user)) return problem(422, "user: expected a client_id");
    auto keys = KeyFolder::open(*state.keys);
    const KeyOwner owner{*repository, user};
    const auto is_there = keys ? keys->has_key(owner) : fail(keys.error());
    if (is_there && !*is_there && !may_make_pair(made, *keys, call.caller.client_id)) {
        return problem(429,
                       "There are too many key pairs, or you have had too many made: ask the lab for `secret keygen`");
    }
    const auto key = is_there ? keys->public_key(owner, state.clock.wall_time()) : fail(is_there.error());
    if (!key) return problem(500, "The key cannot be made");
    return json_answer({{"repository", *repository}, {"user", user}, {"public_key", *key}});
}

}  // namespace

void add_secret_routes(Router& router, State& state) {
    router.add(
        {"GET", "/v1/secrets/public-key", all_roles,
         [&state, made = std::make_shared<PairsMade>()](const Call& call) { return public_key(state, call, *made); }});
    const auto* pattern = "/v1/secrets/{client}/{path...}";
    router.add(
        {"PUT", pattern, submitters, [&state](const Call& call) { return put(state, call); }, schemas::secret()});
    router.add({"DELETE", pattern, submitters, [&state](const Call& call) { return remove(state, call); }});
}

}  // namespace trebuchet::labserver
