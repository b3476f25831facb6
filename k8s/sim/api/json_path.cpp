#include "k8s/sim/api/json_path.hpp"

#include <charconv>

namespace troupe::sim {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::optional<json::value> parse_literal(std::string_view text) {
  text = trim(text);
  std::string copy(text);
  if (copy.size() >= 2 && copy.front() == '\'') copy.front() = copy.back() = '"';
  boost::system::error_code failed;
  auto value = json::parse(copy, failed);
  if (failed) return std::nullopt;
  return value;
}

// Where the bracket that opens at 0 closes; quotes hide brackets.
std::size_t closing_bracket(std::string_view text) {
  char quote = 0;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '[') {
      ++depth;
    } else if (c == ']' && --depth == 0) {
      return i;
    }
  }
  return std::string_view::npos;
}

// A member's name up to the next '.' or '['; a backslash takes a dot into the name.
std::string take_name(std::string_view& text) {
  std::string name;
  while (!text.empty() && text.front() != '.' && text.front() != '[') {
    if (text.front() == '\\' && text.size() > 1) text.remove_prefix(1);
    name += text.front();
    text.remove_prefix(1);
  }
  return name;
}

}  // namespace

std::optional<JsonPath> JsonPath::parse(std::string_view text) {
  text = trim(text);
  if (text.starts_with('{') && text.ends_with('}')) text = text.substr(1, text.size() - 2);
  if (text.starts_with('$')) text.remove_prefix(1);
  JsonPath path;
  while (!text.empty()) {
    if (text.front() == '[') {
      const auto end = closing_bracket(text);
      if (end == std::string_view::npos) return std::nullopt;
      auto step = parse_bracket(trim(text.substr(1, end - 1)));
      if (!step) return std::nullopt;
      path.steps_.push_back(std::move(*step));
      text.remove_prefix(end + 1);
      continue;
    }
    if (text.front() == '.') text.remove_prefix(1);
    if (text.empty() || text.front() == '.') return std::nullopt;
    if (text.front() == '[') continue;
    auto name = take_name(text);
    if (name == "*") {
      path.steps_.emplace_back(Each{});
    } else {
      path.steps_.emplace_back(Member{std::move(name)});
    }
  }
  return path;
}

std::optional<JsonPath::Step> JsonPath::parse_bracket(std::string_view inside) {
  if (inside == "*") return Step(Each{});
  if (inside.starts_with("?(") && inside.ends_with(')')) {
    return parse_filter(trim(inside.substr(2, inside.size() - 3)));
  }
  if (inside.size() >= 2 && (inside.front() == '\'' || inside.front() == '"')) {
    return Step(Member{std::string(inside.substr(1, inside.size() - 2))});
  }
  std::ptrdiff_t position = 0;
  const auto [end, failure] =
      std::from_chars(inside.data(), inside.data() + inside.size(), position);
  if (failure != std::errc{} || end != inside.data() + inside.size()) return std::nullopt;
  return Step(Index{position});
}

std::optional<JsonPath::Step> JsonPath::parse_filter(std::string_view inside) {
  if (!inside.starts_with("@.")) return std::nullopt;
  Filter filter;
  const auto sign = inside.find_first_of("=!");
  auto member = trim(inside.substr(2, sign == std::string_view::npos ? sign : sign - 2));
  while (!member.empty()) {
    filter.member.push_back(take_name(member));
    if (!member.empty()) member.remove_prefix(1);
  }
  if (sign != std::string_view::npos) {
    filter.equal = inside[sign] == '=';
    filter.value = parse_literal(inside.substr(std::min(sign + 2, inside.size())));
    if (!filter.value) return std::nullopt;
  }
  return Step(std::move(filter));
}

void JsonPath::take_member(const Step& step, const json::object& from, Found& into) {
  if (const auto* member = std::get_if<Member>(&step)) {
    if (const auto* found = from.if_contains(member->name)) into.push_back(found);
  } else if (std::holds_alternative<Each>(step)) {
    for (const auto& entry : from) into.push_back(&entry.value());
  }
}

void JsonPath::take_item(const Step& step, const json::array& from, Found& into) {
  if (std::holds_alternative<Each>(step)) {
    for (const auto& item : from) into.push_back(&item);
  } else if (const auto* index = std::get_if<Index>(&step)) {
    const auto size = static_cast<std::ptrdiff_t>(from.size());
    const auto at = index->position < 0 ? size + index->position : index->position;
    if (at >= 0 && at < size) into.push_back(&from[static_cast<std::size_t>(at)]);
  } else if (const auto* filter = std::get_if<Filter>(&step)) {
    for (const auto& item : from) {
      const json::value* found = &item;
      for (const auto& name : filter->member) {
        const auto* inner = found == nullptr ? nullptr : found->if_object();
        found = inner == nullptr ? nullptr : inner->if_contains(name);
      }
      const bool hit =
          found != nullptr && (!filter->value || (*found == *filter->value) == filter->equal);
      if (hit) into.push_back(&item);
    }
  }
}

std::vector<const json::value*> JsonPath::evaluate(const json::object& root) const {
  Found at;
  bool first = true;
  for (const auto& step : steps_) {
    Found next;
    if (std::exchange(first, false)) {
      take_member(step, root, next);
    } else {
      for (const auto* value : at) {
        if (const auto* object = value->if_object()) take_member(step, *object, next);
        if (const auto* array = value->if_array()) take_item(step, *array, next);
      }
    }
    at = std::move(next);
  }
  return at;
}

}  // namespace troupe::sim
