#include "actors/model/settled.hpp"

#include <functional>

namespace troupe::actors {

Inputs& Inputs::number(std::uint64_t n) {
  fingerprint_ = mix(fingerprint_, n);
  return *this;
}

Inputs& Inputs::text(std::string_view text) { return number(std::hash<std::string_view>{}(text)); }

void Inputs::metadata(const k8s::ObjectMeta& meta) {
  number(static_cast<std::uint64_t>(meta.generation));
  number(bool(meta.deletionTimestamp));
  for (const auto* map : {&meta.labels, &meta.annotations}) {
    number(map->size());
    for (const auto& [key, value] : *map) text(key).text(value);
  }
}

}  // namespace troupe::actors
