// The authority's life in a cluster that serves: nobody but its Secret and the Units' may notice.
#include <fmt/format.h>

#include <map>

#include "tests/e2e/cluster.hpp"

namespace troupe::e2e {
namespace {

using oracle::eventually;
using std::chrono::seconds;

constexpr std::string_view kSecret = "secret troupe-agent-authority -n troupe-system";

class MysqlCertificates : public ClusterTest {
 protected:
  // Empty while there is no such Secret.
  static std::string of_authority(std::string_view field) {
    const auto ran = kubectl(fmt::format("get {} -o jsonpath={{{}}}", kSecret, field));
    return ran.status == 0 ? ran.out : std::string();
  }
  static std::string stage() { return of_authority(R"(.metadata.annotations.troupe\.dev/stage)"); }
  static std::string certificate() { return of_authority(R"(.data.tls\.crt)"); }

  // What would be another if a server or a role had moved.
  static std::map<std::string, std::string> life() {
    std::map<std::string, std::string> out{{"source", source()},
                                           {"epoch", fmt::to_string(epoch())}};
    for (const auto& name : mysql().members()) {
      out[name] = ok("get pod " + name +
                     " -o jsonpath={.metadata.uid}{.status.containerStatuses[*].restartCount}"
                     "{.status.initContainerStatuses[*].restartCount}") +
                  fmt::format("/{}", mysql().database_process(name).value_or(0));
    }
    return out;
  }

  // Until the authority is another than `before` and the only one, with all Units Ready on the way.
  static testing::AssertionResult changes_over(const std::string& before) {
    std::string not_ready;
    const bool done = eventually(seconds(180), [&] {
      const auto phases = ok("get un -o jsonpath={.items[*].status.phase}");
      if (phases != "Ready Ready Ready" && not_ready.empty())
        not_ready = phases + "\n" + ok("get un,pods") +
                    ok("get un -o jsonpath={.items[*].status}") +
                    ok("get events --field-selector type=Warning");
      const auto now = certificate();
      return !now.empty() && now != before && stage() == "steady";
    });
    if (!done)
      return testing::AssertionFailure() << "the authority is " << stage() << " after 180 s";
    if (!not_ready.empty()) return testing::AssertionFailure() << "Units were " << not_ready;
    return testing::AssertionSuccess();
  }

  // Every Unit trusts this one, and no other.
  static void only_it_is_left(const std::string& authority) {
    for (const auto& name : mysql().members())
      EXPECT_EQ(ok("get secret " + name + R"(-tls -o jsonpath={.data.ca\.crt})"), authority);
  }
};

TEST_F(MysqlCertificates, AnOrderedRotationEndsWithTheNewAuthorityAloneAndMovesNothing) {
  const auto before = certificate();
  const auto lives = life();
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  ok(fmt::format("annotate {} troupe.dev/rotate=now", kSecret));
  EXPECT_TRUE(changes_over(before));
  only_it_is_left(certificate());
  EXPECT_EQ(life(), lives);
  EXPECT_TRUE(load.flows());
  EXPECT_TRUE(load.nothing_lost());
  EXPECT_EQ(of_authority(R"(.metadata.annotations.troupe\.dev/rotate)"), "");
}

TEST_F(MysqlCertificates, ADeletedSecretIsWrittenBackAsItWas) {
  const auto before = of_authority(".data");
  const auto lives = life();
  ok(fmt::format("delete {}", kSecret));
  EXPECT_TRUE(eventually(seconds(30), [&] { return of_authority(".data") == before; }));
  EXPECT_EQ(stage(), "steady");
  EXPECT_EQ(life(), lives);
}

TEST_F(MysqlCertificates, AnOperatorWithoutTheKeysMakesNewOnesAndIsTrustedAgain) {
  const auto before = certificate();
  const auto lives = life();
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  cluster().kill_operator();
  ok(fmt::format("delete {}", kSecret));
  cluster().start_operator();
  EXPECT_TRUE(changes_over(before));
  only_it_is_left(certificate());
  EXPECT_EQ(life(), lives);
  EXPECT_TRUE(load.nothing_lost());

  const auto target = replica();
  ASSERT_EQ(mysql().annotate("troupe.dev/switchover-to=" + target).status, 0);
  EXPECT_TRUE(settles(target)) << "agents take its orders";
}

}  // namespace
}  // namespace troupe::e2e
