#include "provision/boot/boot_probes.hpp"

#include "common/base/text.hpp"
#include "provision/boot/ssh_banner.hpp"
#include "provision/process/curl_config.hpp"

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t default_port = 22;

Result<void> look_at(const std::string& url, CommandRunner& commands) {
    const auto config = curl_config(url);
    if (!config) return fail(config.error());
    Command curl;
    curl.argv = {"curl", "-q", "-sS", "--max-time", "10", "-o", "/dev/null", "-w", "%{http_code}", "-K", "-"};
    curl.input = *config;
    curl.timeout = 15s;
    curl.capture_output = true;
    const auto result = commands.run(curl);
    if (!succeeded(result)) return fail(describe(result));
    if (result.output != "200") return fail("status " + trebuchet::quoted(result.output, 20) + ", expected 200");
    return {};
}

}  // namespace

BootProbe ssh_banner_probe(const std::string& host, std::uint16_t port) {
    const auto number = port == 0 ? default_port : port;
    return {"ssh at " + host + " port " + std::to_string(number),
            [host, number] { return check_ssh_banner(host, number); }};
}

BootProbe ssh_login_probe(Ssh& ssh) {
    return {"a login as " + ssh.name(), [&ssh] {
                ssh.disconnect();
                return ssh.check_login();
            }};
}

BootProbe ssh_command_probe(Ssh& ssh, const std::string& command_line) {
    return {"ssh at " + ssh.name(), [&ssh, command_line]() -> Result<void> {
                ssh.disconnect();
                const auto result = ssh.run(command_line);
                if (!succeeded(result)) return fail(describe(result));
                return {};
            }};
}

BootProbe url_probe(const std::string& url, CommandRunner& commands) {
    return {"status 200 from " + redacted_url(url), [url, &commands] { return look_at(url, commands); }};
}

}  // namespace trebuchet
