#include "k8s/sim/api/selector.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace troupe::sim {
namespace {

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

// Splits at commas that stand outside of parentheses.
std::vector<std::string_view> split_requirements(std::string_view text) {
  std::vector<std::string_view> parts;
  std::size_t start = 0;
  int depth = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] == '(') ++depth;
    if (i < text.size() && text[i] == ')') --depth;
    if (i == text.size() || (text[i] == ',' && depth == 0)) {
      parts.push_back(trim(text.substr(start, i - start)));
      start = i + 1;
    }
  }
  return parts;
}

std::vector<std::string> split_values(std::string_view text) {
  std::vector<std::string> values;
  for (const auto part : split_requirements(text)) values.emplace_back(part);
  return values;
}

ApiError unparsable(std::string_view text, std::string_view why) {
  return bad_request(fmt::format("unable to parse requirement: {}: {}", text, why));
}

bool valid_key(std::string_view key) {
  return !key.empty() && key.find_first_not_of(
                             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                             "0123456789-_./") == std::string_view::npos;
}

using Requirement = LabelSelector::Requirement;
using Operator = LabelSelector::Operator;

// "key in (a,b)" and "key notin (a,b)".
ApiResult<Requirement> parse_set_requirement(std::string_view part, std::size_t open) {
  const auto head = trim(part.substr(0, open));
  const auto space = head.find_last_of(" \t");
  if (space == std::string_view::npos || part.back() != ')') {
    return unparsable(part, "expected KEY in (VALUES) or KEY notin (VALUES)");
  }
  const auto word = head.substr(space + 1);
  if (word != "in" && word != "notin") return unparsable(part, "expected: in, notin");
  return Requirement{std::string(trim(head.substr(0, space))),
                     word == "in" ? Operator::In : Operator::NotIn,
                     split_values(part.substr(open + 1, part.size() - open - 2))};
}

ApiResult<Requirement> parse_label_requirement(std::string_view part) {
  if (part.empty()) return unparsable(part, "found '', expected: identifier");
  if (part.front() == '!') {
    return Requirement{std::string(trim(part.substr(1))), Operator::Missing, {}};
  }
  if (const auto open = part.find('('); open != std::string_view::npos) {
    return parse_set_requirement(part, open);
  }
  const auto sign = part.find_first_of("=!<>");
  if (sign == std::string_view::npos) return Requirement{std::string(part), Operator::Exists, {}};
  auto rest = part.substr(sign + 1);
  const bool two_signs = !rest.empty() && rest.front() == '=';
  if (two_signs) rest.remove_prefix(1);
  if (part[sign] == '!' && !two_signs) return unparsable(part, "found '!', expected: in, notin, =");
  const auto op = part[sign] == '='   ? Operator::In
                  : part[sign] == '!' ? Operator::NotIn
                  : part[sign] == '<' ? Operator::Less
                                      : Operator::Greater;
  return Requirement{std::string(trim(part.substr(0, sign))), op, {std::string(trim(rest))}};
}

std::optional<std::int64_t> as_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool compares(std::string_view label, std::string_view bound, bool greater) {
  const auto left = as_number(label);
  const auto right = as_number(bound);
  return left && right && (greater ? *left > *right : *left < *right);
}

bool holds(const Requirement& r, const json::object* labels) {
  const auto* found = labels == nullptr ? nullptr : labels->if_contains(r.key);
  const auto* label = found == nullptr ? nullptr : found->if_string();
  const auto listed = [&] {
    return std::find(r.values.begin(), r.values.end(), std::string_view(*label)) != r.values.end();
  };
  switch (r.op) {
    case Operator::Exists:
      return label != nullptr;
    case Operator::Missing:
      return label == nullptr;
    case Operator::In:
      return label != nullptr && listed();
    case Operator::NotIn:
      return label == nullptr || !listed();
    case Operator::Greater:
    case Operator::Less:
      return label != nullptr && compares(*label, r.values.front(), r.op == Operator::Greater);
  }
  return false;
}

std::string field_text(const json::object& object, std::string_view path) {
  const auto* value = find(object, path);
  if (value == nullptr || value->is_null()) return {};
  if (const auto* text = value->if_string()) return std::string(*text);
  return json::serialize(*value);
}

}  // namespace

ApiResult<LabelSelector> LabelSelector::parse(std::string_view text) {
  LabelSelector selector;
  if (trim(text).empty()) return selector;
  for (const auto part : split_requirements(text)) {
    auto requirement = parse_label_requirement(part);
    if (!requirement) return requirement.error();
    if (!valid_key(requirement->key)) return unparsable(part, "invalid label key");
    selector.requirements_.push_back(std::move(*requirement));
  }
  return selector;
}

LabelSelector LabelSelector::from_object(const json::object& object) {
  LabelSelector selector;
  if (const auto* labels = object_at(object, "matchLabels")) {
    for (const auto& [key, value] : *labels) {
      if (!value.is_string()) continue;
      selector.requirements_.push_back(
          {std::string(key), Operator::In, {std::string(value.get_string())}});
    }
  }
  const auto* expressions = array_at(object, "matchExpressions");
  if (expressions == nullptr) return selector;
  for (const auto& expression : *expressions) {
    const auto word = string_at(expression, "operator");
    Requirement r{std::string(string_at(expression, "key")),
                  word == "In"       ? Operator::In
                  : word == "NotIn"  ? Operator::NotIn
                  : word == "Exists" ? Operator::Exists
                                     : Operator::Missing,
                  {}};
    if (const auto* values = array_at(expression, "values")) {
      for (const auto& value : *values) {
        if (value.is_string()) r.values.emplace_back(value.get_string());
      }
    }
    selector.requirements_.push_back(std::move(r));
  }
  return selector;
}

bool LabelSelector::matches(const json::object* labels) const {
  return std::all_of(requirements_.begin(), requirements_.end(),
                     [&](const auto& r) { return holds(r, labels); });
}

bool LabelSelector::matches_object(const json::object& object) const {
  return empty() || matches(object_at(object, "metadata.labels"));
}

ApiResult<FieldSelector> FieldSelector::parse(std::string_view text) {
  FieldSelector selector;
  if (trim(text).empty()) return selector;
  for (const auto part : split_requirements(text)) {
    if (part.empty()) continue;
    const auto sign = part.find_first_of("=!");
    const bool negated = sign != std::string_view::npos && part[sign] == '!';
    auto rest = sign == std::string_view::npos ? std::string_view{} : part.substr(sign + 1);
    const bool two_signs = !rest.empty() && rest.front() == '=';
    if (sign == std::string_view::npos || (negated && !two_signs)) {
      return bad_request(fmt::format("invalid selector: '{}'; can't understand '{}'", text, part));
    }
    if (two_signs) rest.remove_prefix(1);
    selector.requirements_.push_back(
        {std::string(trim(part.substr(0, sign))), std::string(trim(rest)), !negated});
  }
  return selector;
}

bool FieldSelector::matches(const json::object& object) const {
  return std::all_of(requirements_.begin(), requirements_.end(), [&](const auto& r) {
    return (field_text(object, r.field) == r.value) == r.equal;
  });
}

std::string_view FieldSelector::required_name() const {
  for (const auto& r : requirements_) {
    if (r.equal && r.field == "metadata.name") return r.value;
  }
  return {};
}

}  // namespace troupe::sim
