#include "tests/oracle/operator_times.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <ctime>
#include <set>
#include <sstream>
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

// The member in the key of a step: "step db-1 StopReceiver 2 "; empty if it is another effect's.
std::string member_told(const boost::json::value& run, std::string_view verb) {
  for (const auto& effect : run.at("effects").as_array()) {
    std::istringstream words(text_at(effect, "/key"));
    std::string what, member, told;
    if (words >> what >> member >> told && what == "step" && told == verb) return member;
  }
  return {};
}

bool writes_record(const boost::json::value& run) {
  for (const auto& effect : run.at("effects").as_array())
    if (text_at(effect, "/key") == "record") return true;
  return false;
}

bool heard_of(const boost::json::value& run, std::string_view what) {
  for (const auto& cause : run.at("causes").as_array()) {
    const auto text = text_at(cause, "/text");
    if (text.starts_with("done") && text.find(what) != text.npos) return true;
  }
  return false;
}

// Reads one run after the other.
class Failover {
 public:
  void see(const boost::json::value& run, double at) {
    if (writes_record(run)) end(detected_ ? "receivers stopped" : "detected", at);
    detected_ |= writes_record(run);
    if (!detected_) return;
    if (!member_told(run, "StopReceiver").empty()) end("recorded", at);
    if (auto member = member_told(run, "Promote"); !member.empty() && chosen_.empty()) {
      chosen_ = std::move(member);
      end("choice recorded", at);
    }
    if (!member_told(run, "Open").empty()) end("promoted", at);
    if (heard_of(run, "OpenForWrites")) end("opened", at);
    // More labels come earlier: the last one leads there.
    if (!chosen_.empty() && heard_of(run, "apply Pod") && heard_of(run, "/" + chosen_ + " ") &&
        !is_over_)
      routed_ = at;
    is_over_ |= ended_.contains("opened") && routed_.has_value();
  }

  std::vector<std::pair<std::string, double>> phases() const {
    auto out = phases_;
    if (routed_) out.emplace_back("routed", *routed_);
    std::stable_sort(out.begin(), out.end(),
                     [](const auto& a, const auto& b) { return a.second < b.second; });
    return out;
  }

 private:
  void end(const char* phase, double at) {
    if (ended_.insert(phase).second) phases_.emplace_back(phase, at);
  }

  std::vector<std::pair<std::string, double>> phases_;
  std::set<std::string> ended_;
  std::string chosen_;
  std::optional<double> routed_;
  bool detected_ = false;
  bool is_over_ = false;
};

}  // namespace

std::optional<double> OperatorTimes::at(std::string_view phase) const {
  for (const auto& [name, at] : phases)
    if (name == phase) return at;
  return std::nullopt;
}

std::vector<std::pair<std::string, double>> OperatorTimes::until(double first_write) const {
  auto out = phases;
  for (auto& [phase, at] : out) at = std::clamp(at, 0.0, first_write);
  return out;
}

OperatorTimes times_in(const boost::json::value& history, const KillTime& kill) {
  boost::system::error_code ec;
  const auto* runs = history.find_pointer("/records", ec);
  if (!runs || !runs->is_array()) return {};
  Failover failover;
  for (const auto& run : runs->as_array()) {
    const auto at = micros_of(text_at(run, "/at"));
    if (!at || *at < kill.asked) continue;
    failover.see(run, static_cast<double>(*at - kill.last_alive) / 1000.0);
  }
  return {.phases = failover.phases()};
}

}  // namespace troupe::oracle
