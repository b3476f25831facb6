// What /metrics shows of a running operator, and what docs/metrics.md says of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <re2/re2.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "k8s/api/kinds.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/tree.hpp"
#include "tests/unit/actors/operator/operator_fixture.hpp"

namespace troupe::actors {
namespace {

using std::string;

struct Family {
  string type;
  std::set<string> labels;
  bool operator==(const Family&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Family& family) {
  out << family.type;
  for (const auto& label : family.labels) out << " " << label;
  return out;
}
using Families = std::map<string, Family>;

string without_suffix(const string& series, const Families& families) {
  for (const char* suffix : {"_bucket", "_sum", "_count"})
    if (series.ends_with(suffix)) {
      const auto name = series.substr(0, series.size() - std::string_view(suffix).size());
      if (const auto found = families.find(name);
          found != families.end() && found->second.type == "histogram")
        return name;
    }
  return series;
}

// Prometheus' text format, as the operator serves it.
Families exported(const string& text) {
  Families out;
  std::istringstream lines(text);
  string name, type, labels, label;
  for (string line; std::getline(lines, line);) {
    if (RE2::FullMatch(line, R"(# TYPE (\S+) (\S+))", &name, &type)) out[name].type = type;
    if (!RE2::PartialMatch(line, R"(^([a-z_]+)(?:\{(.*)\})? )", &name, &labels)) continue;
    auto& family = out[without_suffix(name, out)];
    re2::StringPiece rest(labels);
    while (RE2::FindAndConsume(&rest, R"re(([a-z_]+)="[^"]*")re", &label))
      if (label != "le") family.labels.insert(label);
  }
  return out;
}

// The rows of the document's tables: | `name` | type | `label` `label` | what it tells |
Families documented() {
  Families out;
  std::ifstream file(support::in_tree("docs/metrics.md"));
  string name, type, labels, label;
  for (string line; std::getline(file, line);) {
    if (!RE2::PartialMatch(line, R"(^\| `([a-z_]+)` \| (\w+) \| ([^|]*)\|)", &name, &type, &labels))
      continue;
    EXPECT_FALSE(out.contains(name)) << name << " is there twice";
    out[name].type = type;
    re2::StringPiece rest(labels);
    while (RE2::FindAndConsume(&rest, "`([a-z_]+)`", &label)) out[name].labels.insert(label);
  }
  return out;
}

class OperatorMetrics : public OperatorTest {
 protected:
  OperatorMetrics() {
    auto with = options();
    with.leader_elect = true;
    operator_ = start(std::move(with));
  }

  string text() { return ask(*operator_, "/metrics").body(); }
  // Of all series of the family whose labels match; the test waits for it to exceed `least`.
  bool exceeds(const string& series, double least) {
    return support::eventually([&] {
      double sum = 0;
      std::istringstream lines(text());
      double value = 0;
      for (string line; std::getline(lines, line);)
        if (RE2::FullMatch(line, series + R"((?:\{.*\})? (\S+))", &value)) sum += value;
      return sum > least;
    });
  }

  std::unique_ptr<Operator> operator_;
};

TEST_F(OperatorMetrics, EveryFamilyIsDocumentedWithItsTypeAndLabelsAndEveryRowIsExported) {
  make_a_set();
  ASSERT_TRUE(exceeds("leader_election_master_status", 0)) << text();
  ASSERT_TRUE(exceeds("troupe_effects_total", 0)) << text();
  const auto rows = documented();
  const auto families = exported(text());
  EXPECT_GT(rows.size(), 50u) << "the document was not read";
  for (const auto& [name, family] : families) {
    const auto row = rows.find(name);
    if (row == rows.end()) {
      ADD_FAILURE() << name << " (" << family << ") has no row in docs/metrics.md";
      continue;
    }
    EXPECT_EQ(row->second, family) << name;
  }
  for (const auto& [name, row] : rows)
    EXPECT_TRUE(families.contains(name)) << name << " is in docs/metrics.md and not exported";
}

TEST_F(OperatorMetrics, AnObjectMovesTheWayFromItsWatchToTheWrites) {
  EXPECT_TRUE(exceeds(R"(troupe_watch_synced\{kind="UnitSet.*"\})", 0));
  make_a_set();
  EXPECT_TRUE(exceeds(R"(troupe_watch_events_total\{kind="UnitSet.*"\})", 0));
  EXPECT_TRUE(exceeds(R"(troupe_store_objects\{kind="UnitSet.*"\})", 0));
  EXPECT_TRUE(exceeds(R"(controller_runtime_reconcile_total\{controller="UnitSet".*\})", 0));
  EXPECT_TRUE(exceeds(R"(troupe_effects_total\{command="",effect="apply",result="done"\})", 0));
  EXPECT_TRUE(exceeds(R"(troupe_api_calls_total\{result="done"\})", 0));
  EXPECT_TRUE(exceeds(
      R"(rest_client_requests_total\{code="200",host="127.0.0.1:\d+",method="PATCH"\})", 0));
  EXPECT_TRUE(exceeds(R"(rest_client_request_duration_seconds_count\{.*verb="PATCH"\})", 0));
}

}  // namespace
}  // namespace troupe::actors
