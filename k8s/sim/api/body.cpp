#include "k8s/sim/api/body.hpp"

#include <fmt/format.h>
#include <re2/re2.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>

namespace troupe::sim {
namespace {

constexpr std::string_view kAccepted = "application/json, application/yaml";
constexpr int kMaxDepth = 200;

bool full_match(std::string_view text, const re2::RE2& pattern) {
  return re2::RE2::FullMatch(re2::StringPiece(text.data(), text.size()), pattern);
}

json::value plain_scalar(const std::string& text) {
  static const re2::RE2 kInteger("[-+]?(0|[1-9][0-9]*)");
  static const re2::RE2 kFloat("[-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?");
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") {
    return nullptr;
  }
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  const std::string_view digits = text.front() == '+' ? std::string_view(text).substr(1) : text;
  if (full_match(text, kInteger)) {
    std::int64_t number = 0;
    const auto [end, failure] =
        std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (failure == std::errc{} && end == digits.data() + digits.size()) return number;
  }
  if (text.starts_with("0x") || text.starts_with("0o")) {
    std::int64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data() + 2, text.data() + text.size(), number,
                                                text[1] == 'x' ? 16 : 8);
    if (failure == std::errc{} && end == text.data() + text.size()) return number;
  }
  if (full_match(text, kFloat)) {
    double number = 0;
    const auto [end, failure] =
        std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (failure == std::errc{} && end == digits.data() + digits.size()) return number;
  }
  return json::value(text);
}

json::value from_yaml(const YAML::Node& node, int depth) {
  if (depth > kMaxDepth) throw YAML::Exception(node.Mark(), "nested too deeply");
  switch (node.Type()) {
    case YAML::NodeType::Sequence: {
      json::array array;
      for (const auto& item : node) array.push_back(from_yaml(item, depth + 1));
      return array;
    }
    case YAML::NodeType::Map: {
      json::object object;
      for (const auto& entry : node) {
        object[entry.first.Scalar()] = from_yaml(entry.second, depth + 1);
      }
      return object;
    }
    case YAML::NodeType::Scalar:
      // "!" marks a quoted scalar, and an explicit tag speaks for itself.
      return node.Tag() == "!" || node.Tag() == "tag:yaml.org,2002:str"
                 ? json::value(node.Scalar())
                 : plain_scalar(node.Scalar());
    default:
      return nullptr;
  }
}

}  // namespace

ApiResult<std::vector<json::value>> parse_yaml_documents(std::string_view text) {
  try {
    std::vector<json::value> documents;
    for (const auto& document : YAML::LoadAll(std::string(text))) {
      if (!document.IsNull()) documents.push_back(from_yaml(document, 0));
    }
    return documents;
  } catch (const YAML::Exception& e) {
    return bad_request(fmt::format("error decoding YAML: {}", e.what()));
  }
}

ApiResult<json::value> parse_yaml(std::string_view text) {
  auto documents = parse_yaml_documents(text);
  if (!documents) return documents.error();
  if (documents->size() != 1) return bad_request("expected one YAML document");
  return std::move(documents->front());
}

ApiResult<json::value> parse_body(std::string_view content_type, std::string_view body) {
  const auto media = content_type.substr(0, content_type.find(';'));
  const bool is_yaml = media == "application/yaml" || media == "application/apply-patch+yaml";
  const bool is_json = media.empty() || media == "application/json" || media.ends_with("+json");
  if (!is_yaml && !is_json) return unsupported_media_type(kAccepted);
  boost::system::error_code failed;
  json::parse_options options;
  options.max_depth = kMaxDepth;
  auto value = json::parse(body, failed, {}, options);
  if (!failed) return value;
  // What machines apply is the part of YAML that is JSON, which is much faster to read as such.
  if (is_yaml) return parse_yaml(body);
  return bad_request(fmt::format("the object provided is unrecognized: {}", failed.message()));
}

DeleteRequest parse_delete_options(const json::object& options) {
  DeleteRequest request;
  request.grace_period_seconds = int_at(options, "gracePeriodSeconds");
  request.uid = string_at(options, "preconditions.uid");
  request.resource_version = string_at(options, "preconditions.resourceVersion");
  request.propagation = string_at(options, "propagationPolicy");
  const auto* stages = array_at(options, "dryRun");
  request.dry_run = stages != nullptr && !stages->empty();
  if (const auto* orphan = find(options, "orphanDependents");
      orphan != nullptr && orphan->is_bool()) {
    request.propagation = orphan->get_bool() ? "Orphan" : "Background";
  }
  return request;
}

}  // namespace troupe::sim
