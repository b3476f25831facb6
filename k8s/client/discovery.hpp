// Whether the API server serves a kind, and in which versions.
//
// Asks /api or /apis/GROUP and then the group-version itself; nothing is cached, because a CRD may
// come at any time. On the transport's loop, callbacks too.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "k8s/api/kind.hpp"
#include "k8s/client/transport.hpp"
#include "runtime/model/result.hpp"

namespace troupe::k8s {

struct ServedKind {
  std::string plural;
  bool namespaced = false;
  bool has_status = false;
  std::vector<std::string> verbs;
};

struct GroupVersions {
  std::string preferred;
  std::vector<std::string> versions;
};

class Discovery {
 public:
  explicit Discovery(Transport& transport) : transport_(transport) {}

  // Of the kind's own group and version; none: not served.
  using Served = std::function<void(Result<std::optional<ServedKind>>)>;
  void served(const KindTable& kind, Served done);

  // All versions of the group; none: there is no such group.
  using Versions = std::function<void(Result<std::optional<GroupVersions>>)>;
  void versions(std::string_view group, Versions done);

 private:
  Transport& transport_;
};

// The parts below are separate for their tests. Bodies are padded as transport.hpp says.

Result<std::optional<ServedKind>> find_in_resource_list(const std::string& body,
                                                        std::string_view kind);
Result<GroupVersions> parse_group(const std::string& body);

}  // namespace troupe::k8s
