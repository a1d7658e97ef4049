#include "agent/cli/server_checks.hpp"

#include "agent/api/answer.hpp"
#include "agent/api/http_job_server.hpp"
#include "agent/cli/server_login.hpp"
#include "common/base/clock.hpp"
#include "common/base/system_text.hpp"
#include "common/base/text.hpp"
#include "common/event/event_loop.hpp"
#include "common/file/safe_file.hpp"
#include "common/http/proxy.hpp"
#include "common/secret/base64.hpp"

#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

using std::chrono::seconds;

constexpr seconds dns_limit{10};
constexpr seconds connect_limit{5};
constexpr seconds clock_is_good{5};
constexpr seconds clock_is_bad{24 * 3600};

struct Place {
    std::string scheme;
    std::string host;
    std::string port;
};

/// Of "https://host:port", as the configuration has it.
Place place_of(const std::string& origin) {
    Place place;
    const auto colons = origin.find("://");
    place.scheme = origin.substr(0, colons);
    auto rest = origin.substr(colons + 3);
    const auto bracket = rest.rfind(']');
    const auto colon = rest.rfind(':');
    place.port = place.scheme == "https" ? "443" : "80";
    if (colon != std::string::npos && (bracket == std::string::npos || colon > bracket)) {
        place.port = rest.substr(colon + 1);
        rest.resize(colon);
    }
    if (rest.size() > 2 && rest.front() == '[') rest = rest.substr(1, rest.size() - 2);
    place.host = std::move(rest);
    return place;
}

using Addresses = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

/// The resolver takes as long as it likes, so it runs on a thread that is left behind if it is too slow.
Result<Addresses> look_up(const Place& place) {
    struct Lookup {
        std::mutex mutex;
        std::condition_variable done;
        bool is_done = false;
        int code = 0;
        addrinfo* found = nullptr;
    };
    const auto lookup = std::make_shared<Lookup>();
    const auto ask = [lookup, place] {
        addrinfo wanted{};
        wanted.ai_socktype = SOCK_STREAM;
        addrinfo* found = nullptr;
        const int code = ::getaddrinfo(place.host.c_str(), place.port.c_str(), &wanted, &found);
        const std::lock_guard lock(lookup->mutex);
        lookup->code = code;
        lookup->found = found;
        lookup->is_done = true;
        lookup->done.notify_one();
    };
    try {
        std::thread(ask).detach();
    } catch (const std::system_error& error) {
        return fail("cannot start a thread: " + system_text(error.code().value()));
    }
    std::unique_lock lock(lookup->mutex);
    if (!lookup->done.wait_for(lock, dns_limit, [&] { return lookup->is_done; })) {
        return fail("no answer within " + std::to_string(dns_limit.count()) + " s");
    }
    if (lookup->code != 0) return fail(std::string(::gai_strerror(lookup->code)));
    return Addresses(lookup->found, ::freeaddrinfo);
}

std::string shown(const addrinfo& address) {
    std::array<char, NI_MAXHOST> text{};
    ::getnameinfo(address.ai_addr, address.ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
    return text.data();
}

/// Returns 0 or an errno.
int connect_to(const addrinfo& address) {
    const FileDescriptor fd(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) return errno;
    if (::connect(fd.get(), address.ai_addr, address.ai_addrlen) == 0) return 0;
    if (errno != EINPROGRESS) return errno;
    pollfd waiting{fd.get(), POLLOUT, 0};
    if (::poll(&waiting, 1, static_cast<int>(std::chrono::milliseconds(connect_limit).count())) <= 0) return ETIMEDOUT;
    int error = 0;
    socklen_t size = sizeof(error);
    ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    return error;
}

/// False if there is no way to the server, so that further checks make no sense.
bool check_network(const Config& config, Findings& findings) {
    const auto place = place_of(config.server_address);
    if (const auto proxy = proxy_for(place.scheme, place.host, [](const char* name) { return std::getenv(name); });
        !proxy.empty()) {
        findings.push_back({Verdict::ok, "dns", "a proxy of the environment is used: the name is looked up there"});
        return true;
    }
    const auto addresses = look_up(place);
    if (!addresses) {
        findings.push_back({Verdict::error, "dns",
                            "cannot look up " + trebuchet::quoted(place.host) + ": " + addresses.error().message() +
                                "; check server_address and this host's resolver"});
        return false;
    }
    findings.push_back({Verdict::ok, "dns", place.host + " is " + shown(**addresses)});
    int error = 0;
    std::string tried;
    for (const auto* address = addresses->get(); address != nullptr; address = address->ai_next) {
        error = connect_to(*address);
        tried = shown(*address) + " port " + place.port;
        if (error == 0) break;
    }
    findings.push_back(error == 0 ? Finding{Verdict::ok, "tcp", "connected to " + tried}
                                  : Finding{Verdict::error, "tcp",
                                            "cannot connect to " + tried + ": " + system_text(error) +
                                                "; check the port, firewalls and that the server runs"});
    return error == 0;
}

HttpResult get(EventLoop& loop, HttpClient& http, const std::string& target) {
    HttpRequest request;
    request.target = target;
    request.timeout = seconds(15);
    request.cut_response = true;
    std::optional<HttpResult> answer;
    http.send(std::move(request), [&](HttpResult result) { answer = std::move(result); });
    loop.run_until([&] { return answer.has_value(); });
    return std::move(*answer);
}

bool check_http(const Config& config, EventLoop& loop, HttpClient& http, Findings& findings) {
    const bool is_tls = config.server_address.starts_with("https://");
    const auto answer = get(loop, http, "/v1/");
    if (!answer) {
        const bool is_untrusted = answer.error().kind == HttpFailure::Kind::tls;
        findings.push_back({Verdict::error, is_untrusted ? "tls" : "http",
                            answer.error().message +
                                (is_untrusted ? "; set trebuchet.tls.ca_file to the CA of the server, or correct the "
                                                "server's name or certificate"
                                              : "; check that server_address is a Testflinger server")});
        return false;
    }
    findings.push_back(is_tls ? Finding{Verdict::ok, "tls", "the server's certificate and name are good"}
                              : Finding{Verdict::warning, "tls",
                                        "http is not encrypted: others on the network can read tokens; use https"});
    if (const auto date = parse_http_date(answer->date)) {
        findings.push_back(judge_clock(std::chrono::duration_cast<seconds>(*date - SystemClock().wall_time())));
    } else {
        findings.push_back({Verdict::warning, "clock", "the server does not tell its time"});
    }
    return true;
}

bool check_token(const Clock& clock, EventLoop& loop, HttpClient& http, const Credentials& login, Findings& findings) {
    TokenSource source(clock, http, login);
    std::optional<TokenSource::Answer> answer;
    source.ask([&](TokenSource::Answer result) { answer = std::move(result); });
    loop.run_until([&] { return answer.has_value(); });
    if (!*answer) {
        findings.push_back({Verdict::error, "token", answer->error().message() + "; check " + source.file().string()});
        return false;
    }
    if (!**answer) {
        findings.push_back({Verdict::error, "token",
                            "there is no token file " + source.file().string() +
                                ": the server gives an anonymous agent no jobs; set trebuchet.client_id, or install a "
                                "token manager"});
        return false;
    }
    findings.push_back({Verdict::ok, "token", "the server gave an access token"});
    findings.push_back(judge_role(role_in_token((**answer)->value.reveal())));
    return true;
}

std::string listed(const std::vector<std::string>& all) {
    std::string text;
    for (const auto& one : all) text += (text.empty() ? "" : ", ") + one;
    return text;
}

}  // namespace

