#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace trebuchet::conformance {

/// Something that a connector does to the outside world, normalised so that the reference and ours can be compared.
/// README.md lists the rules.
struct Effect {
    enum class Kind { run, http, sleep };
    Kind kind = Kind::run;
    std::string text;      ///< "maas P machine read N", "POST http://… {…}"
    double seconds = 0.0;  ///< length of a sleep
    [[nodiscard]] std::string line() const;
};

/// The effect of a command line; nothing if it has none (such as closing a shared ssh connection).
[[nodiscard]] std::optional<Effect> effect_of(const std::vector<std::string>& argv, const std::string& input);
[[nodiscard]] Effect effect_of_request(const std::string& method, const std::string& url, const nlohmann::json& body);
/// Adds a sleep, or extends a sleep that directly precedes it.
void add_sleep(std::vector<Effect>& effects, double seconds);

/// The arguments of curl, together with the configuration from its stdin.
struct CurlCall {
    std::string method = "GET";
    std::string url;
    std::string body;
    std::string file_field;  ///< of a file that it sends; "": none
    std::string format;      ///< of -w
    bool prints_body = true;
    bool fails_on_error = false;  ///< -f
};
[[nodiscard]] CurlCall parse_curl(const std::vector<std::string>& argv, const std::string& input);

/// One file of the recorded flows.
struct Flow {
    std::string name;
    nlohmann::json file;
    std::vector<Effect> effects;
    std::map<std::string, std::deque<nlohmann::json>> answers;      ///< the effect's text → its answers, in order
    std::vector<std::string> programs;                              ///< the programs that it calls
    std::vector<std::string> missing_programs;                      ///< the programs that were not installed
    std::string skipped;                                            ///< why the flow cannot be replayed; "": it can
    std::vector<std::pair<std::string, nlohmann::json>> card_work;  ///< muxpi on the card: answers, not compared

    [[nodiscard]] std::string type() const { return file.at("type"); }
    [[nodiscard]] std::string stage() const { return file.at("stage"); }
};

/// The form in which an effect is compared; nothing if it is ignored. See README.md.
[[nodiscard]] std::optional<Effect> counted(const Flow& flow, Effect effect);
[[nodiscard]] Flow read_flow(const std::string& path);

}  // namespace trebuchet::conformance
