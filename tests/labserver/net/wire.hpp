#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace trebuchet::labserver {

/// How an answer is sent, if not as plain HTTP.
struct Wire {
    std::chrono::milliseconds delay{0};                          ///< before the first byte
    std::chrono::milliseconds pause{0};                          ///< after each byte; 0: all bytes are sent together
    std::string before{};                                        ///< bytes to send before the answer
    bool answer = true;                                          ///< false: the answer is not sent
    std::optional<std::uint64_t> content_length = std::nullopt;  ///< sent instead of the true length
    bool cut = false;  ///< cut the connection afterwards, without a TLS close message
};

/// Cuts a connection after no more than a request's headers was read.
struct Cut {
    bool all = false;                   ///< cut the other connections too, at their next request
    std::chrono::milliseconds away{0};  ///< how long new connections are refused
};

}  // namespace trebuchet::labserver
