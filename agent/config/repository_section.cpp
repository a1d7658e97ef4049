#include "agent/config/repository_section.hpp"

#include "common/git/git.hpp"
#include "common/sealed_value/repository_url.hpp"

#include <utility>

namespace trebuchet {
namespace {

void read_url(SectionReader& reader, std::string& url) {
    url = reader.non_empty_string("url").value_or("");
    if (repository_url(url) && !url.starts_with("http://")) return;
    url.clear();
    // A password may stand in it, so it is not quoted.
    reader.note("url", {{},
                        "expected the URL of a git repository by https or ssh, without a password or token: a "
                        "credential helper of git can give that"});
}

void read_branch(SectionReader& reader, std::string& branch) {
    const auto text = reader.string("branch");
    if (!text) return;
    if (is_branch_name(*text)) {
        branch = *text;
    } else {
        reader.note("branch", reader.take("branch")->expected("the name of a branch, such as main"));
    }
}

void read_plans(SectionReader& reader, bool& by_job_name) {
    reader.choice("plans", {{"none", false}, {"by_job_name", true}}, by_job_name);
}

void read_entry(SectionReader& reader, RepositorySecrets& entry) {
    read_url(reader, entry.url);
    read_branch(reader, entry.branch);
    reader.texts("queues", entry.queues);
    reader.texts("client_ids", entry.client_ids);
    reader.choice("attachments", {{"none", false}, {"any", true}}, entry.any_attachments);
    read_plans(reader, entry.plans_by_job_name);
    reader.refuse_unknown();
}

}  // namespace

void read_repositories(SectionReader& outer, SectionNotes notes, std::vector<RepositorySecrets>& repositories) {
    constexpr const char* key = "repositories";
    if (const auto* node = outer.take(key)) {
        repositories.clear();  // the other file's
        if (node->kind != YamlKind::sequence) outer.note(key, node->expected("a list of repositories"));
        for (std::size_t i = 0; i < node->items.size(); ++i) {
            const auto& item = node->items[i];
            const auto place = std::string(key) + "[" + std::to_string(i) + "]";
            if (item.kind != YamlKind::map) {
                outer.note(place, item.expected("a map with url, client_ids and queues"));
                continue;
            }
            EffectiveSettings not_shown;
            const auto problems = notes.problems.size();
            const SectionNotes inner{notes.file, notes.prefix + place + ".", "", notes.problems, not_shown};
            SectionReader reader(item, inner);
            RepositorySecrets entry;
            read_entry(reader, entry);
            if (notes.problems.size() > problems) continue;
            if (entry.client_ids.empty()) {
                outer.note(place,
                           {item.at, "client_ids: found nothing, expected who may use the repository's secrets"});
            } else {
                repositories.push_back(std::move(entry));
            }
        }
    }
    std::vector<std::string> urls;
    urls.reserve(repositories.size());
    for (const auto& entry : repositories) urls.push_back(entry.url);
    outer.show(key, shown_list(urls));
}

}  // namespace trebuchet
