// Sets of transactions, as MySQL writes them in @@gtid_executed, Retrieved_Gtid_Set and the like.
//
//   3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:7:audit:1-3,4e11...:1-20
//
// A set is a list of sources, each a server's UUID with an optional tag (MySQL 8.3 and later), and
// for each source the sorted, disjoint, non-adjacent intervals of its transaction numbers. So equal
// sets have equal representations, and every operation is one pass over both operands.
//
// Plain values, safe to share between threads when const. Text comes from servers and from people:
// parse() accepts what a server accepts (white space, newlines, empty elements, any order) but
// refuses an interval that ends before it starts, which a server reads as empty.
// The grammar is that of the MySQL manual, "GTID Sets"; GTID_SUBSET and GTID_SUBTRACT of a real
// server are the reference for the arithmetic (tests/db).
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "engines/mysql/model/uuid.hpp"
#include "runtime/model/result.hpp"

namespace troupe::mysql {

// Where a transaction came from. Tags are lower case, at most 32 of [a-z0-9_], not led by a digit.
struct GtidSource {
  Uuid uuid{};
  std::string tag;  // empty: no tag

  bool operator==(const GtidSource&) const = default;
  friend bool operator<(const GtidSource& a, const GtidSource& b) {
    return std::tie(a.uuid, a.tag) < std::tie(b.uuid, b.tag);
  }
};

// Transaction numbers `first` to `last`, both included; 1 <= first <= last <= kMaxGtidNumber.
struct GtidInterval {
  std::uint64_t first = 1;
  std::uint64_t last = 1;

  auto operator<=>(const GtidInterval&) const = default;
};

inline constexpr std::uint64_t kMaxGtidNumber = std::numeric_limits<std::int64_t>::max() - 1;
inline constexpr std::size_t kMaxGtidTag = 32;

class GtidSet {
 public:
  struct Entry {
    GtidSource source;
    std::vector<GtidInterval> intervals;  // never empty

    bool operator==(const Entry&) const = default;
  };

  GtidSet() = default;
  // Code::Invalid with the offset of what was not understood.
  static Result<GtidSet> parse(std::string_view text);

  // Adds what is not there yet. The interval's bounds are the caller's duty.
  void add(const GtidSource& source, GtidInterval interval);
  void add(const GtidSet& other);
  void subtract(const GtidSet& other);

  bool empty() const { return entries_.empty(); }
  // How many transactions; stops at the largest 64-bit number.
  std::uint64_t count() const;
  // Whether every transaction of `other` is here: GTID_SUBSET(other, *this).
  bool contains(const GtidSet& other) const;
  bool contains(const GtidSource& source, std::uint64_t number) const;

  // The part that came from one server, all tags, and the part that did not. What a replica holds
  // beyond its source is errant only if without(source's uuid) is not empty: the rest may be
  // younger than the source's own sample.
  GtidSet of(const Uuid& uuid) const;
  GtidSet without(const Uuid& uuid) const;

  // Sorted by source.
  std::span<const Entry> entries() const { return entries_; }

  // As the server prints it, but for its line breaks: it separates UUIDs by ",\n".
  std::string to_string(std::string_view separator = ",") const;

  bool operator==(const GtidSet&) const = default;

 private:
  std::vector<Entry> entries_;  // sorted by source, one entry a source
};

GtidSet unite(GtidSet a, const GtidSet& b);
GtidSet subtract(GtidSet a, const GtidSet& b);  // GTID_SUBTRACT(a, b)
GtidSet intersect(const GtidSet& a, const GtidSet& b);

}  // namespace troupe::mysql
