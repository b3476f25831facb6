// The rows that a statement answered with, read by column name.
//
// Columns differ between versions of MySQL, so nobody reads them by position: a column that the
// server does not have reads like one that is NULL. All cells lie in one buffer; the views that are
// handed out live as long as the ResultSet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::mysql {

class ResultSet;

class Row {
 public:
  // Empty: NULL, or no such column. Names compare without regard to case.
  std::optional<std::string_view> get(std::string_view column) const;

  // The same read as something else; empty also where the text is not that.
  std::optional<std::uint64_t> number(std::string_view column) const;
  // ON, YES, TRUE, 1 or OFF, NO, FALSE, 0.
  std::optional<bool> flag(std::string_view column) const;
  // Empty text for NULL.
  std::string text(std::string_view column) const;

 private:
  friend class ResultSet;
  Row(const ResultSet& set, std::size_t index) : set_(&set), index_(index) {}
  const ResultSet* set_;
  std::size_t index_;
};

class ResultSet {
 public:
  ResultSet() = default;
  explicit ResultSet(std::vector<std::string> columns) : columns_(std::move(columns)) {}

  // Appends the next cell, row by row; nullopt is NULL.
  void add(std::optional<std::string_view> cell);

  std::size_t size() const { return columns_.empty() ? 0 : cells_.size() / columns_.size(); }
  bool empty() const { return cells_.empty(); }
  Row operator[](std::size_t index) const { return {*this, index}; }
  const std::vector<std::string>& columns() const { return columns_; }
  std::size_t bytes() const { return buffer_.size(); }

  // Of a statement that answers no rows.
  std::uint64_t affected_rows = 0;

 private:
  friend class Row;
  struct Cell {
    std::size_t offset = 0;
    std::size_t length = kNull;
  };
  static constexpr std::size_t kNull = ~std::size_t{0};

  std::vector<std::string> columns_;
  std::vector<Cell> cells_;
  std::string buffer_;
};

// "ON", "1", "yes", ... as a server writes them.
std::optional<bool> parse_flag(std::string_view text);
std::optional<std::uint64_t> parse_number(std::string_view text);

}  // namespace troupe::mysql
