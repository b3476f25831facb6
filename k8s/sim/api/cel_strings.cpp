#include <re2/re2.h>

#include <algorithm>
#include <cctype>
#include <limits>

#include "k8s/sim/api/cel_signature.hpp"

namespace troupe::sim::cel {
namespace {

using namespace signature;

// CEL counts code points.
std::size_t next_rune(std::string_view source, std::size_t at) {
  ++at;
  while (at < source.size() && (source[at] & 0xc0) == 0x80) ++at;
  return at;
}

std::int64_t count_runes(std::string_view source) {
  return std::ranges::count_if(source, [](char c) { return (c & 0xc0) != 0x80; });
}

// The byte offset of a code point, or npos beyond the end.
std::size_t offset_of(std::string_view source, std::int64_t rune) {
  if (rune < 0) return std::string_view::npos;
  std::size_t at = 0;
  for (; rune > 0; --rune) {
    if (at >= source.size()) return std::string_view::npos;
    at = next_rune(source, at);
  }
  return at;
}

Value out_of_range(std::int64_t index) {
  return fail("index out of range: " + std::to_string(index));
}

Value rune_index(std::string_view source, std::size_t byte) {
  if (byte == std::string_view::npos) return std::int64_t{-1};
  return count_runes(source.substr(0, byte));
}

Value substring(std::string_view source, std::int64_t from, std::int64_t to) {
  const auto first = offset_of(source, from);
  if (first == std::string_view::npos) return out_of_range(from);
  const auto last = offset_of(source, to);
  if (last == std::string_view::npos || last < first) return out_of_range(to);
  return std::string(source.substr(first, last - first));
}

Value replace(std::string_view source, std::string_view from, std::string_view to,
              std::int64_t limit) {
  std::string out;
  std::size_t at = 0;
  while (limit != 0) {
    const auto hit =
        from.empty() && at >= source.size() ? std::string_view::npos : source.find(from, at);
    if (hit == std::string_view::npos) break;
    out.append(source.substr(at, hit - at)).append(to);
    at = hit + from.size();
    if (from.empty()) out += source[at++];
    if (limit > 0) --limit;
  }
  return out.append(source.substr(std::min(at, source.size())));
}

Value split(std::string_view source, std::string_view separator, std::int64_t limit) {
  std::vector<Value> parts;
  if (limit == 0) return List(std::move(parts));
  std::size_t at = 0;
  while (limit < 0 || static_cast<std::int64_t>(parts.size()) + 1 < limit) {
    const auto hit = separator.empty()
                         ? (at < source.size() ? next_rune(source, at) : source.size())
                         : source.find(separator, at);
    if (hit == std::string_view::npos || (separator.empty() && hit >= source.size())) break;
    parts.emplace_back(std::string(source.substr(at, hit - at)));
    at = hit + separator.size();
  }
  parts.emplace_back(std::string(source.substr(at)));
  return List(std::move(parts));
}

Value join(const List& list, std::string_view separator) {
  std::string out;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto item = list.at(i);
    if (!item.as<std::string>()) return fail("no such overload");
    if (i > 0) out += separator;
    out += text(item);
  }
  return out;
}

template <int (*convert)(int)>
Value convert_ascii(Arguments a) {
  std::string out = text(a[0]);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x80) c = static_cast<char>(convert(c));
  }
  return out;
}

Value trim(Arguments a) {
  static constexpr std::string_view kBlanks = " \t\n\v\f\r";
  const auto& source = text(a[0]);
  const auto first = source.find_first_not_of(kBlanks);
  if (first == std::string::npos) return std::string();
  return source.substr(first, source.find_last_not_of(kBlanks) - first + 1);
}

Value matches(Arguments a) {
  const RE2 regex(text(a[1]), RE2::Quiet);
  if (!regex.ok()) return fail("error parsing regexp: " + regex.error());
  return RE2::PartialMatch(text(a[0]), regex);
}

Value find_all(std::string_view source, const std::string& pattern, std::int64_t limit) {
  const RE2 regex("(" + pattern + ")", RE2::Quiet);
  if (!regex.ok()) return fail("error parsing regexp: " + regex.error());
  std::vector<Value> out;
  re2::StringPiece rest(source.data(), source.size());
  std::string hit;
  while ((limit < 0 || static_cast<std::int64_t>(out.size()) < limit) &&
         RE2::FindAndConsume(&rest, regex, &hit)) {
    if (hit.empty() && rest.empty()) break;
    if (hit.empty()) rest.remove_prefix(1);
    out.emplace_back(hit);
  }
  return List(std::move(out));
}

