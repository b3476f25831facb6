// What the tables of one kind have in common: a cluster in memory, and in it the object that each
// table is about.
//
//   class UnitTest : public KindTest<UnitKind> {
//    protected:
//     UnitTest() : KindTest("db-0") { cluster.put<k8s::Unit>("db-0", ...); }
//   };
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <string>
#include <string_view>
#include <utility>

#include "k8s/api/metadata.hpp"
#include "tests/unit/actors/memory_cluster/memory_cluster.hpp"

namespace troupe::actors {

// The words of the tables.
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

template <class Kind>
class KindTest : public ::testing::Test {
 protected:
  using Object = typename Kind::Object;

  explicit KindTest(std::string name) : name_(std::move(name)) {}

  // A merge patch on its spec.
  void spec(std::string_view patch) {
    cluster.edit<Object>(name_, fmt::format(R"({{"spec": {}}})", patch));
  }
  void annotate(std::string_view annotation, std::string_view text) {
    boost::json::object annotations;
    annotations[annotation] = text;
    const boost::json::object patch{{"metadata", {{"annotations", std::move(annotations)}}}};
    cluster.edit<Object>(name_, boost::json::serialize(patch));
  }
  // "phase", "conditions/0/status"
  std::string status(std::string_view field) {
    return cluster.at<Object>(name_, fmt::format("/status/{}", field));
  }
  // "False PodMissing: there is no Pod"; empty if there is none of that type.
  std::string condition(std::string_view type) {
    const auto live = cluster.find<Object>(name_);
    const auto* c = k8s::find_condition(live->status.conditions, type);
    return c ? fmt::format("{} {}: {}", k8s::to_string(c->status), c->reason, c->message) : "";
  }

  MemoryCluster cluster;

 private:
  std::string name_;
};

}  // namespace troupe::actors
