// The API reference: a walk over the schema of each kind.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "k8s/api/codec.hpp"
#include "k8s/api/crd.hpp"

namespace troupe::k8s {
namespace {

namespace json = boost::json;

std::string_view text_of(const json::object& schema, std::string_view key) {
  const json::value* value = schema.if_contains(key);
  return value && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

const json::object* object_of(const json::object& schema, std::string_view key) {
  const json::value* value = schema.if_contains(key);
  return value ? value->if_object() : nullptr;
}

std::string joined(const json::array& texts) {
  std::string all;
  for (const json::value& each : texts) {
    all += fmt::format("{}`{}`", all.empty() ? "" : ", ", std::string_view(each.get_string()));
  }
  return all;
}

// A cell of a Markdown table.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '<') {
      escaped += "&lt;";
      continue;
    }
    if (c == '|') escaped += '\\';
    escaped += c == '\n' ? ' ' : c;
  }
  return escaped;
}

std::string type_of(const json::object& schema) {
  if (schema.contains("x-kubernetes-int-or-string")) return "integer or string";
  const std::string_view type = text_of(schema, "type");
  if (type == "array") return fmt::format("list of {}", type_of(*object_of(schema, "items")));
  if (const json::object* values = object_of(schema, "additionalProperties")) {
    return fmt::format("map of {}", type_of(*values));
  }
  if (text_of(schema, "format") == "date-time") return "time";
  return std::string(type.empty() ? "any" : type);
}

// "1 to 65535", "at most 64 entries", "not empty": whichever bounds there are.
void add_bounds(std::vector<std::string>& rules, const json::object& schema, std::string_view low,
                std::string_view high, std::string_view what) {
  const json::value* from = schema.if_contains(low);
  const json::value* to = schema.if_contains(high);
  if (from && !to && *from == 1 && !what.empty()) {
    rules.emplace_back("not empty");
  } else if (from && to) {
    rules.push_back(fmt::format("{} to {}{}", json::serialize(*from), json::serialize(*to), what));
  } else if (from) {
    rules.push_back(fmt::format("at least {}{}", json::serialize(*from), what));
  } else if (to) {
    rules.push_back(fmt::format("at most {}{}", json::serialize(*to), what));
  }
}

std::string rules_of(const json::object& schema, bool required) {
  std::vector<std::string> rules;
  if (required) rules.emplace_back("required");
  if (const json::value* standard = schema.if_contains("default")) {
    rules.push_back(fmt::format("default `{}`", json::serialize(*standard)));
  }
  if (const json::value* values = schema.if_contains("enum")) {
    rules.push_back("one of " + joined(values->get_array()));
  }
  add_bounds(rules, schema, "minimum", "maximum", "");
  add_bounds(rules, schema, "minLength", "maxLength", " characters");
  add_bounds(rules, schema, "minItems", "maxItems", " entries");
  if (const std::string_view pattern = text_of(schema, "pattern"); !pattern.empty()) {
    rules.push_back(fmt::format("matches `{}`", pattern));
  }
  if (const json::value* keys = schema.if_contains("x-kubernetes-list-map-keys")) {
    rules.push_back("unique by " + joined(keys->get_array()));
  }
  return fmt::format("{}", fmt::join(rules, "; "));
}

struct Reference {
  std::string rows;
  std::string validations;

  void add_validations(std::string_view path, const json::object& schema) {
    const json::value* rules = schema.if_contains("x-kubernetes-validations");
    if (!rules) return;
    for (const json::value& each : rules->get_array()) {
      validations += fmt::format("- `{}`: {}\n", path, text_of(each.get_object(), "message"));
    }
  }

  // The members of `schema`, and theirs.
  void add_members(const std::string& path, const json::object& schema) {
    const json::object* properties = object_of(schema, "properties");
    if (!properties) return;
    const json::value* required = schema.if_contains("required");
    for (const auto& [name, value] : *properties) {
      const bool is_required =
          required && std::find(required->get_array().begin(), required->get_array().end(),
                                json::string(name)) != required->get_array().end();
      add_member(
          path.empty() ? std::string(name) : fmt::format("{}.{}", path, std::string_view(name)),
          value.get_object(), is_required);
    }
  }

  void add_member(const std::string& path, const json::object& schema, bool required) {
    rows += fmt::format("| `{}` | {} | {} | {} |\n", path, type_of(schema),
                        cell(text_of(schema, "description")), cell(rules_of(schema, required)));
    add_validations(path, schema);
    if (const json::object* items = object_of(schema, "items")) {
      add_validations(path + "[]", *items);
      add_members(path + "[]", *items);
    } else if (const json::object* values = object_of(schema, "additionalProperties")) {
      add_members(path + ".<name>", *values);
    } else {
      add_members(path, schema);
    }
  }
};

std::string reference_of(const KindInfo& kind) {
  const KindTable& table = kind.table;
  const json::object schema = kind.codec.schema();
  std::string out =
      fmt::format("## {}\n\n{}\n\n`apiVersion: {}`, {}, `kubectl get {}`", table.kind,
                  text_of(schema, "description"), kind.api_version(),
                  table.scope == Scope::Namespaced ? "in a namespace" : "of the cluster",
                  table.short_names.empty() ? table.plural : *table.short_names.begin());
  if (table.scale) out += fmt::format(", `kubectl scale {}/NAME --replicas=N`", table.plural);
  out += ".\n";
  Reference whole;
  whole.add_validations("metadata.name", schema);
  const json::object& properties = schema.at("properties").get_object();
  for (const std::string_view part : {"spec", "status"}) {
    const json::value* member = properties.if_contains(part);
    if (!member) continue;
    whole.rows.clear();
    whole.add_validations(part, member->get_object());
    whole.add_members(std::string(part), member->get_object());
    out += fmt::format("\n### {}.{}\n\n| Field | Type | Meaning | Rules |\n|---|---|---|---|\n{}",
                       table.kind, part, whole.rows);
  }
  if (!whole.validations.empty()) {
    out += fmt::format("\n### {}: what is refused\n\n{}", table.kind, whole.validations);
  }
  return out;
}

}  // namespace

std::string api_reference(std::span<const KindInfo* const> kinds) {
  std::string out = "<!-- Made by troupe-gen; do not edit. -->\n# API reference\n";
  for (const KindInfo* kind : kinds) out += "\n" + reference_of(*kind);
  return out;
}

}  // namespace troupe::k8s
