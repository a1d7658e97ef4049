#include "provision/power/qmp_client.hpp"

#include "common/base/system_text.hpp"
#include "common/base/text.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace trebuchet {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t max_line = std::size_t{1024} * 1024;

std::string text_at(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

bool wait_until_readable(int socket, steady_clock::time_point deadline) {
    while (true) {
        const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
        pollfd ready{socket, POLLIN, 0};
        const int count =
            ::poll(&ready, 1, static_cast<int>(std::clamp<milliseconds::rep>(left.count(), 0, 3'600'000)));
        if (count > 0) return true;
        if (count == 0 || errno != EINTR) return false;
    }
}

}  // namespace

Result<QmpMessage> parse_qmp_message(std::string_view line) {
    const auto whole = json::parse(line, nullptr, false);
    if (!whole.is_object()) return fail("found " + trebuchet::quoted(line) + ", expected a QMP object");
    if (whole.contains("QMP")) return QmpMessage{QmpMessage::Kind::greeting, {}, {}};
    if (const auto result = whole.find("return"); result != whole.end()) {
        return QmpMessage{QmpMessage::Kind::result, *result, {}};
    }
    if (const auto error = whole.find("error"); error != whole.end()) {
        auto text = error->is_object() ? text_at(*error, "desc") : "";
        return QmpMessage{QmpMessage::Kind::error, {}, text.empty() ? "no reason given" : std::move(text)};
    }
    if (whole.contains("event")) return QmpMessage{QmpMessage::Kind::event, {}, text_at(whole, "event")};
    return fail("found " + trebuchet::quoted(line) + ", expected a QMP result, error or event");
}

Result<QmpClient> QmpClient::connect(const std::filesystem::path& socket, Timeout timeout) {
    const auto deadline = steady_clock::now() + timeout;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto& path = socket.native();
    if (path.size() >= sizeof(address.sun_path)) {
        return fail("the path of the QMP socket " + path + " is too long: a socket's path has at most " +
                    std::to_string(sizeof(address.sun_path) - 1) + " bytes");
    }
    std::copy(path.begin(), path.end(), static_cast<char*>(address.sun_path));
    FileDescriptor descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!descriptor) return fail("cannot create a socket: " + system_text(errno));
    if (::connect(descriptor.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        return fail("cannot connect to QEMU at " + path + ": " + system_text(errno) + "; is it running?");
    }
    QmpClient client(std::move(descriptor), path);
    const auto greeting = client.read(deadline);
    if (!greeting) return fail(greeting.error());
    if (greeting->kind != QmpMessage::Kind::greeting) return client.lost("it sent no QMP greeting");
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    if (auto ready = client.execute("qmp_capabilities", {}, left); !ready) return fail(ready.error());
    return client;
}

Result<json> QmpClient::execute(const std::string& command, const json& arguments, Timeout timeout) {
    const auto deadline = steady_clock::now() + timeout;
    json request{{"execute", command}};
    if (!arguments.is_null()) request["arguments"] = arguments;
    const auto text = request.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
    if (::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) {
        return lost("cannot send " + command);
    }
    while (true) {
        auto message = read(deadline);
        if (!message) return fail(message.error().with_context(command));
        if (message->kind == QmpMessage::Kind::result) return std::move(message->result);
        if (message->kind == QmpMessage::Kind::error) {
            return fail(Error("QEMU at " + name_ + " refuses " + command + ": " + message->text, true));
        }
    }
}

Result<void> QmpClient::quit(Timeout timeout) {
    const auto deadline = steady_clock::now() + timeout;
    if (const auto done = execute("quit", {}, timeout); !done && done.error().is_final()) return fail(done.error());
    std::array<char, 4096> buffer{};
    while (wait_until_readable(socket_.get(), deadline)) {
        if (::recv(socket_.get(), buffer.data(), buffer.size(), 0) <= 0) return {};
    }
    return lost("it did not quit in time");
}

Result<std::string> QmpClient::monitor(const std::string& command_line, Timeout timeout) {
    const auto result = execute("human-monitor-command", {{"command-line", command_line}}, timeout);
    if (!result) return fail(result.error());
    if (!result->is_string()) return lost("its monitor's answer is not text");
    return result->get<std::string>();
}

Result<QmpMessage> QmpClient::read(steady_clock::time_point deadline) {
    while (true) {
        if (const auto end = received_.find('\n'); end != std::string::npos) {
            auto message = parse_qmp_message(std::string_view(received_).substr(0, end));
            received_.erase(0, end + 1);
            if (!message) return lost(message.error().message());
            return message;
        }
        if (received_.size() > max_line) return lost("it sent a line of more than 1 MiB");
        if (!wait_until_readable(socket_.get(), deadline))
            return lost("no answer in time; is another client connected?");
        std::array<char, 16384> buffer{};
        const auto count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
        if (count == 0) return lost("it closed the connection");
        if (count < 0 && errno != EINTR) return lost(system_text(errno));
        if (count > 0) received_.append(buffer.data(), static_cast<std::size_t>(count));
    }
}

tl::unexpected<Error> QmpClient::lost(const std::string& why) const {
    return fail("QEMU at " + name_ + ": " + why);
}

}  // namespace trebuchet
