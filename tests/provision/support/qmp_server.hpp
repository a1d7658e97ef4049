#pragma once

#include "common/file/safe_file.hpp"
#include "tests/provision/support/tcp_server.hpp"

#include <filesystem>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/socket.h>

#include <nlohmann/json.hpp>

namespace trebuchet {

/// Imitates QEMU's QMP socket: serves one client at a time and sends an event before each answer.
class QmpServer {
  public:
    explicit QmpServer(const std::filesystem::path& path) : server_(path), thread_([this] { serve(); }) {}
    ~QmpServer() {
        server_.shut_down();
        thread_.join();
    }
    QmpServer(const QmpServer&) = delete;
    QmpServer& operator=(const QmpServer&) = delete;

    /// The received commands that change something, in order; monitor commands verbatim.
    [[nodiscard]] std::vector<std::string> actions() const {
        const std::scoped_lock lock(mutex_);
        return actions_;
    }
    void refuse(const std::string& command) {
        const std::scoped_lock lock(mutex_);
        refused_.insert(command);
    }

  private:
    /// Ignores a client that has disconnected.
    static void send(const FileDescriptor& client, std::string_view text) {
        (void)::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL);
    }

    void serve() {
        while (true) {
            const auto client = server_.accept();
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
                if (line.find("\"quit\"") != std::string::npos) break;
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

    UnixServer server_;
    mutable std::mutex mutex_;
    std::vector<std::string> actions_;
    std::set<std::string> refused_;
    bool running_ = true;
    std::thread thread_;  ///< last, since it uses the others
};

}  // namespace trebuchet
