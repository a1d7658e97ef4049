#include "common/vault/vault_documents.hpp"
#include "tests/fuzz/require.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

using trebuchet::require;

/// Whatever a server answers, it is a document or refused, and no path leads elsewhere.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto answer = trebuchet::parse_secret_json({reinterpret_cast<const char*>(data), size}, "the answer");
    if (!answer) return 0;
    for (const bool is_kv2 : {false, true}) {
        const auto document = trebuchet::document_in(*answer, is_kv2);
        require(document || !document.error().text.empty(), "a refusal has a reason");
        require(!document || document->lifetime.count() >= 0, "a lifetime is not negative");
    }
    if (const auto mount = trebuchet::mount_in(*answer)) {
        require(mount->path.ends_with('/'), "a mount ends with a slash");
        const auto place = trebuchet::place_of(*mount, "secret/team/db");
        require(place == "secret/team/db" ||
                    place == mount->path + "data/" + std::string("secret/team/db").substr(mount->path.size()),
                "a document is read from its mount");
    }
    static_cast<void>(trebuchet::seconds_in(*answer, "lease_duration"));
    return 0;
}
