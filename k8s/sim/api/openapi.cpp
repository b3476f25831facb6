#include "k8s/sim/api/openapi.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "k8s/sim/api/builtin_schemas.hpp"

namespace troupe::sim {
namespace {

constexpr std::string_view kMetaPrefix = "io.k8s.apimachinery.pkg.apis.meta.v1.";

json::object reference(std::string_view component) {
  return {{"$ref", fmt::format("#/components/schemas/{}", component)}};
}

std::string group_path(const OpenApiResource& r) {
  return r.group.empty() ? "api/" + r.version : fmt::format("apis/{}/{}", r.group, r.version);
}

std::string capitalized(std::string text) {
  if (!text.empty()) text[0] = static_cast<char>(std::toupper(text[0]));
  return text;
}

// "example.com" as a Java-style package: com.example.
std::string reversed_domain(std::string_view group) {
  std::string out;
  while (!group.empty()) {
    const auto dot = group.rfind('.');
    const auto label = dot == std::string_view::npos ? group : group.substr(dot + 1);
    out.append(out.empty() ? "" : ".").append(label);
    group = dot == std::string_view::npos ? "" : group.substr(0, dot);
  }
  return out;
}

std::string component_of(const OpenApiResource& r) {
  if (r.schema.is_null()) {
    for (const auto& kind : builtin_kinds()) {
      if (kind.group == r.group && kind.version == r.version && kind.kind == r.kind) {
        return kind.component;
      }
    }
  }
  return fmt::format("{}.{}.{}", reversed_domain(r.group), r.version, r.kind);
}

// Parameters that kubectl looks for: dryRun and fieldValidation tell what the server can do.
json::array query_parameters(std::initializer_list<std::string_view> names) {
  json::array out;
  for (const auto name : names) {
    const bool boolean = name == "force" || name == "watch" || name == "allowWatchBookmarks";
    const bool integer = name == "limit" || name == "timeoutSeconds";
    out.push_back({{"name", name},
                   {"in", "query"},
                   {"schema",
                    {{"type", boolean   ? "boolean"
                              : integer ? "integer"
                                        : "string"},
                     {"uniqueItems", true}}}});
  }
  return out;
}

json::array path_parameters(const OpenApiResource& r, bool with_name) {
  json::array out;
  const auto add = [&out](std::string_view name) {
    out.push_back({{"name", name},
                   {"in", "path"},
                   {"required", true},
                   {"schema", {{"type", "string"}, {"uniqueItems", true}}}});
  };
  if (with_name) add("name");
  if (r.namespaced) add("namespace");
  return out;
}

json::object content(std::initializer_list<std::string_view> media_types,
                     const json::object& schema) {
  json::object out;
  for (const auto type : media_types) out[type] = {{"schema", schema}};
  return out;
}

class DocumentBuilder {
 public:
  explicit DocumentBuilder(std::string path) : path_(std::move(path)) {}

  void add(const OpenApiResource& r) {
    const auto component = component_of(r);
    add_schema(r, component);
    const auto scope = r.namespaced ? "/namespaces/{namespace}" : "";
    const auto collection = fmt::format("/{}{}/{}", path_, scope, r.plural);
    const auto item = collection + "/{name}";
    add_collection(r, component, collection);
    add_item(r, component, item, "");
    if (r.namespaced) add_all_namespaces(r, component);
    if (r.has_status) add_item(r, component, item + "/status", "Status");
    if (r.has_scale) add_item(r, component, item + "/scale", "Scale");
  }

  OpenApiDocument build() {
    json::object document;
    document["openapi"] = "3.0.0";
    document["info"] = {{"title", "Kubernetes"}, {"version", "v1"}};
    document["paths"] = std::move(paths_);
    document["components"] = {{"schemas", std::move(schemas_)}};
    auto body = json::serialize(document);
    auto hash = content_hash(body);
    return {path_, std::move(body), std::move(hash)};
  }

 private:
  static json::array gvk(const OpenApiResource& r) {
    return {{{"group", r.group}, {"version", r.version}, {"kind", r.kind}}};
  }

