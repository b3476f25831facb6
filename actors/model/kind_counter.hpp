// What a kind counts by the changes of its own objects: something that their status comes to show
// is counted once, whoever repeats or silences the Event that tells it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "k8s/api/snapshot.hpp"

namespace troupe::actors {

struct KindCounter {
  // Label and value.
  using Row = std::vector<std::pair<std::string, std::string>>;

  std::string_view name;  // of the metric
  std::string_view help;
  std::vector<Row> rows;  // all that there are: those that never were show 0
  // The row in which this change of an object counts; none: in no row.
  std::optional<std::size_t> (*row_of)(const k8s::SnapshotPtr& before,
                                       const k8s::SnapshotPtr& after);
};

}  // namespace troupe::actors
