#pragma once

#include "common/secret/secret_string.hpp"
#include "provision/process/command.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace trebuchet {

/// One HTTP request, by the system's curl. URL, credentials and body go to its stdin, so that no process list shows
/// them. A custom CA is taken from REQUESTS_CA_BUNDLE. Redirects are not followed.
struct RestCall {
    std::string method = "GET";
    std::string url;
    std::optional<std::string_view> json{};  ///< the body
    std::string_view bearer{};               ///< a token; "": none
    std::string_view user{};                 ///< "name:password" for Basic; "": none
    bool any_login = false;                  ///< the URL's login by Digest, too, if the server wants it
    std::string upload{};                    ///< a file to send as a multipart field; "": none
    std::string upload_field = "file";       ///< its name
    std::string_view json_field{};           ///< with an upload: `json` goes as the multipart field of this name
    std::chrono::seconds timeout{15};
};

struct RestAnswer {
    int status = 0;
    std::string body;  ///< its first 32 MiB
    [[nodiscard]] bool is_success() const { return status >= 200 && status < 300; }
};

/// There was no answer.
struct RestFailure {
    std::string message;      ///< for people; no secrets
    int signal = 0;           ///< we were told to stop
    bool is_silence = false;  ///< of a stream: the server was there, but said nothing for too long
};

[[nodiscard]] tl::expected<RestAnswer, RestFailure> call_rest(const RestCall& call, CommandRunner& commands);

}  // namespace trebuchet
