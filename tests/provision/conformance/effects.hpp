#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace trebuchet::conformance {

/// Something that a connector does to the world, normalised so that the reference's and ours can be compared; see
/// README.md for the list of what is normalised.
struct Effect {
    enum class Kind { run, http, sleep };
    Kind kind = Kind::run;
    std::string text;      ///< "maas P machine read N", "POST http://… {…}"
    double seconds = 0.0;  ///< of a sleep
    [[nodiscard]] std::string line() const;
};

/// Of a command as it was called; nothing if it has no effect of its own (closing a shared ssh connection).
[[nodiscard]] std::optional<Effect> effect_of(const std::vector<std::string>& argv, const std::string& input);
[[nodiscard]] Effect effect_of_request(const std::string& method, const std::string& url, const nlohmann::json& body);
/// One after the other: one.
void add_sleep(std::vector<Effect>& effects, double seconds);

/// curl's own arguments and what it reads from its stdin.
struct CurlCall {
    std::string method = "GET";
    std::string url;
    std::string body;
    std::string format;  ///< of -w
    bool prints_body = true;
    bool fails_on_error = false;  ///< -f
};
[[nodiscard]] CurlCall parse_curl(const std::vector<std::string>& argv, const std::string& input);

/// One file of recorded-connectors.
struct Flow {
    std::string name;
    nlohmann::json file;
    std::vector<Effect> effects;
    std::map<std::string, std::deque<nlohmann::json>> answers;      ///< by the effect's text, in their order
    std::vector<std::string> programs;                              ///< that are called
    std::vector<std::string> missing_programs;                      ///< that were not installed
    std::string skipped;                                            ///< why it can't be replayed; "": it can
    std::vector<std::pair<std::string, nlohmann::json>> card_work;  ///< of muxpi, which is not compared: answers

    [[nodiscard]] std::string type() const { return file.at("type"); }
    [[nodiscard]] std::string stage() const { return file.at("stage"); }
};

/// What an effect counts as when the flow is compared; nothing if it does not count: see README.md.
[[nodiscard]] std::optional<Effect> counted(const Flow& flow, Effect effect);
[[nodiscard]] Flow read_flow(const std::string& path);

}  // namespace trebuchet::conformance
