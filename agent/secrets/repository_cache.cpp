#include "agent/secrets/repository_cache.hpp"

#include "common/git/git.hpp"
#include "common/log/log.hpp"
#include "common/repository_file/repository_file.hpp"

#include <utility>

namespace trebuchet {
namespace {

GitSource git_source(const RepositoryCache::Ask& ask) {
    GitSource source;
    source.url = ask.repository.url;
    source.branch = ask.repository.branch;
    source.file = repository_file_name;
    source.is_interrupted = ask.is_interrupted;
    return source;
}

}  // namespace

RepositoryCache::RepositoryCache()
    : source_{[](const Ask& ask) { return remote_commit(ask.loop, git_source(ask)); },
              [](const Ask& ask, const std::string& commit) {
                  return fetch_file(ask.loop, git_source(ask), commit, ask.scratch);
              }} {}

Result<RepositoryText> RepositoryCache::get(const Ask& ask) {
    const auto key = ask.repository.url + "\n" + ask.repository.branch;
    const auto known = known_.find(key);
    const auto commit = source_.commit(ask);
    if (commit && known != known_.end() && known->second.text.commit == *commit) {
        known->second.seen = ask.now;
        return known->second.text;
    }
    auto text = commit ? source_.file(ask, *commit) : fail(commit.error());
    if (text) {
        const RepositoryText fresh{*commit, std::move(*text)};
        known_[key] = {fresh, ask.now};
        return fresh;
    }
    if (known == known_.end() || ask.now - known->second.seen > keep) return fail(text.error());
    log_warning("the last file of the repository is used, commit " + known->second.text.commit + ": " +
                text.error().message());
    return known->second.text;
}

}  // namespace trebuchet
