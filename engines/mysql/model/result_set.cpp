#include "engines/mysql/model/result_set.hpp"

#include <boost/algorithm/string/predicate.hpp>
#include <charconv>

namespace troupe::mysql {
namespace {

bool equals(std::string_view a, std::string_view b) {
  return a.size() == b.size() && boost::algorithm::iequals(a, b);
}

}  // namespace

std::optional<bool> parse_flag(std::string_view text) {
  for (const std::string_view yes : {"1", "ON", "YES", "TRUE"}) {
    if (equals(text, yes)) return true;
  }
  for (const std::string_view no : {"0", "OFF", "NO", "FALSE"}) {
    if (equals(text, no)) return false;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const char* const last = text.data() + text.size();
  const auto [end, status] = std::from_chars(text.data(), last, value);
  if (status != std::errc{} || end != last) return std::nullopt;
  return value;
}

void ResultSet::add(std::optional<std::string_view> cell) {
  if (!cell) {
    cells_.push_back({});
    return;
  }
  cells_.push_back({buffer_.size(), cell->size()});
  buffer_ += *cell;
}

std::optional<std::string_view> Row::get(std::string_view column) const {
  const auto& names = set_->columns_;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!equals(names[i], column)) continue;
    const auto& cell = set_->cells_[index_ * names.size() + i];
    if (cell.length == ResultSet::kNull) return std::nullopt;
    return std::string_view(set_->buffer_).substr(cell.offset, cell.length);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> Row::number(std::string_view column) const {
  const auto cell = get(column);
  return cell ? parse_number(*cell) : std::nullopt;
}

std::optional<bool> Row::flag(std::string_view column) const {
  const auto cell = get(column);
  return cell ? parse_flag(*cell) : std::nullopt;
}

std::string Row::text(std::string_view column) const {
  return std::string(get(column).value_or(std::string_view{}));
}

}  // namespace troupe::mysql
