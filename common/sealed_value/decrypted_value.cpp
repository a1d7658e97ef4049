#include "common/sealed_value/decrypted_value.hpp"

#include "common/secret/base64.hpp"

namespace trebuchet {

Result<SecretString> decrypted_value(const KeyFolder& keys, const KeyOwner& owner, const EncryptedValue& value,
                                     KeyFolder::Time now) {
    if (value.entries.empty()) return fail("it is not encrypted, or only a placeholder");
    auto problem = Error("it is encrypted for other users only");
    for (const auto& entry : value.entries) {
        if (!entry.user.empty() && entry.user != owner.user) continue;
        const auto blocks = base64_decoded(entry.base64);
        auto decrypted = blocks ? keys.decrypt(owner, blocks->reveal(), now) : fail("it is not base64");
        if (!decrypted) {
            problem = decrypted.error();
        } else if (decrypted->reveal().find('\0') != std::string_view::npos) {
            problem = Error("it holds a NUL byte, which an environment cannot");
        } else {
            return std::move(*decrypted);
        }
    }
    return fail(problem);
}

}  // namespace trebuchet
