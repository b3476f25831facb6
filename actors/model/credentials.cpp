#include "actors/model/credentials.hpp"

#include <fmt/format.h>

#include "engines/agent/model/digest.hpp"
#include "engines/agent/model/passwords.hpp"

namespace troupe::actors {
namespace {

Result<std::string> bytes_of(const k8s::ObjectPtr<k8s::SecretObject>& secret,
                             std::string_view secret_name, std::string_view key) {
  if (!secret)
    return error(Code::NotFound, fmt::format("Secret {} does not exist: make it", secret_name));
  if (!secret->data.contains(key))
    return error(Code::NotFound, fmt::format("Secret {} has no key {}: add it", secret_name, key));
  auto bytes = agent::base64_decode(secret->data.get(key).view());
  if (!bytes)
    return error(Code::Invalid, fmt::format("Secret {}: key {} is not base64", secret_name, key));
  return std::move(*bytes);
}

}  // namespace

Result<Secret> password_of(std::string_view user, const k8s::ObjectPtr<k8s::SecretObject>& secret,
                           std::string_view secret_name,
                           const k8s::ObjectPtr<k8s::SecretObject>& aes, std::string_view aes_name,
                           std::string_view aes_key) {
  auto stored = bytes_of(secret, secret_name, user);
  if (!stored) return stored.error();
  auto key = bytes_of(aes, aes_name, aes_key);
  if (!key) return key.error();
  if (key->size() != agent::kAesKeyBytes)
    return error(Code::Invalid,
                 fmt::format("Secret {}, key {}: has {} characters, expected {}: put the key there "
                             "that the passwords are encrypted with",
                             aes_name, aes_key, key->size(), agent::kAesKeyBytes));
  auto password = agent::decrypt_password(fmt::format("Secret {}, key {}", secret_name, user),
                                          *stored, Secret(std::move(*key)));
  if (password) return password;
  return error(password.error().code,
               fmt::format("{}: encrypt it with the key in Secret {}, key {}, or correct that one",
                           password.error().message, aes_name, aes_key));
}

std::string_view rule_of_credentials(const Error& e) {
  return e.code == Code::NotFound ? kCredentialsMissing : kCredentialsInvalid;
}

Result<Secret> plain_value(const k8s::ObjectPtr<k8s::SecretObject>& secret, std::string_view key) {
  auto bytes = bytes_of(secret, secret ? secret->metadata.name.view() : "of accounts", key);
  if (!bytes) return bytes.error();
  return Secret(std::move(*bytes));
}

}  // namespace troupe::actors
