// YAML literals as JSON values, for tests of schemas and field ownership.
#pragma once

#include <yaml-cpp/yaml.h>

#include <boost/json.hpp>
#include <string>

namespace troupe::sim {

namespace json = boost::json;

// Plain scalars become numbers, booleans and null where they read as such.
inline json::value from_yaml(const YAML::Node& node) {
  if (node.IsSequence()) {
    json::array out;
    for (const auto& item : node) out.push_back(from_yaml(item));
    return out;
  }
  if (node.IsMap()) {
    json::object out;
    for (const auto& member : node) out[member.first.as<std::string>()] = from_yaml(member.second);
    return out;
  }
  if (!node.IsScalar()) return nullptr;
  if (node.Tag() == "!") return json::value(node.Scalar());
  std::int64_t integer = 0;
  double number = 0;
  bool boolean = false;
  if (YAML::convert<std::int64_t>::decode(node, integer)) return integer;
  if (YAML::convert<double>::decode(node, number)) return number;
  if ((node.Scalar() == "true" || node.Scalar() == "false") &&
      YAML::convert<bool>::decode(node, boolean)) {
    return boolean;
  }
  if (node.Scalar() == "null" || node.Scalar() == "~") return nullptr;
  return json::value(node.Scalar());
}

inline json::value yaml(const std::string& text) { return from_yaml(YAML::Load(text)); }

}  // namespace troupe::sim
