#include "k8s/api/arena.hpp"

#include <cstring>

namespace troupe::k8s {

Text Arena::text(std::string_view from) {
  if (from.empty()) return {};
  char* copy = allocate<char>(from.size());
  std::memcpy(copy, from.data(), from.size());
  return std::string_view(copy, from.size());
}

Raw Arena::raw(std::string_view json) {
  char* copy = allocate<char>(json.size() + kRawPadding);
  std::memcpy(copy, json.data(), json.size());
  std::memset(copy + json.size(), 0, kRawPadding);
  return Raw::from_padded({copy, json.size()});
}

TextMap Arena::map(const std::map<std::string, std::string>& entries) {
  TextMap::Entry* sorted = allocate<TextMap::Entry>(entries.size());
  std::size_t size = 0;
  for (const auto& [key, value] : entries) {
    new (&sorted[size++]) TextMap::Entry{text(key), text(value)};
  }
  return TextMap(List<TextMap::Entry>(std::span<const TextMap::Entry>(sorted, size)));
}

}  // namespace troupe::k8s
