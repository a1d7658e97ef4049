#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace trebuchet::labserver {

/// How an answer goes over the wire, if not simply as HTTP has it.
struct Wire {
    std::chrono::milliseconds delay{0};                          ///< before its first byte
    std::chrono::milliseconds pause{0};                          ///< between two of its bytes; 0: they go out together
    std::string before{};                                        ///< bytes ahead of the answer
    bool answer = true;                                          ///< false: nothing of the answer goes out
    std::optional<std::uint64_t> content_length = std::nullopt;  ///< what it claims instead of its true length
    bool cut = false;                                            ///< then the connection ends, without TLS's goodbye
};

/// The end of a connection when no more than a request's headers was read.
struct Cut {
    bool all = false;                   ///< the other connections too, at their next request
    std::chrono::milliseconds away{0};  ///< so long nobody listens
};

}  // namespace trebuchet::labserver
