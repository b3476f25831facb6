#include "k8s/api/kind.hpp"

#include <fmt/format.h>

namespace troupe::k8s {

std::string KindInfo::api_version() const {
  return table.group.empty() ? std::string(table.version)
                             : fmt::format("{}/{}", table.group, table.version);
}

std::string KindInfo::name() const {
  return table.group.empty() ? std::string(table.kind)
                             : fmt::format("{}.{}", table.kind, table.group);
}

std::string resource_path(const KindTable& kind, std::string_view ns, std::string_view name,
                          std::string_view subresource) {
  std::string path = kind.group.empty() ? fmt::format("/api/{}", kind.version)
                                        : fmt::format("/apis/{}/{}", kind.group, kind.version);
  if (!ns.empty()) path += fmt::format("/namespaces/{}", ns);
  path += fmt::format("/{}", kind.plural);
  if (!name.empty()) path += fmt::format("/{}", name);
  if (!subresource.empty()) path += fmt::format("/{}", subresource);
  return path;
}

}  // namespace troupe::k8s
