#include "engines/mysql/model/gtid_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <utility>

namespace troupe::mysql {
namespace {

using Entry = GtidSet::Entry;
using Intervals = std::vector<GtidInterval>;

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_tag_start(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Merges overlapping and adjacent intervals of a sorted list in place.
void normalize(Intervals& intervals) {
  if (intervals.empty()) return;
  std::size_t kept = 0;
  for (std::size_t i = 1; i < intervals.size(); ++i) {
    if (intervals[i].first <= intervals[kept].last + 1) {
      intervals[kept].last = std::max(intervals[kept].last, intervals[i].last);
    } else {
      intervals[++kept] = intervals[i];
    }
  }
  intervals.resize(kept + 1);
}

Intervals unite_intervals(const Intervals& a, const Intervals& b) {
  Intervals out;
  out.reserve(a.size() + b.size());
  std::merge(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  normalize(out);
  return out;
}

Intervals subtract_intervals(const Intervals& a, const Intervals& b) {
  Intervals out;
  auto cut = b.begin();
  for (GtidInterval rest : a) {
    while (cut != b.end() && cut->last < rest.first) ++cut;
    bool gone = false;
    for (auto next = cut; next != b.end() && next->first <= rest.last; ++next) {
      if (next->first > rest.first) out.push_back({rest.first, next->first - 1});
      gone = next->last >= rest.last;
      if (gone) break;
      rest.first = next->last + 1;
    }
    if (!gone) out.push_back(rest);
  }
  return out;
}

// Whether each interval of `part` lies within one of `whole`; both are normalized.
bool contains_intervals(const Intervals& whole, const Intervals& part) {
  auto at = whole.begin();
  for (const auto& want : part) {
    while (at != whole.end() && at->last < want.last) ++at;
    if (at == whole.end() || at->first > want.first) return false;
  }
  return true;
}

bool before(const Entry& entry, const GtidSource& source) { return entry.source < source; }

// Reads the grammar: elements separated by commas, parts of an element by colons.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<GtidSet> parse() {
    while (true) {
      skip_space();
      if (at_end()) return std::move(set_);
      if (skip(',')) continue;
      if (auto failed = parse_element()) return *failed;
      skip_space();
      if (!at_end() && peek() != ',') return fail("expected a comma or the end");
    }
  }

 private:
  using Failure = std::optional<Error>;

  // UUID, then intervals and tags; a tag holds for the intervals that follow it.
  Failure parse_element() {
    constexpr std::size_t kUuidLength = 36;
    const auto uuid = parse_uuid(text_.substr(at_, kUuidLength));
    if (!uuid) return fail("expected the UUID of a server");
    at_ += kUuidLength;
    GtidSource source{*uuid, {}};
    bool wants_interval = true;
    skip_space();
    while (skip(':')) {
      skip_space();
      if (!at_end() && is_tag_start(peek())) {
        if (wants_interval && !source.tag.empty()) return fail("expected an interval after a tag");
        if (auto failed = parse_tag(source.tag)) return failed;
        wants_interval = true;
      } else {
        if (auto failed = parse_interval(source)) return failed;
        wants_interval = false;
      }
      skip_space();
    }
    if (wants_interval) return fail("expected an interval");
    return std::nullopt;
  }

  Failure parse_tag(std::string& tag) {
    tag.clear();
    while (!at_end() && (is_tag_start(peek()) || is_digit(peek()))) {
      tag.push_back(to_lower(text_[at_++]));
    }
    if (tag.size() > kMaxGtidTag) return fail("a tag has at most 32 characters");
    return std::nullopt;
  }

  Failure parse_interval(const GtidSource& source) {
    GtidInterval interval;
    if (!parse_number(interval.first)) return fail("expected a transaction number");
    interval.last = interval.first;
    skip_space();
    if (skip('-')) {
      skip_space();
      if (!parse_number(interval.last)) return fail("expected the end of the interval");
      if (interval.last < interval.first) return fail("the interval ends before it starts");
    }
    set_.add(source, interval);
    return std::nullopt;
  }

  bool parse_number(std::uint64_t& number) {
    const char* begin = text_.data() + at_;
    const auto [end, status] = std::from_chars(begin, text_.data() + text_.size(), number);
    if (status != std::errc{} || number < 1 || number > kMaxGtidNumber) return false;
    at_ += static_cast<std::size_t>(end - begin);
    return true;
  }

  Error fail(std::string_view what) const {
    return error(Code::Invalid, fmt::format("GTID set, at offset {}: {}", at_, what));
  }

  bool at_end() const { return at_ >= text_.size(); }
  char peek() const { return text_[at_]; }
  void skip_space() {
    while (!at_end() && is_space(peek())) ++at_;
  }
  bool skip(char c) {
    if (at_end() || peek() != c) return false;
    ++at_;
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  GtidSet set_;
};

}  // namespace

Result<GtidSet> GtidSet::parse(std::string_view text) { return Parser(text).parse(); }

void GtidSet::add(const GtidSource& source, GtidInterval interval) {
  auto entry = std::lower_bound(entries_.begin(), entries_.end(), source, before);
  if (entry == entries_.end() || entry->source != source) {
    entries_.insert(entry, Entry{source, {interval}});
    return;
  }
  auto& intervals = entry->intervals;
  if (interval.first > intervals.back().last + 1) {  // servers print in order: the usual case
    intervals.push_back(interval);
    return;
  }
  intervals.insert(std::upper_bound(intervals.begin(), intervals.end(), interval), interval);
  normalize(intervals);
}

void GtidSet::add(const GtidSet& other) {
  if (other.empty() || &other == this) return;
  std::vector<Entry> out;
  out.reserve(entries_.size() + other.entries_.size());
  auto mine = entries_.begin();
  for (const auto& theirs : other.entries_) {
    while (mine != entries_.end() && mine->source < theirs.source)
      out.push_back(std::move(*mine++));
    if (mine != entries_.end() && mine->source == theirs.source) {
      mine->intervals = unite_intervals(mine->intervals, theirs.intervals);
      out.push_back(std::move(*mine++));
    } else {
      out.push_back(theirs);
    }
  }
  std::move(mine, entries_.end(), std::back_inserter(out));
  entries_ = std::move(out);
}

void GtidSet::subtract(const GtidSet& other) {
  if (&other == this) {
    entries_.clear();
    return;
  }
  auto theirs = other.entries_.begin();
  for (auto& mine : entries_) {
    while (theirs != other.entries_.end() && theirs->source < mine.source) ++theirs;
    if (theirs == other.entries_.end()) break;
    if (theirs->source == mine.source) {
      mine.intervals = subtract_intervals(mine.intervals, theirs->intervals);
    }
  }
  std::erase_if(entries_, [](const Entry& entry) { return entry.intervals.empty(); });
}

std::uint64_t GtidSet::count() const {
  constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t total = 0;
  for (const auto& entry : entries_) {
    for (const auto& [first, last] : entry.intervals) {
      const auto length = last - first + 1;
      if (length > kMax - total) return kMax;
      total += length;
    }
  }
  return total;
}

bool GtidSet::contains(const GtidSet& other) const {
  auto mine = entries_.begin();
  for (const auto& theirs : other.entries_) {
    while (mine != entries_.end() && mine->source < theirs.source) ++mine;
    if (mine == entries_.end() || mine->source != theirs.source) return false;
    if (!contains_intervals(mine->intervals, theirs.intervals)) return false;
  }
  return true;
}

bool GtidSet::contains(const GtidSource& source, std::uint64_t number) const {
  const auto entry = std::lower_bound(entries_.begin(), entries_.end(), source, before);
  if (entry == entries_.end() || entry->source != source) return false;
  return contains_intervals(entry->intervals, {{number, number}});
}

GtidSet GtidSet::of(const Uuid& uuid) const {
  GtidSet out;
  std::copy_if(entries_.begin(), entries_.end(), std::back_inserter(out.entries_),
               [&](const Entry& entry) { return entry.source.uuid == uuid; });
  return out;
}

GtidSet GtidSet::without(const Uuid& uuid) const {
  GtidSet out;
  std::copy_if(entries_.begin(), entries_.end(), std::back_inserter(out.entries_),
               [&](const Entry& entry) { return entry.source.uuid != uuid; });
  return out;
}

std::string GtidSet::to_string(std::string_view separator) const {
  std::string out;
  const Entry* previous = nullptr;
  for (const auto& entry : entries_) {
    if (!previous || previous->source.uuid != entry.source.uuid) {
      if (previous) out += separator;
      out += mysql::to_string(entry.source.uuid);
    }
    if (!entry.source.tag.empty()) out += ':' + entry.source.tag;
    for (const auto& [first, last] : entry.intervals) {
      fmt::format_to(std::back_inserter(out), ":{}", first);
      if (last != first) fmt::format_to(std::back_inserter(out), "-{}", last);
    }
    previous = &entry;
  }
  return out;
}

GtidSet unite(GtidSet a, const GtidSet& b) {
  a.add(b);
  return a;
}

GtidSet subtract(GtidSet a, const GtidSet& b) {
  a.subtract(b);
  return a;
}

GtidSet intersect(const GtidSet& a, const GtidSet& b) { return subtract(a, subtract(a, b)); }

}  // namespace troupe::mysql