  void add_schema(const OpenApiResource& r, const std::string& component) {
    if (!r.schema.is_null()) {
      add_custom_schema(r, component);
    } else if (builtin_components().contains(component)) {
      copy_component(component);
    } else {
      // A review and the like, which take what they are sent.
      schemas_[component] = {{"type", "object"}, {"x-kubernetes-group-version-kind", gvk(r)}};
    }
    const auto list = component + "List";
    schemas_[list] = {
        {"type", "object"},
        {"description", fmt::format("A list of {}.", r.kind)},
        {"required", json::array{"items"}},
        {"properties",
         {{"apiVersion", {{"type", "string"}}},
          {"kind", {{"type", "string"}}},
          {"metadata", {{"type", "object"}}},
          {"items", {{"type", "array"}, {"items", reference(component)}}}}},
        {"x-kubernetes-group-version-kind",
         json::array{{{"group", r.group}, {"version", r.version}, {"kind", r.kind + "List"}}}}};
  }

  void add_custom_schema(const OpenApiResource& r, const std::string& component) {
    auto schema = r.schema.is_object() ? r.schema.get_object() : json::object();
    auto& properties = schema["properties"];
    if (!properties.is_object()) properties = json::object();
    auto& p = properties.get_object();
    const auto meta = std::string(kMetaPrefix) + "ObjectMeta";
    copy_component(meta);
    if (!p.contains("apiVersion")) p["apiVersion"] = {{"type", "string"}};
    if (!p.contains("kind")) p["kind"] = {{"type", "string"}};
    p["metadata"] = {{"allOf", json::array{reference(meta)}},
                     {"description", "Name, namespace, labels, owners and so on."}};
    schema["x-kubernetes-group-version-kind"] = gvk(r);
    schemas_[component] = std::move(schema);
  }

  // A built-in component and all that it refers to.
  void copy_component(const std::string& component) {
    if (schemas_.contains(component)) return;
    const auto* source = builtin_components().if_contains(component);
    if (!source) return;
    schemas_[component] = *source;
    copy_references(*source);
  }

  void copy_references(const json::value& value) {
    if (const auto* object = value.if_object()) {
      for (const auto& [name, member] : *object) {
        if (name == "$ref" && member.is_string()) {
          const std::string_view text = member.get_string();
          copy_component(std::string(text.substr(text.rfind('/') + 1)));
        } else {
          copy_references(member);
        }
      }
    } else if (const auto* array = value.if_array()) {
      for (const auto& item : *array) copy_references(item);
    }
  }

  json::object operation(const OpenApiResource& r, std::string_view verb, std::string_view action,
                         std::string_view suffix, std::string_view component,
                         json::array parameters) {
    json::object out;
    out["operationId"] = fmt::format(
        "{}{}{}{}{}{}", verb, capitalized(r.group.empty() ? "core" : std::string(r.group)),
        capitalized(r.version), r.namespaced ? "Namespaced" : "", r.kind, suffix);
    out["parameters"] = std::move(parameters);
    out["responses"] = {
        {"200",
         {{"description", "OK"},
          {"content", content({"application/json", "application/yaml"}, reference(component))}}}};
    out["x-kubernetes-action"] = action;
    out["x-kubernetes-group-version-kind"] = {
        {"group", r.group}, {"version", r.version}, {"kind", r.kind}};
    return out;
  }

  static json::object body_of(std::string_view component) {
    return {{"content", content({"application/json", "application/yaml"}, reference(component))},
            {"required", true}};
  }

  void add_collection(const OpenApiResource& r, const std::string& component,
                      const std::string& path) {
    auto& entry = paths_[path].emplace_object();
    entry["parameters"] = path_parameters(r, false);
    entry["get"] = operation(r, "list", "list", "", component + "List", list_parameters());
    auto post = operation(r, "create", "post", "", component,
                          query_parameters({"dryRun", "fieldManager", "fieldValidation"}));
    post["requestBody"] = body_of(component);
    entry["post"] = std::move(post);
    entry["delete"] = operation(r, "deleteCollection", "deletecollection", "", component,
                                query_parameters({"labelSelector", "dryRun"}));
  }

