#include "k8s/api/crd.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <boost/json.hpp>
#include <string_view>

#include "k8s/api/codec.hpp"

namespace troupe::k8s {
namespace {

namespace json = boost::json;

template <class Range>
json::array texts_of(const Range& range) {
  json::array texts;
  for (std::string_view each : range) texts.emplace_back(each);
  return texts;
}

json::object names_of(const KindTable& table) {
  json::object names{{"kind", table.kind},
                     {"listKind", fmt::format("{}List", table.kind)},
                     {"plural", table.plural},
                     {"singular", table.singular}};
  if (!table.short_names.empty()) names["shortNames"] = texts_of(table.short_names);
  if (!table.categories.empty()) names["categories"] = texts_of(table.categories);
  return names;
}

json::array columns_of(const KindTable& table) {
  json::array columns;
  for (const Column& column : table.columns) {
    json::object each{{"name", column.name}, {"type", column.type}};
    if (!column.doc.empty()) each["description"] = column.doc;
    each["jsonPath"] = column.path;
    if (column.priority != 0) each["priority"] = column.priority;
    columns.push_back(std::move(each));
  }
  return columns;
}

json::object version_of(const KindInfo& kind) {
  const KindTable& table = kind.table;
  json::object version{{"name", table.version}, {"served", true}, {"storage", true}};
  json::object subresources;
  if (table.status) subresources["status"] = json::object();
  if (table.scale) {
    subresources["scale"] = json::object{{"specReplicasPath", table.scale->spec_replicas},
                                         {"statusReplicasPath", table.scale->status_replicas}};
  }
  if (!subresources.empty()) version["subresources"] = std::move(subresources);
  if (!table.columns.empty()) version["additionalPrinterColumns"] = columns_of(table);
  version["schema"] = json::object{{"openAPIV3Schema", kind.codec.schema()}};
  return version;
}

// ---- YAML --------------------------------------------------------------------------------------

// Words that would be read back as text; anything else is quoted.
bool reads_as_text(std::string_view word) {
  constexpr std::string_view kOtherwise[] = {"true", "false", "yes", "no", "on",
                                             "off",  "null",  "y",   "n"};
  if (word.empty() || !std::isalpha(static_cast<unsigned char>(word.front()))) return false;
  std::string lower(word);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (std::find(std::begin(kOtherwise), std::end(kOtherwise), lower) != std::end(kOtherwise)) {
    return false;
  }
  return std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) ||
           std::string_view("-_./").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

void emit(YAML::Emitter& out, std::string_view text) {
  if (!reads_as_text(text)) out << YAML::DoubleQuoted;
  out << std::string(text);
}

void emit(YAML::Emitter& out, const json::value& value) {
  switch (value.kind()) {
    case json::kind::object:
      if (value.get_object().empty()) out << YAML::Flow;
      out << YAML::BeginMap;
      for (const auto& [key, member] : value.get_object()) {
        out << YAML::Key;
        emit(out, std::string_view(key));
        out << YAML::Value;
        emit(out, member);
      }
      out << YAML::EndMap;
      break;
    case json::kind::array:
      if (value.get_array().empty()) out << YAML::Flow;
      out << YAML::BeginSeq;
      for (const json::value& each : value.get_array()) emit(out, each);
      out << YAML::EndSeq;
      break;
    case json::kind::string:
      emit(out, std::string_view(value.get_string()));
      break;
    default:
      out << json::serialize(value);
  }
}

}  // namespace

json::value crd(const KindInfo& kind) {
  const KindTable& table = kind.table;
  return json::object{
      {"apiVersion", "apiextensions.k8s.io/v1"},
      {"kind", "CustomResourceDefinition"},
      {"metadata", {{"name", fmt::format("{}.{}", table.plural, table.group)}}},
      {"spec",
       {{"group", table.group},
        {"names", names_of(table)},
        {"scope", table.scope == Scope::Namespaced ? "Namespaced" : "Cluster"},
        {"versions", json::array{version_of(kind)}}}},
  };
}

std::string crd_yaml(const KindInfo& kind) {
  YAML::Emitter out;
  emit(out, crd(kind));
  return fmt::format("# Made by troupe-gen; do not edit.\n{}\n", out.c_str());
}

std::string crd_file_name(const KindInfo& kind) {
  return fmt::format("{}_{}.yaml", kind.table.group, kind.table.plural);
}

}  // namespace troupe::k8s
