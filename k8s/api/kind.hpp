// Kinds at run time: what the client, the store and the generators know of a kind without its type.
//
// A kind's header declares `template <> const KindInfo& kind_info<T>();`, its source defines it by
// define_kind<T>() (codec.hpp).
#pragma once

#include <string>
#include <string_view>

#include "k8s/api/describe.hpp"

namespace boost::json {
class value;
}

namespace troupe::k8s {

// Stands for a kind (group and name, not version) in keys and tables. The same in every process.
enum class KindId : std::uint32_t {};

constexpr KindId kind_id(std::string_view group, std::string_view kind) {
  std::uint32_t hash = 2166136261u;  // FNV-1a
  auto mix = [&](std::string_view text) {
    for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  };
  mix(group);
  mix("/");
  mix(kind);
  return KindId{hash};
}

template <KindStruct T>
inline constexpr KindId kKindId = kind_id(kKind<T>.group, kKind<T>.kind);

namespace internal {
struct Codec;
}

struct KindInfo {
  KindId id;
  const KindTable& table;
  const internal::Codec& codec;

  // "v1", "apps/v1".
  std::string api_version() const;
  // "Unit.upm.syntropycloud.io", as kubectl writes it in errors.
  std::string name() const;
};

template <class T>
const KindInfo& kind_info();

// Path of one object, or of the collection if `name` is empty; of all namespaces if `ns` is empty:
// /apis/upm.syntropycloud.io/v1alpha2/namespaces/default/units/db-0/status
std::string resource_path(const KindTable& kind, std::string_view ns, std::string_view name = {},
                          std::string_view subresource = {});

}  // namespace troupe::k8s
