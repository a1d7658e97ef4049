#pragma once

#include "common/repository_file/encrypted_entry.hpp"
#include "common/sealed_value/key_folder.hpp"

namespace trebuchet {

/// Decrypts the first entry that can be decrypted, of those that are for the owner's user, or for nobody in particular.
/// Fails if there is none, without a value in the message; an entry is never taken as plain text. A value with a NUL is
/// refused, as no environment can hold it. Thread-safe.
[[nodiscard]] Result<SecretString> decrypted_value(const KeyFolder& keys, const KeyOwner& owner,
                                                   const EncryptedValue& value, KeyFolder::Time now);

}  // namespace trebuchet
