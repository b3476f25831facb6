#include "tests/unit/actors/memory_cluster/documents.hpp"

#include <stdexcept>

#include "actors/model/json.hpp"
#include "k8s/api/decode.hpp"

namespace troupe::actors {

void merge_patch(boost::json::object& into, const boost::json::object& patch) {
  for (const auto& [key, value] : patch) {
    if (value.is_null())
      into.erase(key);
    else if (value.is_object())
      merge_patch(object_at(into, key), value.as_object());
    else
      into[key] = value;
  }
}

k8s::SnapshotPtr snapshot_of(const k8s::KindInfo& kind, const boost::json::object& json) {
  k8s::Decoder decoder;
  const auto text = boost::json::serialize(json);
  auto decoded = decoder.object(kind, k8s::Document(text));
  if (!decoded) throw std::invalid_argument(decoded.error().message + "\n" + text);
  return *decoded;
}

}  // namespace troupe::actors
