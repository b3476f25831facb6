// What a benchmark found: a table for people on standard output, JSON for scripts, and an exit
// status that says whether a budget was missed by far.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace troupe::bench {

// Beyond this multiple of a budget a benchmark fails; below it, machines differ.
inline constexpr double kFarOff = 1.5;

struct Measured {
  std::string name;  // key of the JSON, in snake_case with its unit
  double value = 0;
  std::string unit;
  std::string note;              // for people
  std::optional<double> budget;  // at most this
};

class Report {
 public:
  explicit Report(std::string title) : title_(std::move(title)) {}
  void add(Measured measured) { all_.push_back(std::move(measured)); }

  // Prints the table, writes the JSON object unless `json_file` is empty; the exit status.
  int finish(const std::string& json_file) const;

 private:
  std::string title_;
  std::vector<Measured> all_;
};

}  // namespace troupe::bench
