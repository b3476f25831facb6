#include "tests/oracle/judgement.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tests/oracle/say.hpp"

namespace troupe::oracle {
namespace {

constexpr std::chrono::seconds kToApply(60);

Writers::Verdict judge_member(const Address& member, const std::vector<const Writers*>& writers) {
  Writers::Verdict all;
  for (const auto* one : writers) {
    const auto v = one->judge(member);
    all.rows = v.rows;
    all.lost += v.lost;
    all.doubled = v.doubled;  // of the whole table
    if (!v.error.empty()) all.error = v.error;
  }
  return all;
}

}  // namespace

Judgement judge_members(const MysqlCluster& cluster, const std::vector<const Writers*>& writers) {
  Judgement out;
  for (const auto& name : cluster.members()) {
    Writers::Verdict v;
    eventually(kToApply, [&] {
      v = judge_member(cluster.member(name), writers);
      return v.error.empty() && v.lost == 0;
    });
    say(fmt::format("  {}: {} rows, {} acknowledged ones missing, {} twice{}{}", name, v.rows,
                    v.lost, v.doubled, v.error.empty() ? "" : ": ", v.error));
    out.lost = std::max(out.lost, v.lost);
    out.doubled = std::max(out.doubled, v.doubled);
    if (!v.error.empty()) out.problem = name + ": " + v.error;
  }
  return out;
}

}  // namespace troupe::oracle
