// Passwords out of Secrets.
#pragma once

#include <string_view>

#include "k8s/api/core.hpp"
#include "k8s/api/snapshot.hpp"
#include "runtime/model/result.hpp"
#include "runtime/model/secret.hpp"

namespace troupe::actors {

// The password of `user`: the value of that key in `secret`, encrypted with the key in `aes`
// (AES-256-CTR, 16 bytes IV first, raw or as base64 text). Errors name the Secret and the key, and
// what to do.
Result<Secret> password_of(std::string_view user, const k8s::ObjectPtr<k8s::SecretObject>& secret,
                           std::string_view secret_name,
                           const k8s::ObjectPtr<k8s::SecretObject>& aes, std::string_view aes_name,
                           std::string_view aes_key);

// The guard that such an error is: something has to be made, or something that is there has to be
// mended.
inline constexpr std::string_view kCredentialsMissing = "CredentialsMissing";
inline constexpr std::string_view kCredentialsInvalid = "CredentialsInvalid";
std::string_view rule_of_credentials(const Error& error);

// A value of a Secret as it is, without decryption.
Result<Secret> plain_value(const k8s::ObjectPtr<k8s::SecretObject>& secret, std::string_view key);

}  // namespace troupe::actors
