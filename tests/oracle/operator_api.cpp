#include "tests/oracle/operator_api.hpp"

#include <boost/json.hpp>
#include <cstdlib>

#include "tests/oracle/kubectl.hpp"

namespace troupe::oracle {
namespace {

using std::chrono::seconds;

boost::json::value ask(const std::string& url) {
  const auto ran = run({"curl", "-sS", "--max-time", "10", url}, seconds(15));
  boost::system::error_code ec;
  auto value = boost::json::parse(ran.out, ec);
  return ec ? boost::json::value() : value;
}

}  // namespace

OperatorTimes times_of(const std::string& url, const KillTime& kill) {
  const auto actors = ask(url + "/api/actors?kind=MysqlReplication&limit=1");
  return times_in(ask(url + "/api/actors/" + text_at(actors, "/actors/0/id") + "/history"), kill);
}

std::int64_t resident_bytes(const std::string& url) {
  const auto ran = run({"curl", "-sS", "--max-time", "10", url + "/metrics"}, seconds(15));
  const auto at = ran.out.find("\nprocess_resident_memory_bytes ");
  if (at == std::string::npos) return 0;
  return static_cast<std::int64_t>(
      std::strtod(ran.out.c_str() + at + sizeof("\nprocess_resident_memory_bytes ") - 1, nullptr));
}

}  // namespace troupe::oracle
