#include "agent/job/job_templates.hpp"

#include "common/base/text.hpp"
#include "common/secret/secret_json.hpp"
#include "common/template/letter_case.hpp"
#include "common/template/shell_text.hpp"
#include "common/template/template_text.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

namespace trebuchet {
namespace {

constexpr const char* script_field = "test_cmds";
/// Bounds what the templates of a job may become together.
constexpr std::size_t longest_filled = std::size_t{16} << 20U;
/// These bound the time that a hostile job takes.
constexpr std::size_t most_templates = 1000;
constexpr std::size_t most_openings = 20'000;

bool has_too_many_openings(std::string_view text) {
    std::size_t count = 0;
    for (auto at = text.find("{{"); at != std::string_view::npos; at = text.find("{{", at + 2)) {
        if (++count > most_openings) return true;
    }
    return false;
}

/// Calls `visit` with the place of each text, such as test_data.test_cmds, but not with secrets or keys.
void visit_texts(SecretJson& json, const std::string& place,
                 const std::function<void(const std::string& place, WipedString& text)>& visit) {
    if (json.is_string()) return visit(place, json.get_ref<WipedString&>());
    if (json.is_array()) {
        for (auto& item : json) visit_texts(item, place, visit);
    }
    if (!json.is_object()) return;
    for (auto& [key, value] : json.items()) {
        const std::string name(std::string_view{key});
        if (name != "secrets" && name != "attachments") visit_texts(value, place + "." + name, visit);
    }
}

std::string data_name(Phase phase) {
    return std::string(name_of(phase)) + "_data";
}

bool equals(std::string_view left, std::string_view right) {
    return upper_case(left) == upper_case(right);
}

/// Of a text that may be long or strange.
std::string shown(const std::string& place) {
    return trebuchet::quoted(place, 120);
}

class PhaseValues final : public TemplateValues {
  public:
    explicit PhaseValues(const TemplateSources& sources) : sources_(sources) {}

    [[nodiscard]] Result<WipedString> secret(const std::string& name) const override {
        const auto exact = sources_.secrets.find(name);
        if (exact != sources_.secrets.end()) return WipedString(exact->second.reveal());
        for (const auto& [known, value] : sources_.secrets) {
            if (equals(known, name)) return WipedString(value.reveal());
        }
        return fail("there is no secret " + trebuchet::quoted(name) +
                    " for this phase: it is neither one of the job's own nor given by a grant of the lab");
    }

    [[nodiscard]] std::optional<WipedString> env(const std::string& name) const override {
        constexpr std::string_view prefix = "ENV_";
        for (const auto& [variable, value] : sources_.agent.variables()) {
            if (variable.starts_with(prefix) && lower_case(variable.substr(prefix.size())) == lower_case(name)) {
                return WipedString(value.reveal());
            }
        }
        return std::nullopt;
    }

  private:
    const TemplateSources& sources_;
};

class Filling {
  public:
    Filling(const TemplateSources& sources) : sources_(sources), values_(sources) {}

    void fill(const std::string& place, WipedString& text, bool is_script) {
        if (problem_ || !may_have_templates(text)) return;
        const auto templates = find_templates(text);
        if (!templates) return complain(place, templates.error());
        if (templates->empty()) return;
        found_something_ = true;
        count_ += templates->size();
        if (count_ > most_templates) {
            return complain(place, Error("found more than " + std::to_string(most_templates) + " in the job"));
        }
        if (is_script) {
            fill_script(place, text, *templates);
        } else {
            fill_text(place, text, *templates);
        }
    }

    Result<std::optional<FilledJob>> end(SecretJson& json) {
        if (problem_) return fail(*problem_);
        if (!found_something_) return std::optional<FilledJob>();
        if (!filled_.variables.empty()) add_variables(json);
        filled_.document = json.dump(-1, ' ', false, SecretJson::error_handler_t::replace);
        return std::optional<FilledJob>(std::move(filled_));
    }

  private:
    void complain(const std::string& place, const Error& error) {
        problem_ = Error("the template in " + shown(place) + ", " + error.message());
    }

