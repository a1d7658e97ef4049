#include "provision/cli/type_help.hpp"

#include "provision/connectors/registry.hpp"

#include <algorithm>

namespace trebuchet {
namespace {

std::string value_of(const KeySpec& spec) {
    if (spec.kind != KeyKind::choice) return name_of(spec.kind);
    std::string choices;
    for (const auto choice : spec.choices) choices += (choices.empty() ? "" : "|") + std::string(choice);
    return choices;
}

void add_keys(std::string& page, const std::string& title, const std::vector<KeySpec>& keys) {
    if (keys.empty()) return;
    std::size_t width = 0;
    for (const auto& spec : keys) width = std::max(width, spec.name.size());
    page += "\n" + title + "\n";
    for (const auto& spec : keys) {
        page += "  " + std::string(spec.name) + std::string(width - spec.name.size() + 2, ' ') +
                std::string(spec.help) + " (" + value_of(spec);
        if (spec.is_required) page += "; required";
        if (spec.is_secret) page += "; secret";
        if (!spec.fallback.empty()) page += "; default " + std::string(spec.fallback);
        page += ")\n";
    }
}

}  // namespace

std::string type_help(std::string_view type) {
    const std::string name(type);
    const auto keys = make_connector(type)->keys();
    std::string page = "Usage: trebuchet-provision " + name + " STAGE -c CONFIG.yaml JOB.json\n";
    add_keys(page, "Configuration keys of this type:", keys.config);
    add_keys(page, "Keys of the job's provision_data:", keys.provision_data);
    add_keys(page, "Configuration keys of every type:", common_keys().config);
    page += "\nExample:\n  trebuchet-provision " + name + " provision -c default.yaml testflinger.json\n";
    return page;
}

}  // namespace trebuchet
