// Hashes and encodings of small texts, over OpenSSL.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace troupe::agent {

std::string to_hex(std::string_view bytes);
std::string sha1_hex(std::string_view text);
std::string sha256_hex(std::string_view text);

std::string base64_encode(std::string_view bytes);
// Canonical base64 only: the standard alphabet, padded, without white space.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace troupe::agent