    /// The value, which is masked from now on if a secret went into it.
    std::optional<WipedString> value_of(const std::string& place, std::string_view text, const TextTemplate& found) {
        auto result = evaluate(found.expression, values_);
        if (!result) {
            complain(place, result.error().with_context(place_in(text, found.at)));
            return std::nullopt;
        }
        if (!result->warning.empty()) filled_.notes += "WARNING: " + result->warning + "\n";
        if (result->is_secret && !result->value.empty()) sources_.sink.secret_value("of a template", result->value);
        size_ += result->value.size();
        if (size_ <= longest_filled) return std::move(result->value);
        complain(place, Error(place_in(text, found.at) + ": the values are longer than 16 MiB together"));
        return std::nullopt;
    }

    void fill_text(const std::string& place, WipedString& text, const std::vector<TextTemplate>& templates) {
        WipedString filled;
        std::size_t at = 0;
        for (const auto& found : templates) {
            const auto value = value_of(place, text, found);
            if (!value) return;
            filled.append(text, at, found.begin - at).append(*value);
            at = found.end;
        }
        filled.append(text, at);
        text = std::move(filled);
        filled_.has_values = true;
    }

    void fill_script(const std::string& place, WipedString& text, const std::vector<TextTemplate>& templates) {
        const auto first = filled_.variables.size() + 1;
        const auto name = [&](std::size_t index) { return "TREBUCHET_VALUE_" + std::to_string(first + index); };
        const auto script = shell_text(text, templates, name);
        if (!script) return complain(place, script.error());
        for (std::size_t i = 0; i < templates.size(); ++i) {
            const auto value = value_of(place, text, templates[i]);
            if (!value) return;
            if (name(i).size() + 1 + value->size() > longest_variable || value->find('\0') != WipedString::npos) {
                const auto where = place_in(text, templates[i].at);
                return complain(place, Error(where + ": the value is too long for a variable, or holds a NUL byte"));
            }
            filled_.variables[name(i)] = SecretString(*value);
        }
        text = WipedString(*script);
    }

    void add_variables(SecretJson& json) const {
        auto& secrets = json["test_data"]["secrets"];
        if (!secrets.is_object()) secrets = SecretJson::object();
        for (const auto& [name, value] : filled_.variables) secrets[WipedString(name)] = WipedString(value.reveal());
    }

    const TemplateSources& sources_;
    PhaseValues values_;
    FilledJob filled_;
    bool found_something_ = false;
    std::size_t size_ = 0;
    std::size_t count_ = 0;
    std::optional<Error> problem_;
};

}  // namespace

std::set<std::string> template_names(const Job& job) {
    std::set<std::string> names;
    if (!may_have_templates(job.public_document) || has_too_many_openings(job.public_document)) return names;
    auto json = parse_secret_json(job.public_document, "the job");
    if (!json) return names;
    for (const Phase phase : all_phases) {
        const auto data = json->find(WipedString(data_name(phase)));
        if (data == json->end()) continue;
        visit_texts(*data, data_name(phase), [&](const std::string& /*place*/, WipedString& text) {
            if (names.size() >= most_templates) return;
            const auto templates = may_have_templates(text) ? find_templates(text) : fail("");
            if (!templates) return;
            for (const auto& found : *templates) collect_secret_names(found.expression, names);
        });
    }
    return names;
}

void ask_for_templates(const Job& job, const SecretsConfig& config, JobFacts& facts) {
    if (!config.templates) return;
    for (const auto& name : template_names(job)) {
        facts.asked_names.insert(name);
        for (const auto& grant : config.grants) {
            for (const auto* variables : {&grant.env, &grant.files}) {
                for (const auto& [variable, reference] : *variables) {
                    if (equals(variable, name)) facts.asked_names.insert(variable);
                }
            }
        }
    }
}

Result<std::optional<FilledJob>> fill_templates(std::string_view document, Phase phase,
                                                const TemplateSources& sources) {
    if (!may_have_templates(document)) return std::optional<FilledJob>();
    if (has_too_many_openings(document)) {
        return fail("the job has more than " + std::to_string(most_openings) + " times {{, expected fewer");
    }
    auto json = parse_secret_json(document, "the job");
    if (!json) return fail(json.error());
    const auto name = data_name(phase);
    const auto data = json->find(WipedString(name));
    if (data == json->end()) return std::optional<FilledJob>();
    Filling filling(sources);
    const auto script = data_name(Phase::test) + "." + script_field;
    visit_texts(*data, name,
                [&](const std::string& place, WipedString& text) { filling.fill(place, text, place == script); });
    return filling.end(*json);
}

}  // namespace trebuchet