void check_server(const Config& config, const std::filesystem::path& token_file, Findings& findings) {
    EventLoop loop;
    const SystemClock clock;
    auto http = HttpClient::make(loop, http_options(config));
    if (!http) return findings.push_back({Verdict::error, "tls files", http.error().message()});
    const auto login = credentials_of(config, token_file, std::make_shared<OwnSecrets>());
    if (!login) findings.push_back({Verdict::error, "token", login.error().message()});
    if (!check_network(config, findings) || !check_http(config, loop, **http, findings) || !login) return;
    if (!check_token(clock, loop, **http, *login, findings)) return;
    ApiClient api(loop, clock, std::move(*http), *login, [] { return 0.0; });
    const auto record = make_http_job_server(config, api)->read_agent();
    if (record) return judge_record(config, *record, findings);
    findings.push_back({Verdict::error, "agent", "cannot read the agent's record: " + record.error().message()});
}

Finding judge_clock(seconds ahead) {
    const auto off = ahead < seconds(0) ? -ahead : ahead;
    const auto text = "the server's clock is " + std::to_string(off.count()) + " s " +
                      (ahead < seconds(0) ? "behind" : "ahead of") + " this host's";
    if (off <= clock_is_good) return {Verdict::ok, "clock", text};
    return {off >= clock_is_bad ? Verdict::error : Verdict::warning, "clock",
            text + ": set the one that is wrong, such as with NTP"};
}

Finding judge_role(std::string_view role) {
    if (role == "agent" || role == "admin") return {Verdict::ok, "role", "the token has the role " + std::string(role)};
    if (role.empty()) return {Verdict::ok, "role", "the token names no role"};
    return {Verdict::error, "role",
            "the token has the role " + trebuchet::quoted(role) +
                ", expected agent: the server gives it no jobs; ask the server's administrator for that role"};
}

std::string role_in_token(std::string_view token) {
    const auto first = token.find('.');
    const auto second = first == std::string_view::npos ? first : token.find('.', first + 1);
    if (second == std::string_view::npos) return "";
    const auto claims = base64url_decoded(token.substr(first + 1, second - first - 1));
    const auto json = nlohmann::json::parse(claims ? claims->reveal() : std::string_view(), nullptr, false);
    const auto permissions = json.is_object() ? json.value("permissions", nlohmann::json()) : nlohmann::json();
    if (!permissions.is_object() || !permissions.contains("role") || !permissions["role"].is_string()) return "";
    return permissions["role"].get<std::string>();
}

void judge_record(const Config& config, const AgentRecord& record, Findings& findings) {
    std::vector<std::string> restricted;
    std::vector<std::string> open;
    for (const auto& queue : config.job_queues) {
        const auto entry = record.restricted_to.find(queue);
        const bool has_owners = entry != record.restricted_to.end() && !entry->second.empty();
        (has_owners ? restricted : open).push_back(has_owners ? queue + " (for " + listed(entry->second) + ")" : queue);
    }
    if (restricted.empty()) {
        findings.push_back({Verdict::ok, "queues", "everybody may submit to " + listed(open)});
    } else {
        findings.push_back({Verdict::ok, "queues", "the server restricts " + listed(restricted)});
        if (!open.empty()) {
            findings.push_back({Verdict::warning, "queues",
                                "because of the restricted queues the agent takes no jobs from " + listed(open)});
        }
    }
    const auto& away = record.mode.empty() || record.mode == "online" ? record.state : record.mode;
    if (away == "offline" || away == "maintenance") {
        findings.push_back({Verdict::warning, "agent",
                            "the server has the agent in " + away +
                                ", so that it takes no jobs: " + trebuchet::quoted(record.comment)});
    } else {
        findings.push_back({Verdict::ok, "agent",
                            record.state.empty() ? "the server does not know the agent yet: it registers when it starts"
                                                 : "the server knows the agent"});
    }
}

}  // namespace trebuchet
