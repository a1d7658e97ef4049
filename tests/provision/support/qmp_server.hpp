#pragma once

#include "common/file/safe_file.hpp"

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/socket.h>
#include <sys/un.h>

#include <nlohmann/json.hpp>

namespace trebuchet {

/// Answers as QEMU's QMP socket does: one client at a time, an event before each answer.
class QmpServer {
  public:
    explicit QmpServer(const std::filesystem::path& path) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const auto& name = path.native();
        std::copy(name.begin(), name.end(), static_cast<char*>(address.sun_path));
        if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
            ::listen(socket_.get(), 4) != 0) {
            throw std::runtime_error("can't listen at " + name);
        }
        thread_ = std::thread([this] { serve(); });
    }
    ~QmpServer() {
        ::shutdown(socket_.get(), SHUT_RDWR);
        thread_.join();
    }
    QmpServer(const QmpServer&) = delete;
    QmpServer& operator=(const QmpServer&) = delete;

    /// The commands that change something, in their order; those of the monitor as they are.
    [[nodiscard]] std::vector<std::string> actions() const {
        const std::scoped_lock lock(mutex_);
        return actions_;
    }
    void refuse(const std::string& command) {
        const std::scoped_lock lock(mutex_);
        refused_.insert(command);
    }

  private:
    /// A client that has gone is no matter.
    static void send(const FileDescriptor& client, std::string_view text) {
        (void)::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL);
    }

    void serve() {
        while (true) {
            const FileDescriptor client(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            if (!client) return;
            send(client, "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n");
            std::string line;
            char c = 0;
            while (::recv(client.get(), &c, 1, 0) == 1) {
                if (c != '\n') {
                    line += c;
                    continue;
                }
                send(client, "{\"event\": \"STOP\"}\r\n" + answer(nlohmann::json::parse(line)).dump() + "\r\n");
                line.clear();
            }
        }
    }

    nlohmann::json answer(const nlohmann::json& request) {
        const std::scoped_lock lock(mutex_);
        const std::string command = request.at("execute");
        if (refused_.count(command) != 0) return {{"error", {{"class", "GenericError"}, {"desc", "not today"}}}};
        if (command == "qmp_capabilities") return {{"return", nlohmann::json::object()}};
        if (command == "query-status") return {{"return", {{"running", running_}}}};
        if (command == "human-monitor-command") {
            const std::string line = request.at("arguments").at("command-line");
            actions_.push_back(line);
            return {{"return", line.starts_with("info") ? "ran " + line : ""}};
        }
        if (command == "stop") running_ = false;
        if (command == "cont") running_ = true;
        actions_.push_back(command);
        return {{"return", nlohmann::json::object()}};
    }

    FileDescriptor socket_;
    std::thread thread_;
    mutable std::mutex mutex_;
    std::vector<std::string> actions_;
    std::set<std::string> refused_;
    bool running_ = true;
};

}  // namespace trebuchet
