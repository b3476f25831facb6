#include "k8s/sim/api/metadata.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

namespace troupe::sim {
namespace {

constexpr std::size_t kMaxLabel = 63;
constexpr std::size_t kMaxSubdomain = 253;
constexpr std::size_t kMaxAnnotationBytes = 256 * 1024;

// The finalizers that may go without a domain and a path.
constexpr std::string_view kStandardFinalizers[] = {"orphan", "foregroundDeletion", "kubernetes",
                                                    "customresourcecleanup.apiextensions.k8s.io"};

constexpr std::string_view kSubdomainText =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
constexpr std::string_view kLabelText =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
constexpr std::string_view kQualifiedText =
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
constexpr std::string_view kLabelValueText =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
    "or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

bool matches(std::string_view text, const re2::RE2& pattern) {
  return re2::RE2::FullMatch(re2::StringPiece(text.data(), text.size()), pattern);
}

bool is_subdomain(std::string_view name) {
  static const re2::RE2 kPattern(
      "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*");
  return matches(name, kPattern);
}

void validate_labels(const json::object& object, std::vector<FieldError>& errors) {
  const auto* labels = object_at(object, "metadata.labels");
  if (labels == nullptr) return;
  for (const auto& [key, value] : *labels) {
    if (!is_qualified_name(key)) {
      errors.push_back(invalid("metadata.labels", quoted(key), kQualifiedText));
    }
    const auto* text = value.if_string();
    if (text != nullptr && !is_label_value(*text)) {
      errors.push_back(
          invalid("metadata.labels", quoted(*text),
                  text->size() > kMaxLabel ? "must be no more than 63 bytes" : kLabelValueText));
    }
  }
}

void validate_annotations(const json::object& object, std::vector<FieldError>& errors) {
  const auto* annotations = object_at(object, "metadata.annotations");
  if (annotations == nullptr) return;
  std::size_t bytes = 0;
  for (const auto& [key, value] : *annotations) {
    std::string lower(key);
    std::transform(lower.begin(), lower.end(), lower.begin(), ::tolower);
    if (!is_qualified_name(lower)) {
      errors.push_back(invalid("metadata.annotations", quoted(key), kQualifiedText));
    }
    bytes += key.size() + (value.is_string() ? value.get_string().size() : 0);
  }
  if (bytes > kMaxAnnotationBytes) {
    errors.push_back({FieldReason::TooLong, "metadata.annotations",
                      fmt::format("Too long: may not be more than {} bytes", kMaxAnnotationBytes)});
  }
}

void validate_owners(const json::object& object, std::vector<FieldError>& errors) {
  const auto* owners = array_at(object, "metadata.ownerReferences");
  if (owners == nullptr) return;
  std::string controller;
  for (std::size_t i = 0; i < owners->size(); ++i) {
    const auto path = fmt::format("metadata.ownerReferences[{}]", i);
    const auto* owner = (*owners)[i].if_object();
    if (owner == nullptr) continue;
    const auto must_have = [&](std::string_view field) {
      if (string_at(*owner, field).empty()) {
        errors.push_back(invalid(
            fmt::format("{}.{}", path, field), "\"\"",
            fmt::format("{} must not be empty", field == "apiVersion" ? "version" : field)));
      }
    };
    for (const auto* field : {"apiVersion", "kind", "name", "uid"}) must_have(field);
    if (!true_at(*owner, "controller")) continue;
    const auto label = fmt::format("{}/{}", string_at(*owner, "kind"), string_at(*owner, "name"));
    if (!controller.empty()) {
      errors.push_back(invalid("metadata.ownerReferences", json::serialize((*owners)[i]),
                               fmt::format("Only one reference can have Controller set to true. "
                                           "Found \"true\" in references for {} and {}",
                                           controller, label)));
    }
    controller = label;
  }
}

void validate_finalizers(const ResourceType& type, const json::object& object,
                         const json::object* old, std::vector<FieldError>& errors,
                         std::vector<std::string>& warnings) {
  const auto* finalizers = array_at(object, "metadata.finalizers");
  if (finalizers == nullptr) return;
  std::vector<std::string> added;
  for (const auto& value : *finalizers) {
    const auto* name = value.if_string();
    if (name == nullptr) continue;
    if (old == nullptr || !has_finalizer(*old, *name)) added.push_back(quoted(*name));
    const bool standard = std::find(std::begin(kStandardFinalizers), std::end(kStandardFinalizers),
                                    std::string_view(*name)) != std::end(kStandardFinalizers);
    if (is_qualified_name(*name) && (standard || name->find('/') != json::string::npos)) continue;
    if (type.custom) {
      warnings.push_back(fmt::format(
          "metadata.finalizers: {}: prefer a domain-qualified finalizer name including a path (/) "
          "to avoid accidental conflicts with other finalizer writers",
          quoted(*name)));
    } else {
      errors.push_back(invalid("metadata.finalizers", quoted(*name),
                               "name is neither a standard finalizer name nor is it fully "
                               "qualified"));
    }
  }
  if (old != nullptr && is_deleting(*old) && !added.empty()) {
    std::string list = added.front();
    for (std::size_t i = 1; i < added.size(); ++i) list += ", " + added[i];
    errors.push_back(forbidden(
        "metadata.finalizers",
        fmt::format("no new finalizers can be added if the object is being deleted, found new "
                    "finalizers []string{{{}}}",
                    list)));
  }
}

}  // namespace

std::string dns_label_problem(std::string_view name) {
  static const re2::RE2 kPattern("[a-z0-9]([-a-z0-9]*[a-z0-9])?");
  if (name.size() > kMaxLabel) return "must be no more than 63 characters";
  return matches(name, kPattern) ? std::string() : std::string(kLabelText);
}

std::string name_problem(NameRule rule, std::string_view name) {
  switch (rule) {
    case NameRule::DnsLabel:
      return dns_label_problem(name);
    case NameRule::DnsSubdomain:
      if (name.size() > kMaxSubdomain) return "must be no more than 253 characters";
      return is_subdomain(name) ? std::string() : std::string(kSubdomainText);
    case NameRule::PathSegment:
      if (name == "." || name == "..") return fmt::format("may not be '{}'", name);
      if (name.find('/') != std::string_view::npos) return "may not contain '/'";
      return name.find('%') != std::string_view::npos ? "may not contain '%'" : std::string();
  }
  return {};
}

bool is_qualified_name(std::string_view name) {
  static const re2::RE2 kPattern("([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]");
  const auto slash = name.find('/');
  if (slash != std::string_view::npos) {
    const auto prefix = name.substr(0, slash);
    if (prefix.size() > kMaxSubdomain || !is_subdomain(prefix)) return false;
    name.remove_prefix(slash + 1);
  }
  return name.size() <= kMaxLabel && matches(name, kPattern);
}

bool is_label_value(std::string_view value) {
  static const re2::RE2 kPattern("(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?");
  return value.size() <= kMaxLabel && matches(value, kPattern);
}

void validate_metadata(const ResourceType& type, const json::object& object,
                       const json::object* old, std::vector<FieldError>& errors,
                       std::vector<std::string>& warnings) {
  if (old == nullptr) {
    const auto name = name_of(object);
    if (name.empty()) {
      errors.push_back(required("metadata.name", "name or generateName is required"));
    } else if (auto problem = name_problem(type.name_rule, name); !problem.empty()) {
      errors.push_back(invalid("metadata.name", quoted(name), problem));
    }
  }
  validate_labels(object, errors);
  validate_annotations(object, errors);
  validate_owners(object, errors);
  validate_finalizers(type, object, old, errors, warnings);
}

}  // namespace troupe::sim
