#include "provision/power/network_plugs.hpp"

#include "common/base/text.hpp"
#include "provision/http/rest_call.hpp"
#include "provision/process/curl_config.hpp"
#include "provision/process/foreign_json.hpp"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <utility>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using Kind = PowerError::Kind;

constexpr auto answer_time = 10s;

struct PlugUrl {
    std::string base;      ///< without login and trailing "/"
    std::string user;      ///< as in the URL
    std::string password;  ///< as in the URL
};

PlugUrl split(const std::string& url) {
    PlugUrl parts{url, "", ""};
    const auto begin = url.find("://");
    const auto host = begin == std::string::npos ? 0 : begin + 3;
    const auto at = url.find('@', host);
    if (at != std::string::npos && at < url.find('/', host)) {
        const auto login = url.substr(host, at - host);
        const auto colon = login.find(':');
        parts.user = login.substr(0, colon);
        parts.password = colon == std::string::npos ? "" : login.substr(colon + 1);
        parts.base = url.substr(0, host) + url.substr(at + 1);
    }
    while (parts.base.ends_with('/')) parts.base.pop_back();
    return parts;
}

/// One request; the answer as JSON.
PowerResult<json> ask(const std::string& url, const std::string& shown, CommandRunner& commands) {
    RestCall call;
    call.url = url;
    call.timeout = answer_time;
    call.any_login = true;
    const auto answer = call_rest(call, commands);
    if (!answer) {
        const auto kind = answer.error().signal != 0 ? Kind::interrupted : Kind::failed;
        return power_error("the plug " + shown + " does not answer: " + answer.error().message, kind);
    }
    if (answer->status == 401)
        return power_error("the plug " + shown + " refuses the login of power_url", Kind::refused);
    if (answer->status == 404) return power_error("the plug " + shown + " knows no such outlet", Kind::refused);
    auto found = parse_foreign_json(answer->body);
    if (answer->is_success() && found.is_object()) return found;
    return power_error("the plug " + shown + " answers with status " + std::to_string(answer->status) + " and " +
                       trebuchet::quoted(answer->body, 100));
}

class Tasmota final : public Outlet {
  public:
    Tasmota(const std::string& url, unsigned outlet) : url_(split(url)), outlet_(std::to_string(outlet)) {}

    [[nodiscard]] PowerResult<void> set(bool is_on, CommandRunner& commands) override {
        const auto found = power(is_on ? "%20On" : "%20Off", commands);
        if (!found) return tl::unexpected(found.error());
        return {};
    }
    [[nodiscard]] PowerResult<PowerState> read(CommandRunner& commands) override { return power("", commands); }

  private:
    PowerResult<PowerState> power(const std::string& value, CommandRunner& commands) {
        auto url = url_.base + "/cm?";
        if (!url_.user.empty()) url += "user=" + url_.user + "&password=" + url_.password + "&";
        const auto shown = redacted_url(url_.base);
        const auto answer = ask(url + "cmnd=Power" + outlet_ + value, shown, commands);
        if (!answer) return tl::unexpected(answer.error());
        if (answer->contains("WARNING")) {
            return power_error("the plug " + shown + " wants a login: http://USER:PASSWORD@HOST", Kind::refused);
        }
        // A plug with one outlet calls it POWER.
        const auto name = answer->contains("POWER" + outlet_) ? "POWER" + outlet_ : std::string("POWER");
        const auto found = answer->find(name);
        if (found == answer->end() || !found->is_string()) {
            return power_error("the plug " + shown + " has no outlet " + outlet_, Kind::refused);
        }
        return *found == "ON" ? PowerState::on : *found == "OFF" ? PowerState::off : PowerState::unknown;
    }

    PlugUrl url_;
    std::string outlet_;
};

class Shelly final : public Outlet {
  public:
    Shelly(std::string url, unsigned outlet) : url_(std::move(url)), outlet_(std::to_string(outlet)) {
        while (url_.ends_with('/')) url_.pop_back();
    }

    [[nodiscard]] PowerResult<void> set(bool is_on, CommandRunner& commands) override {
        const auto is_first = is_first_generation(commands);
        if (!is_first) return tl::unexpected(is_first.error());
        const auto done = *is_first
                              ? call("/relay/" + outlet_ + (is_on ? "?turn=on" : "?turn=off"), commands)
                              : call("/rpc/Switch.Set?id=" + outlet_ + (is_on ? "&on=true" : "&on=false"), commands);
        if (!done) return tl::unexpected(done.error());
        return {};
    }
    [[nodiscard]] PowerResult<PowerState> read(CommandRunner& commands) override {
        const auto is_first = is_first_generation(commands);
        if (!is_first) return tl::unexpected(is_first.error());
        const auto answer =
            *is_first ? call("/relay/" + outlet_, commands) : call("/rpc/Switch.GetStatus?id=" + outlet_, commands);
        if (!answer) return tl::unexpected(answer.error());
        const auto found = answer->find(*is_first ? "ison" : "output");
        if (found == answer->end() || !found->is_boolean()) {
            return power_error("the plug " + redacted_url(url_) + " does not say whether the outlet is on");
        }
        return found->get<bool>() ? PowerState::on : PowerState::off;
    }

  private:
    PowerResult<json> call(const std::string& path, CommandRunner& commands) {
        return ask(url_ + path, redacted_url(url_), commands);
    }

    PowerResult<bool> is_first_generation(CommandRunner& commands) {
        if (!generation_known_) {
            const auto answer = call("/shelly", commands);
            if (!answer) return tl::unexpected(answer.error());
            generation_known_ = true;
            is_first_ = !answer->contains("gen");
        }
        return is_first_;
    }

    std::string url_;
    std::string outlet_;
    bool generation_known_ = false;
    bool is_first_ = false;
};

}  // namespace

std::unique_ptr<Outlet> make_tasmota(const std::string& url, unsigned outlet) {
    return std::make_unique<Tasmota>(url, outlet);
}

std::unique_ptr<Outlet> make_shelly(std::string url, unsigned outlet) {
    return std::make_unique<Shelly>(std::move(url), outlet);
}

}  // namespace trebuchet
