#include "tests/oracle/operator_times.hpp"

#include <boost/json.hpp>
#include <ctime>
#include <string>

#include "tests/oracle/kubectl.hpp"

namespace troupe::oracle {
namespace {

// RFC 3339 with six digits, in UTC, as microseconds since 1970.
std::optional<std::int64_t> micros_of(const std::string& rfc3339) {
  tm t{};
  const char* rest = strptime(rfc3339.c_str(), "%Y-%m-%dT%H:%M:%S", &t);
  if (!rest) return std::nullopt;
  std::int64_t fraction = 0;
  if (*rest == '.') fraction = std::strtoll(rest + 1, nullptr, 10);
  return std::int64_t{timegm(&t)} * 1'000'000 + fraction;
}

bool writes_record(const boost::json::value& run) {
  for (const auto& effect : run.at("effects").as_array())
    if (text_at(effect, "/key") == "record") return true;
  return false;
}

bool heard_of_promotion(const boost::json::value& run) {
  for (const auto& cause : run.at("causes").as_array()) {
    const auto text = text_at(cause, "/text");
    if (text.starts_with("done") && text.find("OpenForWrites") != text.npos) return true;
  }
  return false;
}

}  // namespace

OperatorTimes times_in(const boost::json::value& history, const KillTime& kill) {
  OperatorTimes out;
  boost::system::error_code ec;
  const auto* runs = history.find_pointer("/records", ec);
  if (!runs || !runs->is_array()) return out;
  for (const auto& run : runs->as_array()) {
    const auto at = micros_of(text_at(run, "/at"));
    if (!at || *at < kill.asked) continue;
    const double since_kill = static_cast<double>(*at - kill.last_alive) / 1000.0;
    if (!out.detected && writes_record(run)) out.detected = since_kill;
    if (!out.promoted && heard_of_promotion(run)) out.promoted = since_kill;
  }
  return out;
}

}  // namespace troupe::oracle