void add_tests(Table& t) {
  const auto s = string();
  add_member(t, "contains", {s, s}, boolean(),
             [](Arguments a) -> Value { return text(a[0]).find(text(a[1])) != std::string::npos; });
  add_member(t, "startsWith", {s, s}, boolean(),
             [](Arguments a) -> Value { return text(a[0]).starts_with(text(a[1])); });
  add_member(t, "endsWith", {s, s}, boolean(),
             [](Arguments a) -> Value { return text(a[0]).ends_with(text(a[1])); });
  add_member(t, "matches", {s, s}, boolean(), matches);
  add(t, "matches", {s, s}, boolean(), matches);
}

void add_searches(Table& t) {
  const auto s = string();
  const auto i = integer();
  add_member(t, "indexOf", {s, s}, i, [](Arguments a) -> Value {
    return rune_index(text(a[0]), text(a[0]).find(text(a[1])));
  });
  add_member(t, "indexOf", {s, s, i}, i, [](Arguments a) -> Value {
    const auto from = offset_of(text(a[0]), get<std::int64_t>(a[2]));
    if (from == std::string::npos) return out_of_range(get<std::int64_t>(a[2]));
    return rune_index(text(a[0]), text(a[0]).find(text(a[1]), from));
  });
  add_member(t, "lastIndexOf", {s, s}, i, [](Arguments a) -> Value {
    return rune_index(text(a[0]), text(a[0]).rfind(text(a[1])));
  });
  add_member(t, "find", {s, s}, s, [](Arguments a) -> Value {
    auto all = find_all(text(a[0]), text(a[1]), 1);
    if (all.failed()) return all;
    return get<List>(all).size() == 0 ? Value(std::string()) : get<List>(all).at(0);
  });
  add_member(t, "findAll", {s, s}, list_of(s),
             [](Arguments a) -> Value { return find_all(text(a[0]), text(a[1]), -1); });
  add_member(t, "findAll", {s, s, i}, list_of(s), [](Arguments a) -> Value {
    return find_all(text(a[0]), text(a[1]), get<std::int64_t>(a[2]));
  });
}

void add_pieces(Table& t) {
  const auto s = string();
  const auto i = integer();
  add_member(t, "charAt", {s, i}, s, [](Arguments a) -> Value {
    const auto index = get<std::int64_t>(a[1]);
    const auto length = count_runes(text(a[0]));
    if (index == length) return std::string();
    return substring(text(a[0]), index, index + 1);
  });
  add_member(t, "substring", {s, i}, s, [](Arguments a) -> Value {
    return substring(text(a[0]), get<std::int64_t>(a[1]), count_runes(text(a[0])));
  });
  add_member(t, "substring", {s, i, i}, s, [](Arguments a) -> Value {
    return substring(text(a[0]), get<std::int64_t>(a[1]), get<std::int64_t>(a[2]));
  });
  add_member(t, "split", {s, s}, list_of(s),
             [](Arguments a) -> Value { return split(text(a[0]), text(a[1]), -1); });
  add_member(t, "split", {s, s, i}, list_of(s), [](Arguments a) -> Value {
    return split(text(a[0]), text(a[1]), get<std::int64_t>(a[2]));
  });
  add_member(t, "join", {list_of(s)}, s,
             [](Arguments a) -> Value { return join(get<List>(a[0]), ""); });
  add_member(t, "join", {list_of(s), s}, s,
             [](Arguments a) -> Value { return join(get<List>(a[0]), text(a[1])); });
}

}  // namespace

void add_string_functions(Table& table) {
  const auto s = string();
  add_tests(table);
  add_searches(table);
  add_pieces(table);
  add_member(table, "lowerAscii", {s}, s, convert_ascii<std::tolower>);
  add_member(table, "upperAscii", {s}, s, convert_ascii<std::toupper>);
  add_member(table, "trim", {s}, s, trim);
  add_member(table, "replace", {s, s, s}, s,
             [](Arguments a) -> Value { return replace(text(a[0]), text(a[1]), text(a[2]), -1); });
  add_member(table, "replace", {s, s, s, integer()}, s, [](Arguments a) -> Value {
    return replace(text(a[0]), text(a[1]), text(a[2]), get<std::int64_t>(a[3]));
  });
  const auto size = [](Arguments a) -> Value { return count_runes(text(a[0])); };
  const auto byte_size = [](Arguments a) -> Value {
    return static_cast<std::int64_t>(get<Bytes>(a[0]).data.size());
  };
  add(table, "size", {s}, integer(), size);
  add_member(table, "size", {s}, integer(), size);
  add(table, "size", {bytes()}, integer(), byte_size);
  add_member(table, "size", {bytes()}, integer(), byte_size);
}

}  // namespace troupe::sim::cel
