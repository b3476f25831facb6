// The fleet list's filter, order and paging. Pure: works on a copy of what Actors::list() said.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/actors.hpp"
#include "runtime/http.hpp"
#include "runtime/model/result.hpp"

namespace troupe::console {

struct ListQuery {
  enum class Sort : std::uint8_t { Name, Kind, Doing, Runs, Faults, Guards, LastRun };
  static constexpr std::size_t kMaxLimit = 1000;

  // Which actors.
  std::string kind;          // empty: any
  std::string name;          // a part of namespace/name, in any case
  bool guards = false;       // only those that something holds back
  bool faults = false;       // only those that ever threw
  bool quarantined = false;  // only those in quarantine
  // In which order; those alike by namespace/name.
  Sort sort = Sort::Name;
  bool descending = false;
  // Which part of them.
  std::size_t offset = 0;
  std::size_t limit = 100;

  // Whether the same actors are meant, in whatever order.
  bool same_filter(const ListQuery& other) const;
};

// kind, name, guards=1, faults=1, quarantined=1, sort, order=asc|desc, offset, limit. An error says
// which parameter was wrong and what it may be.
Result<ListQuery> parse_list_query(const http::Request& request);

// Indices into `actors` of those that the query's filter lets through, in no order.
std::vector<std::uint32_t> filter(std::span<const ActorInfo> actors, const ListQuery& query);

// The query's page of them. Brings only that part of `matching` into order, which for 100,000
// actors costs a tenth of sorting all.
std::span<const std::uint32_t> page(std::span<const ActorInfo> actors,
                                    std::span<std::uint32_t> matching, const ListQuery& query);

}  // namespace troupe::console
