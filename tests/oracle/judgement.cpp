#include "tests/oracle/judgement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "tests/oracle/say.hpp"

namespace troupe::oracle {
namespace {

// A server that waited for room on its volume looks again after a minute.
constexpr std::chrono::seconds kToApply(150);

struct Verdict {
  Rows rows;
  std::uint64_t lost = 0;
};

Verdict judge_member(const Address& member, const std::vector<const Writers*>& writers) {
  Verdict out{.rows = read_rows(member)};
  for (const auto* one : writers) out.lost += one->missing_in(out.rows);
  return out;
}

}  // namespace

Judgement judge_members(const MysqlCluster& cluster, const std::vector<const Writers*>& writers) {
  Judgement out;
  const auto names = cluster.members();
  if (names.empty()) out.problem = "nobody says who the members are";
  for (const auto& name : names) {
    Verdict v;
    eventually(kToApply, [&] {
      v = judge_member(cluster.member(name), writers);
      return v.rows.error.empty() && v.lost == 0;
    });
    const auto& error = v.rows.error;
    say(fmt::format("  {}: {} rows, {} acknowledged ones missing, {} twice{}{}", name, v.rows.count,
                    v.lost, v.rows.doubled, error.empty() ? "" : ": ", error));
    out.lost = std::max(out.lost, v.lost);
    out.doubled = std::max(out.doubled, v.rows.doubled);
    if (!error.empty()) out.problem = name + ": " + error;
  }
  return out;
}

std::optional<std::string> difference_of_members(const MysqlCluster& cluster) {
  const auto names = cluster.members();
  std::string told;
  const auto same = [&] {
    std::set<std::string> states;
    told.clear();
    for (const auto& name : names) {
      const auto state = cluster.query(
          name, "SELECT @@GLOBAL.gtid_executed; CHECKSUM TABLE troupe_demo.acknowledged");
      states.insert(state);
      told += fmt::format("{}: {}; ", name, state);
    }
    return states.size() == 1 && !states.begin()->empty();
  };
  if (eventually(kToApply, same)) return std::nullopt;
  return told;
}

}  // namespace troupe::oracle
