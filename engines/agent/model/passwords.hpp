// Passwords as they lie in Secrets: AES-256-CTR behind a random IV, as raw bytes or as base64 text.
//
// The key is 32 ASCII characters used as they are. A value is 16 bytes of IV, then the ciphertext;
// there is no padding and no authentication, so a wrong key gives other bytes, not an error: those
// that are not UTF-8 text are refused, the rest the database refuses. Pure; errors hold neither key
// nor value.
#pragma once

#include <string_view>

#include "runtime/model/result.hpp"
#include "runtime/model/secret.hpp"

namespace troupe::agent {

inline constexpr std::size_t kAesKeyBytes = 32;
inline constexpr std::size_t kAesIvBytes = 16;

// `name` says in errors which entry of which Secret it is.
Result<Secret> decrypt_password(std::string_view name, std::string_view stored, const Secret& key);

// For Secrets that the operator fills in: the raw form. `iv` is 16 random bytes.
Result<std::string> encrypt_password(const Secret& password, const Secret& key,
                                     std::string_view iv);

}  // namespace troupe::agent
