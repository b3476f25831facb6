// custom resource definitions; webhook configurations, which are stored and not called.
#include <fmt/format.h>

#include "k8s/sim/api/builtins.hpp"
#include "k8s/sim/api/custom_types.hpp"
#include "k8s/sim/api/table.hpp"

namespace troupe::sim {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (auto& c : result) c = static_cast<char>(::tolower(c));
  return result;
}

ApiResult<void> prepare_definition(WriteScope&, json::object& object, const json::object* old) {
  auto& spec = child(object, "spec");
  auto& names = child(spec, "names");
  const auto kind = std::string(string_at(names, "kind"));
  if (!names.contains("singular")) names["singular"] = lower(kind);
  if (!names.contains("listKind")) names["listKind"] = kind + "List";
  if (!spec.contains("conversion")) spec["conversion"] = json::object{{"strategy", "None"}};
  if (old != nullptr) return {};
  add_finalizer(object, "customresourcecleanup.apiextensions.k8s.io");
  json::array stored;
  if (const auto* versions = array_at(spec, "versions")) {
    for (const auto& version : *versions) {
      const auto* entry = version.if_object();
      if (entry != nullptr && true_at(*entry, "storage"))
        stored.emplace_back(string_at(*entry, "name"));
    }
  }
  object["status"] = json::object{{"acceptedNames", json::object{{"kind", ""}, {"plural", ""}}},
                                  {"conditions", json::array()},
                                  {"storedVersions", std::move(stored)}};
  return {};
}

void validate_definition(const WriteScope& scope, const json::object& object,
                         const json::object* old, std::vector<FieldError>& errors) {
  if (scope.subresource == "status") return;
  const auto name = name_of(object);
  const auto wanted =
      fmt::format("{}.{}", string_at(object, "spec.names.plural"), string_at(object, "spec.group"));
  if (name != wanted) {
    errors.push_back(invalid("metadata.name", fmt::format("\"{}\"", name),
                             "must be spec.names.plural+\".\"+spec.group"));
  }
  const auto where = string_at(object, "spec.scope");
  if (where != "Namespaced" && where != "Cluster") {
    errors.push_back(
        not_supported("spec.scope", fmt::format("\"{}\"", where), {"Cluster", "Namespaced"}));
  }
  if (old != nullptr && string_at(*old, "spec.scope") != where) {
    errors.push_back(invalid("spec.scope", fmt::format("\"{}\"", where), "field is immutable"));
  }
  if (string_at(object, "spec.names.kind").empty()) errors.push_back(required("spec.names.kind"));
  if (string_at(object, "spec.conversion.strategy") == "Webhook") {
    errors.push_back(not_supported("spec.conversion.strategy", "\"Webhook\"", {"None"}));
  }
  const auto* versions = array_at(object, "spec.versions");
  std::size_t storage = 0;
  if (versions != nullptr) {
    for (const auto& version : *versions) {
      storage += version.is_object() && true_at(version.get_object(), "storage") ? 1 : 0;
    }
  }
  if (storage != 1) {
    errors.push_back(invalid("spec.versions",
                             versions == nullptr ? "null" : json::serialize(*versions),
                             "must have exactly one version marked as storage version"));
  }
  if (auto types = custom_types(object); !types) {
    errors.insert(errors.end(), types.error().begin(), types.error().end());
  }
}

ResourceType definitions() {
  ResourceType type{
      .group = "apiextensions.k8s.io",
      .version = "v1",
      .kind = "CustomResourceDefinition",
      .plural = "customresourcedefinitions",
      .singular = "customresourcedefinition",
      .short_names = {"crd", "crds"},
      .categories = {"api-extensions"},
      .namespaced = false,
      .has_status = true,
      .counts_generations = true,
      .columns = {name_column(), {.name = "Created At", .cell = [](const auto& o, WallTime) {
                                    return json::value(string_at(o, "metadata.creationTimestamp"));
                                  }}}};
  type.strategy.prepare = prepare_definition;
  type.strategy.validate = validate_definition;
  return type;
}

ResourceType webhook_type(std::string kind, std::string plural) {
  std::string singular = lower(kind);
  return {.group = "admissionregistration.k8s.io",
          .version = "v1",
          .kind = std::move(kind),
          .plural = std::move(plural),
          .singular = std::move(singular),
          .categories = {"api-extensions"},
          .namespaced = false,
          .counts_generations = true,
          .columns = {name_column(),
                      {.name = "Webhooks",
                       .cell =
                           [](const auto& o, WallTime) {
                             const auto* hooks = array_at(o, "webhooks");
                             return json::value(hooks == nullptr ? 0 : hooks->size());
                           }},
                      age_column()}};
}

}  // namespace

std::vector<ResourceType> extension_types() {
  return {definitions(),
          webhook_type("ValidatingWebhookConfiguration", "validatingwebhookconfigurations"),
          webhook_type("MutatingWebhookConfiguration", "mutatingwebhookconfigurations")};
}

}  // namespace troupe::sim
