// The CRDs as an API server takes them: each of their rules refuses what it is for.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <boost/algorithm/string/replace.hpp>
#include <set>

#include "actors/host/registry.hpp"
#include "k8s/api/crd.hpp"
#include "k8s/sim/api/body.hpp"
#include "tests/support/files.hpp"
#include "tests/support/tree.hpp"
#include "tests/unit/sim/api_testing.hpp"

namespace troupe::actors {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

constexpr const char* kCluster = "config/samples/mysql/cluster.yaml";
constexpr const char* kGroup = "config/samples/mysql-group/cluster.yaml";
constexpr const char* kUnit = "config/samples/standalone/unit.yaml";

// Of a file's, the first of that kind.
json::value sample(const std::string& file, std::string_view kind) {
  const auto text = support::file_text(support::in_tree(file));
  for (auto& document : sim::parse_yaml_documents(text).value())
    if (document.at("kind").as_string() == kind) return std::move(document);
  throw std::runtime_error(file + " has no " + std::string(kind));
}

struct Change {
  std::string pointer;
  json::value value;
};
using Changes = std::vector<Change>;

json::value with(json::value object, const Changes& changes) {
  for (const auto& [pointer, value] : changes) {
    const auto last = pointer.rfind('/');
    object.at_pointer(pointer.substr(0, last)).as_object()[pointer.substr(last + 1)] = value;
  }
  return object;
}

class Rules : public ::testing::Test {
 protected:
  Rules() {
    for (const auto& kind : registered_kinds()) {
      auto crd = k8s::crd(kind.info());
      collect(crd);
      const auto made = cluster_.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
                                      json::serialize(crd));
      EXPECT_EQ(made.status, 201) << made.message();
    }
    cluster_.pass(std::chrono::seconds(1));
  }

  // The object with these changes is not taken.
  void refuses(const json::value& object, const Changes& changes, const std::string& why) {
    const auto answer = create(with(object, changes));
    EXPECT_EQ(answer.status, 422) << why;
    EXPECT_THAT(std::string(answer.message()), HasSubstr(why));
    untried_.erase(why);
  }
  // The object is, and the changes are not.
  void keeps(const json::value& object, const Changes& changes, const std::string& why) {
    const auto made = create(object);
    ASSERT_EQ(made.status, 201) << made.message();
    const auto one = fmt::format("{}/{}", path(object), made.text("metadata.name"));
    const auto answer = cluster_.put(one, json::serialize(with(made.body, changes)));
    EXPECT_EQ(answer.status, 422) << why;
    EXPECT_THAT(std::string(answer.message()), HasSubstr(why));
    EXPECT_EQ(cluster_.remove(one).status, 200);
    untried_.erase(why);
  }
  const std::set<std::string>& untried() const { return untried_; }

 private:
  sim::Answer create(const json::value& object) {
    return cluster_.post(path(object), json::serialize(object));
  }
  static std::string path(const json::value& object) {
    std::string plural(object.at("kind").as_string());
    std::transform(plural.begin(), plural.end(), plural.begin(), ::tolower);
    return fmt::format("/apis/{}/namespaces/default/{}s",
                       std::string_view(object.at("apiVersion").as_string()), plural);
  }
  void collect(const json::value& schema) {
    if (const auto* list = schema.if_array()) {
      for (const auto& one : *list) collect(one);
    } else if (const auto* object = schema.if_object()) {
      if (const auto* rules = object->if_contains("x-kubernetes-validations"))
        for (const auto& rule : rules->as_array()) untried_.emplace(rule.at("message").as_string());
      for (const auto& [name, value] : *object) collect(value);
    }
  }

  sim::TestCluster cluster_;
  std::set<std::string> untried_;
};

TEST_F(Rules, EachRefusesWhatItIsForAndSaysWhatToDo) {
  const auto replication = sample(kCluster, "MysqlReplication");
  const auto& source = replication.at_pointer("/spec/source");
  const auto& replicas = replication.at_pointer("/spec/replica").as_array();
  refuses(replication, {{"/metadata/name", json::string(54, 'a')}},
          "Services are named after the object: take at most 53 lower-case letters, digits and "
          "'-', beginning with a letter");
  refuses(replication, {{"/spec/replica/0/name", source.at("name")}},
          "the source is also listed as a replica: take it out of spec.replica, or swap the two "
          "for a switchover");
  refuses(replication, {{"/spec/replica/0/host", source.at("host")}},
          "a replica has the source's host and port: give each server its own");
  refuses(replication, {{"/spec/replica/0/host", replicas[1].at("host")}},
          "two replicas have the same host and port: give each server its own");
  refuses(replication, {{"/spec/replica", json::array()}},
          "this mode needs at least one replica: add one to spec.replica or choose rpl_async");
  json::array nine;
  for (int i = 1; i <= 9; ++i)
    nine.push_back(
        {{"name", fmt::format("r-{}", i)}, {"host", fmt::format("r-{}.db", i)}, {"port", 3306}});
  refuses(replication, {{"/spec/mode", "group_replication"}, {"/spec/replica", nine}},
          "a group has at most 9 members: take some out of spec.replica");
  keeps(replication, {{"/spec/secret/name", "another"}},
        "the Secret cannot be exchanged for another: change the passwords in it");

  refuses(sample(kUnit, "Unit"), {{"/metadata/name", "with.a-dot"}},
          "the name is the Pod's host name: take at most 63 lower-case letters, digits and '-'");

  const auto set = sample(kCluster, "UnitSet");
  const json::value scratch = {{{"name", "data"}, {"mountPath", "/scratch"}, {"size", "1Gi"}}};
  refuses(set, {{"/metadata/name", "1-is-first"}},
          "Services and host names are made from the name: take at most 50 lower-case letters, "
          "digits and '-', beginning with a letter");
  refuses(set, {{"/spec/emptyDir", scratch}},
          "storages and emptyDir share one set of names: rename one of the two");
  refuses(set, {{"/spec/storages/0/name", "secret"}},
          "the volume name 'secret' is taken by spec.secret: rename the storage or emptyDir");
  keeps(set, {{"/spec/type", "postgresql"}},
        "the type cannot change: make a new UnitSet and move the data");
  keeps(set, {{"/spec/edition", "enterprise"}},
        "the edition cannot change: make a new UnitSet and move the data");
  keeps(set, {{"/spec/storages", json::array()}},
        "a storage cannot be taken away, as its data would be lost: keep it or make a new UnitSet");
  keeps(set, {{"/spec/storages/0/size", "1Gi"}},
        "a storage cannot shrink: keep the size or raise it");
  keeps(set, {{"/spec/storages/0/mountPath", "/elsewhere"}},
        "the mount path of a storage cannot change, as the database finds its data there: add a "
        "storage under another name or make a new UnitSet");
  keeps(set, {{"/spec/storages/0/storageClassName", "fast"}},
        "the StorageClass of a storage cannot change: make a new UnitSet and move the data");
  EXPECT_THAT(untried(), ::testing::IsEmpty()) << "rules that nothing was refused by";
}

TEST(Samples, AGroupIsTheClusterOfThreeInAnotherMode) {
  auto text = support::file_text(support::in_tree(kCluster));
  boost::algorithm::replace_all(text, "rpl_semi_sync", "group_replication");
  const auto group = support::file_text(support::in_tree(kGroup));
  EXPECT_EQ(sim::parse_yaml_documents(group).value(), sim::parse_yaml_documents(text).value());
}

}  // namespace
}  // namespace troupe::actors
