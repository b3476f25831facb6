// Reviews: asked by POST, answered, never stored. Without authorization everything is allowed.
#include "k8s/sim/api/builtins.hpp"
#include "k8s/sim/api/core.hpp"
#include "k8s/sim/api/tokens.hpp"

namespace troupe::sim {
namespace {

ApiResult<json::object> allow(WriteScope&, json::object object) {
  object["status"] = json::object{{"allowed", true}, {"reason", "everything is allowed here"}};
  return object;
}

ApiResult<json::object> list_rules(WriteScope&, json::object object) {
  const json::array any{"*"};
  object["status"] = json::object{
      {"resourceRules",
       json::array{json::object{{"verbs", any}, {"apiGroups", any}, {"resources", any}}}},
      {"nonResourceRules", json::array{json::object{{"verbs", any}, {"nonResourceURLs", any}}}},
      {"incomplete", false}};
  return object;
}

ApiResult<json::object> review_token(WriteScope& scope, json::object object) {
  const auto identity = scope.core.tokens->identify(string_at(object, "spec.token"), scope.now);
  json::object status{{"authenticated", identity.has_value()}};
  if (identity) {
    status["user"] = to_user_info(*identity);
  } else {
    status["error"] = "invalid bearer token";
  }
  object["status"] = std::move(status);
  return object;
}

ApiResult<json::object> review_self(WriteScope& scope, json::object object) {
  object["status"] =
      json::object{{"userInfo", json::object{{"username", scope.user},
                                             {"groups", json::array{"system:authenticated"}}}}};
  return object;
}

ResourceType review(std::string group, std::string kind, bool namespaced,
                    ApiResult<json::object> (*answer)(WriteScope&, json::object)) {
  std::string singular = kind;
  for (auto& c : singular) c = static_cast<char>(::tolower(c));
  ResourceType type{.group = std::move(group),
                    .version = "v1",
                    .kind = std::move(kind),
                    .plural = singular + "s",
                    .singular = singular,
                    .namespaced = namespaced,
                    .verbs = {"create"}};
  type.strategy.answer = answer;
  return type;
}

}  // namespace

std::vector<ResourceType> review_types() {
  return {review("authentication.k8s.io", "TokenReview", false, review_token),
          review("authentication.k8s.io", "SelfSubjectReview", false, review_self),
          review("authorization.k8s.io", "SubjectAccessReview", false, allow),
          review("authorization.k8s.io", "SelfSubjectAccessReview", false, allow),
          review("authorization.k8s.io", "LocalSubjectAccessReview", true, allow),
          review("authorization.k8s.io", "SelfSubjectRulesReview", false, list_rules)};
}

}  // namespace troupe::sim
