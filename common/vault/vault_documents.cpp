#include "common/vault/vault_documents.hpp"

#include <algorithm>
#include <utility>

namespace trebuchet {
namespace {

using Kind = VaultError::Kind;

constexpr std::string_view data_part = "data/";

VaultRequest get(std::string path, const SecretString& token) {
    VaultRequest request;
    request.path = std::move(path);
    request.token = &token;
    return request;
}

SecretString value_of(const SecretJson& value) {
    if (value.is_null()) return {};
    if (value.is_string()) return SecretString(value.get_ref<const WipedString&>());
    return SecretString(value.dump(-1, ' ', false, SecretJson::error_handler_t::replace));
}

/// {"NAME": "VALUE"} of "NAME=VALUE&NAME=VALUE".
WipedString body_of(std::string_view parameters) {
    auto body = SecretJson::object();
    while (!parameters.empty()) {
        const auto one = parameters.substr(0, parameters.find('&'));
        const auto equals = std::min(one.find('='), one.size());
        body[WipedString(one.substr(0, equals))] = WipedString(one.substr(std::min(equals + 1, one.size())));
        parameters.remove_prefix(std::min(one.size() + 1, parameters.size()));
    }
    return body.dump();
}

/// The first part of the path as a mount, where nothing better is known.
VaultMount guessed_mount(const std::string& path) {
    return {path.substr(0, path.find('/') + 1), VaultMount::Kind::kv2};
}

VaultError with_hint(const VaultError& error, const std::string& path) {
    if (error.kind == Kind::denied) {
        return {error.kind, error.status,
                error.text + ". Look at the policy (KV 2 needs read on " + guessed_mount(path).path +
                    "data/…), the mount's name and the namespace"};
    }
    if (error.kind == Kind::missing) return {error.kind, error.status, "there is no document " + path};
    return error;
}

}  // namespace

std::optional<VaultMount> mount_in(const SecretJson& answer) {
    const auto* data = object_in(answer, "data");
    if (data == nullptr) return std::nullopt;
    VaultMount mount{text_in(*data, "path"), VaultMount::Kind::other};
    if (!mount.path.ends_with('/')) return std::nullopt;
    const auto type = text_in(*data, "type");
    if (type != "kv" && type != "generic") return mount;
    const auto* options = object_in(*data, "options");
    const bool is_second = options != nullptr && text_in(*options, "version") == "2";
    mount.kind = is_second ? VaultMount::Kind::kv2 : VaultMount::Kind::kv1;
    return mount;
}

std::string place_of(const VaultMount& mount, const std::string& path) {
    if (mount.kind != VaultMount::Kind::kv2 || !path.starts_with(mount.path)) return path;
    const auto rest = path.substr(mount.path.size());
    return mount.path + (rest.starts_with(data_part) ? "" : std::string(data_part)) + rest;
}

VaultResult<VaultDocument> document_in(const SecretJson& answer, bool is_kv2) {
    const auto* data = object_in(answer, "data");
    if (is_kv2 && data != nullptr) data = object_in(*data, "data");
    if (data == nullptr) {
        return tl::unexpected(VaultError{Kind::missing, 200, "the document has no fields, or its version is deleted"});
    }
    VaultDocument document;
    for (const auto& [name, value] : data->items()) {
        document.fields.emplace(std::string(std::string_view(name)), value_of(value));
    }
    if (!text_in(answer, "lease_id").empty()) document.lifetime = seconds_in(answer, "lease_duration");
    return document;
}

const VaultMount* VaultReader::known_mount_of(std::string_view path) const {
    const auto found = std::find_if(mounts_.begin(), mounts_.end(),
                                    [&](const VaultMount& mount) { return path.starts_with(mount.path); });
    return found == mounts_.end() ? nullptr : &*found;
}

void VaultReader::read(const SecretString& token, const std::string& path, Done done) {
    if (path.find('?') != std::string::npos) return post(token, path, std::move(done));
    if (const auto* mount = known_mount_of(path)) return read_at(token, *mount, path, std::move(done));
    const auto shared = std::make_shared<const SecretString>(token.reveal());
    client_.send(get("sys/internal/ui/mounts/" + path, token),
                 [this, shared, path, done = std::move(done)](const VaultResult<SecretJson>& answer) {
                     if (!answer && answer.error().kind == Kind::unreachable)
                         return done(tl::unexpected(answer.error()));
                     const auto mount = answer ? mount_in(*answer) : std::nullopt;
                     if (!mount || !path.starts_with(mount->path)) return read_blindly(*shared, path, done);
                     mounts_.push_back(*mount);
                     read_at(*shared, *mount, path, done);
                 });
}

void VaultReader::post(const SecretString& token, const std::string& path, Done done) {
    const auto question = path.find('?');
    auto request = get(path.substr(0, question), token);
    request.method = HttpRequest::Method::post;
    request.body = body_of(std::string_view(path).substr(question + 1));
    request.makes_token = true;
    client_.send(std::move(request), [done = std::move(done)](const VaultResult<SecretJson>& answer) {
        if (!answer) return done(tl::unexpected(answer.error()));
        done(document_in(*answer, false));
    });
}

void VaultReader::read_at(const SecretString& token, const VaultMount& mount, const std::string& path, Done done) {
    const bool is_kv2 = mount.kind == VaultMount::Kind::kv2;
    client_.send(get(place_of(mount, path), token),
                 [is_kv2, path, done = std::move(done)](const VaultResult<SecretJson>& answer) {
                     if (!answer) return done(tl::unexpected(with_hint(answer.error(), path)));
                     done(document_in(*answer, is_kv2));
                 });
}

void VaultReader::read_blindly(const SecretString& token, const std::string& path, Done done) {
    const auto shared = std::make_shared<const SecretString>(token.reveal());
    const auto as_it_is = [this, shared, path](const Done& then) {
        read_at(*shared, {"", VaultMount::Kind::other}, path, then);
    };
    client_.send(get(place_of(guessed_mount(path), path), token),
                 [as_it_is, path, done = std::move(done)](const VaultResult<SecretJson>& answer) {
                     if (answer) return done(document_in(*answer, true));
                     const auto kind = answer.error().kind;
                     if (kind == Kind::missing || kind == Kind::denied) return as_it_is(done);
                     done(tl::unexpected(answer.error()));
                 });
}

}  // namespace trebuchet
