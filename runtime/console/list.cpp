#include "runtime/console/list.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>
#include <utility>

namespace troupe::console {
namespace {

using Sort = ListQuery::Sort;

constexpr std::array<std::pair<std::string_view, Sort>, 7> kSorts{{{"name", Sort::Name},
                                                                   {"kind", Sort::Kind},
                                                                   {"doing", Sort::Doing},
                                                                   {"runs", Sort::Runs},
                                                                   {"faults", Sort::Faults},
                                                                   {"guards", Sort::Guards},
                                                                   {"lastRun", Sort::LastRun}}};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool contains(std::string_view text, std::string_view lower_part) {
  return std::search(text.begin(), text.end(), lower_part.begin(), lower_part.end(),
                     [](char a, char b) { return lower(a) == b; }) != text.end();
}

bool parse_number(std::string_view text, std::size_t& out) {
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
  return ec == std::errc() && end == text.data() + text.size();
}

Error wrong(std::string_view parameter, std::string_view expected, std::string_view found) {
  return error(Code::Invalid, "parameter " + std::string(parameter) + ": expected " +
                                  std::string(expected) + ", found \"" + std::string(found) + "\"");
}

// Before, equal or after, by the query's column alone.
std::strong_ordering compare(const ActorInfo& a, const ActorInfo& b, Sort sort) {
  switch (sort) {
    case Sort::Name:
      return a.name <=> b.name;
    case Sort::Kind:
      return a.kind <=> b.kind;
    case Sort::Doing:
      return a.doing <=> b.doing;
    case Sort::Runs:
      return a.runs <=> b.runs;
    case Sort::Faults:
      return a.faults <=> b.faults;
    case Sort::Guards:
      return a.guards <=> b.guards;
    case Sort::LastRun:
      return a.last_run.time_since_epoch().count() <=> b.last_run.time_since_epoch().count();
  }
  return std::strong_ordering::equal;
}

}  // namespace

bool ListQuery::same_filter(const ListQuery& other) const {
  const auto key = [](const ListQuery& q) {
    return std::tie(q.kind, q.name, q.guards, q.faults, q.quarantined);
  };
  return key(*this) == key(other);
}

Result<ListQuery> parse_list_query(const http::Request& request) {
  ListQuery query;
  for (const auto& [name, value] : request.query) {
    if (name == "kind") {
      query.kind = value;
    } else if (name == "name") {
      query.name = value;
    } else if (name == "guards") {
      query.guards = value == "1";
    } else if (name == "faults") {
      query.faults = value == "1";
    } else if (name == "quarantined") {
      query.quarantined = value == "1";
    } else if (name == "sort") {
      const auto found = std::find_if(kSorts.begin(), kSorts.end(),
                                      [&](const auto& s) { return s.first == value; });
      if (found == kSorts.end())
        return wrong(name, "name, kind, doing, runs, faults, guards or lastRun", value);
      query.sort = found->second;
    } else if (name == "order") {
      if (value != "asc" && value != "desc") return wrong(name, "asc or desc", value);
      query.descending = value == "desc";
    } else if (name == "offset") {
      if (!parse_number(value, query.offset)) return wrong(name, "a number", value);
    } else if (name == "limit") {
      if (!parse_number(value, query.limit) || query.limit == 0 ||
          query.limit > ListQuery::kMaxLimit)
        return wrong(name, "a number from 1 to 1000", value);
    } else {
      return error(Code::Invalid, "unknown parameter " + name +
                                      "; expected kind, name, guards, faults, quarantined, sort, "
                                      "order, offset or limit");
    }
  }
  return query;
}

std::vector<std::uint32_t> filter(std::span<const ActorInfo> actors, const ListQuery& query) {
  std::string part = query.name;
  std::transform(part.begin(), part.end(), part.begin(), lower);
  std::vector<std::uint32_t> out;
  for (std::uint32_t i = 0; i < actors.size(); ++i) {
    const auto& a = actors[i];
    const bool wanted = (query.kind.empty() || a.kind == query.kind) &&
                        (!query.guards || a.guards > 0) && (!query.faults || a.faults > 0) &&
                        (!query.quarantined || a.quarantined) &&
                        (part.empty() || contains(a.name, part));
    if (wanted) out.push_back(i);
  }
  return out;
}

std::span<const std::uint32_t> page(std::span<const ActorInfo> actors,
                                    std::span<std::uint32_t> matching, const ListQuery& query) {
  const auto before = [&](std::uint32_t x, std::uint32_t y) {
    const auto& a = actors[x];
    const auto& b = actors[y];
    const auto order = compare(a, b, query.sort);
    if (order != 0) return query.descending ? order > 0 : order < 0;
    return std::tie(a.name, a.id) < std::tie(b.name, b.id);
  };
  const auto offset = std::min(query.offset, matching.size());
  const auto count = std::min(query.limit, matching.size() - offset);
  const auto first = matching.begin() + static_cast<std::ptrdiff_t>(offset);
  const auto end = first + static_cast<std::ptrdiff_t>(count);
  if (first != matching.end()) std::nth_element(matching.begin(), first, matching.end(), before);
  std::partial_sort(first, end, matching.end(), before);
  return matching.subspan(offset, count);
}

}  // namespace troupe::console
