#include "engines/agent/model/passwords.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <memory>

#include "engines/agent/model/digest.hpp"
#include "runtime/model/utf8.hpp"

namespace troupe::agent {
namespace {

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// Counter mode is its own inverse.
Result<std::string> apply_cipher(std::string_view text, const Secret& key, std::string_view iv) {
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&::EVP_CIPHER_CTX_free)> context(
      ::EVP_CIPHER_CTX_new(), ::EVP_CIPHER_CTX_free);
  std::string out(text.size(), '\0');
  int size = 0;
  if (!context ||
      ::EVP_DecryptInit_ex(context.get(), ::EVP_aes_256_ctr(), nullptr, bytes_of(key.reveal()),
                           bytes_of(iv)) != 1 ||
      ::EVP_DecryptUpdate(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                          bytes_of(text), static_cast<int>(text.size())) != 1) {
    return error(Code::Fatal, "AES-256-CTR is not available in this OpenSSL");
  }
  return out;
}

Result<void> check_key(const Secret& key) {
  if (key.reveal().size() == kAesKeyBytes) return {};
  return error(Code::Invalid, fmt::format("the AES key has {} characters, expected {}",
                                          key.reveal().size(), kAesKeyBytes));
}

}  // namespace

Result<Secret> decrypt_password(std::string_view name, std::string_view stored, const Secret& key) {
  if (auto right = check_key(key); !right) return right.error();
  std::string raw(stored);
  if (auto decoded = base64_decode(stored); decoded && decoded->size() > kAesIvBytes) {
    raw = *std::move(decoded);
  }
  if (raw.size() <= kAesIvBytes) {
    return error(Code::Invalid,
                 fmt::format("{} has {} bytes, expected {} bytes of IV and then the encrypted "
                             "password, raw or as base64",
                             name, raw.size(), kAesIvBytes));
  }
  const std::string_view view = raw;
  auto plain = apply_cipher(view.substr(kAesIvBytes), key, view.substr(0, kAesIvBytes));
  if (!plain) return plain.error();
  Secret password(*std::move(plain));
  if (!is_printable(password.reveal())) {
    return error(Code::Invalid,
                 fmt::format("{} does not decrypt to a text: it was encrypted with another key, or "
                             "is not encrypted",
                             name));
  }
  return password;
}

Result<std::string> encrypt_password(const Secret& password, const Secret& key,
                                     std::string_view iv) {
  if (auto right = check_key(key); !right) return right.error();
  if (iv.size() != kAesIvBytes) return error(Code::Invalid, "the IV must have 16 bytes");
  auto cipher = apply_cipher(password.reveal(), key, iv);
  if (!cipher) return cipher.error();
  return std::string(iv) + *cipher;
}

}  // namespace troupe::agent