  void add_all_namespaces(const OpenApiResource& r, const std::string& component) {
    auto& entry = paths_[fmt::format("/{}/{}", path_, r.plural)].emplace_object();
    entry["get"] =
        operation(r, "list", "list", "ForAllNamespaces", component + "List", list_parameters());
  }

  static json::array list_parameters() {
    return query_parameters({"labelSelector", "fieldSelector", "limit", "continue",
                             "resourceVersion", "resourceVersionMatch", "sendInitialEvents",
                             "timeoutSeconds", "watch", "allowWatchBookmarks"});
  }

  void add_item(const OpenApiResource& r, const std::string& component, const std::string& path,
                std::string_view suffix) {
    const bool is_scale = suffix == "Scale";
    const std::string shown = is_scale ? "io.k8s.api.autoscaling.v1.Scale" : component;
    if (is_scale) copy_component(shown);
    auto& entry = paths_[path].emplace_object();
    entry["parameters"] = path_parameters(r, true);
    entry["get"] = operation(r, "read", "get", suffix, shown, query_parameters({}));
    auto put = operation(r, "replace", "put", suffix, shown,
                         query_parameters({"dryRun", "fieldManager", "fieldValidation"}));
    put["requestBody"] = body_of(shown);
    entry["put"] = std::move(put);
    auto patch =
        operation(r, "patch", "patch", suffix, shown,
                  query_parameters({"dryRun", "fieldManager", "fieldValidation", "force"}));
    patch["requestBody"] = {{"content", patch_content(r)}, {"required", true}};
    entry["patch"] = std::move(patch);
    if (!suffix.empty()) return;
    entry["delete"] =
        operation(r, "delete", "delete", "", std::string(kMetaPrefix) + "Status",
                  query_parameters({"dryRun", "gracePeriodSeconds", "propagationPolicy"}));
    schemas_[std::string(kMetaPrefix) + "Status"] = {{"type", "object"},
                                                     {"description", "The outcome of a request."}};
  }

  static json::object patch_content(const OpenApiResource& r) {
    const json::object patch = {{"type", "object"}};
    auto out = content({"application/apply-patch+yaml", "application/json-patch+json",
                        "application/merge-patch+json"},
                       patch);
    if (r.schema.is_null()) {
      out["application/strategic-merge-patch+json"] = {{"schema", patch}};
    }
    return out;
  }

  std::string path_;
  json::object paths_;
  json::object schemas_;
};

}  // namespace

std::string content_hash(std::string_view body) {
  std::uint64_t forward = 0xcbf29ce484222325;
  std::uint64_t backward = forward;
  for (std::size_t i = 0; i < body.size(); ++i) {
    forward = (forward ^ static_cast<unsigned char>(body[i])) * 0x100000001b3;
    backward = (backward ^ static_cast<unsigned char>(body[body.size() - 1 - i])) * 0x100000001b3;
  }
  return fmt::format("{:016X}{:016X}", forward, backward);
}

std::vector<OpenApiDocument> openapi_documents(const std::vector<OpenApiResource>& resources) {
  std::map<std::string, DocumentBuilder> builders;
  for (const auto& resource : resources) {
    const auto path = group_path(resource);
    builders.try_emplace(path, path).first->second.add(resource);
  }
  std::vector<OpenApiDocument> out;
  for (auto& [path, builder] : builders) out.push_back(builder.build());
  return out;
}

json::object openapi_root(const std::vector<OpenApiDocument>& documents) {
  json::object paths;
  for (const auto& document : documents) {
    paths[document.path] = {
        {"serverRelativeURL", fmt::format("/openapi/v3/{}?hash={}", document.path, document.hash)}};
  }
  json::object out;
  out["paths"] = std::move(paths);
  return out;
}

}  // namespace troupe::sim
