#include "benches/report.hpp"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdio>
#include <fstream>

#include "runtime/model/json_text.hpp"

namespace troupe::bench {
namespace {

bool far_off(const Measured& m) { return m.budget && m.value > *m.budget * kFarOff; }

std::string verdict(const Measured& m) {
  if (!m.budget) return "";
  const auto* word = m.value <= *m.budget ? "met" : far_off(m) ? "MISSED BY FAR" : "missed";
  return fmt::format("  budget {:g}: {}", *m.budget, word);
}

}  // namespace

int Report::finish(const std::string& json_file) const {
  boost::json::object json;
  int status = 0;
  fmt::print("{}\n", title_);
  for (const auto& m : all_) {
    fmt::print("  {:<28} {:>10.2f} {:<6}{}{}{}\n", m.name, m.value, m.unit, verdict(m),
               m.note.empty() ? "" : "  ", m.note);
    json[m.name] = m.value;
    if (far_off(m)) status = 1;
  }
  std::fflush(stdout);
  if (!json_file.empty()) std::ofstream(json_file) << json_text(json) << "\n";
  return status;
}

}  // namespace troupe::bench
