#include "engines/agent/model/digest.hpp"

#include <openssl/evp.h>

#include <array>

namespace troupe::agent {
namespace {

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string digest_hex(std::string_view text, const EVP_MD* kind) {
  std::array<char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  ::EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), &size,
               kind, nullptr);
  return to_hex({digest.data(), size});
}

}  // namespace

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::string sha1_hex(std::string_view text) { return digest_hex(text, ::EVP_sha1()); }
std::string sha256_hex(std::string_view text) { return digest_hex(text, ::EVP_sha256()); }

std::string base64_encode(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const auto size = ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes_of(bytes),
                                      static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out(text.size() / 4 * 3, '\0');
  const auto size = ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes_of(text),
                                      static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  out.resize(static_cast<std::size_t>(size));
  for (auto end = text; end.ends_with('=') && !out.empty(); end.remove_suffix(1)) out.pop_back();
  // Bits that no byte uses, white space and padding in the middle do not survive a round trip.
  if (base64_encode(out) != text) return std::nullopt;
  return out;
}

}  // namespace troupe::agent
