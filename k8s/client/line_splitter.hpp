// Cuts a stream of body fragments into lines without copying those that lie whole in a fragment.
//
// Fragments are views into a receive buffer with kJsonPadding readable bytes behind it. A line that
// spans fragments is put together in a string of the splitter's own, with the same padding. Lines
// stay valid until clear(), provided that the receive buffer does.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::k8s {

class LineSplitter {
 public:
  // A longer line fails the stream. etcd takes objects of 1.5 MiB; escaped as JSON inside a watch
  // event they stay well below.
  static constexpr std::size_t kMaxLine = std::size_t{16} << 20;

  explicit LineSplitter(std::size_t max_line = kMaxLine) : max_line_(max_line) {}

  // False: a line exceeds the bound.
  bool feed(std::string_view fragment);
  std::span<const std::string_view> lines() const { return lines_; }
  void clear();
  // What came after the last newline, at the end of the stream.
  bool has_partial_line() const { return !partial_.empty(); }

 private:
  void finish_partial();

  std::size_t max_line_;
  std::string partial_;
  std::vector<std::string_view> lines_;
  std::vector<std::string> assembled_;  // strings behind lines that spanned fragments
  std::size_t assembled_used_ = 0;
};

}  // namespace troupe::k8s
