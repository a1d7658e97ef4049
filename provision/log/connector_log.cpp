#include "provision/log/connector_log.hpp"

#include "common/file/safe_file.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <utility>

namespace trebuchet {
namespace {

std::string local_time(std::chrono::system_clock::time_point time) {
    using namespace std::chrono;
    const auto whole = floor<seconds>(time);
    const auto millis = duration_cast<milliseconds>(time - whole).count();
    const std::time_t since_epoch = system_clock::to_time_t(whole);
    std::tm parts{};
    localtime_r(&since_epoch, &parts);
    std::array<char, 64> date{};
    const auto length = std::strftime(date.data(), date.size(), "%Y-%m-%d %H:%M:%S", &parts);
    std::array<char, 32> fraction{};
    std::snprintf(fraction.data(), fraction.size(), ",%03lld", static_cast<long long>(millis));
    return std::string(date.data(), length) + fraction.data();
}

}  // namespace

ConnectorLog::ConnectorLog(const Clock& clock, std::string agent_name, int fd)
    : clock_(&clock), agent_name_(std::move(agent_name)), fd_(fd) {}

void ConnectorLog::write(std::string_view level, std::string_view message) const {
    std::string line = local_time(clock_->wall_time());
    line += ' ';
    line += agent_name_;
    line += ' ';
    line += level;
    line += ": DEVICE CONNECTOR: ";
    line += message;
    line += '\n';
    (void)write_all(fd_, line);
}

}  // namespace trebuchet
