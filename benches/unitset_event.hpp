// The load of the benchmarks: watch events of UnitSets, 2.4 KB each, 1 KB of that managedFields.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::bench {

inline constexpr std::uint64_t kNamespaces = 500;  // share the objects evenly

// Of object number `object`, below a million.
std::string namespace_of(std::uint64_t object);
std::string name_of(std::uint64_t object);

// An event as a line of a watch, its newline included; numbers are written in place, so that making
// one costs next to nothing.
class EventLine {
 public:
  explicit EventLine(std::string_view type);
  // Good until the next call.
  std::string_view set(std::uint64_t object, std::uint64_t version);

 private:
  std::string text_;
  std::vector<std::size_t> names_;
  std::size_t namespace_ = 0, version_ = 0;
};

// Ends a streamed list.
extern const std::string_view kInitialEventsEnd;

}  // namespace troupe::bench
