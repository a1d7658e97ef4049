#include "common/secret/secret_string.hpp"

#include <algorithm>

#include <openssl/crypto.h>

namespace trebuchet {

void wipe(void* data, std::size_t size) noexcept {
    if (size > 0) OPENSSL_cleanse(data, size);
}

SecretString::SecretString(std::string_view bytes)
    : data_(bytes.empty() ? nullptr : static_cast<char*>(allocate_secret(bytes.size())), Wiper{bytes.size()}),
      size_(bytes.size()) {
    std::copy(bytes.begin(), bytes.end(), data_.get());
}

}  // namespace trebuchet
