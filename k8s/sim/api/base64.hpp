// Base64 as Kubernetes uses it: standard with padding (Secrets), URL-safe without (tokens).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace troupe::sim {

std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);
std::string base64_url_encode(std::string_view bytes);
std::optional<std::string> base64_url_decode(std::string_view text);

}  // namespace troupe::sim
