// kubeconfig, in-cluster configuration, credentials and discovery.
#include "k8s/client/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>

#include "k8s/api/core.hpp"
#include "k8s/client/credentials.hpp"
#include "k8s/client/discovery.hpp"
#include "runtime/clock.hpp"
#include "tests/unit/k8s/client_fakes.hpp"

namespace troupe::k8s {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string kubeconfig(const std::string& cluster, const std::string& user) {
  return R"(
apiVersion: v1
kind: Config
current-context: dev
contexts:
- name: dev
  context: {cluster: one, user: me, namespace: db}
- name: broken
  context: {cluster: none, user: me}
clusters:
- name: one
  cluster: )" +
         cluster + R"(
users:
- name: me
  user: )" +
         user + "\n";
}

Result<ClientConfig> parse(const std::string& cluster, const std::string& user = "{token: abc}",
                           const std::string& context = {}) {
  return parse_kubeconfig(kubeconfig(cluster, user), "/etc/kube/config", context);
}

TEST(Kubeconfig, ReadsServerContextAndToken) {
  const auto config = parse("{server: 'https://api.example:6443/prefix/'}");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->host, "api.example");
  EXPECT_EQ(config->port, 6443);
  EXPECT_TRUE(config->tls);
  EXPECT_EQ(config->path_prefix, "/prefix");
  EXPECT_EQ(config->server_name, "api.example");
  EXPECT_EQ(config->default_namespace, "db");
  EXPECT_EQ(config->auth.token.reveal(), "abc");
  EXPECT_EQ(config->origin, "/etc/kube/config, context dev");
}

TEST(Kubeconfig, KnowsPortsNamesAndAddressesOfServers) {
  EXPECT_EQ(parse("{server: 'https://a'}")->port, 443);
  EXPECT_EQ(parse("{server: 'http://a'}")->port, 80);
  EXPECT_FALSE(parse("{server: 'http://a'}")->tls);
  EXPECT_EQ(parse("{server: 'https://[::1]:6443'}")->host, "::1");
  EXPECT_EQ(parse("{server: 'https://10.0.0.1', tls-server-name: api.example}")->server_name,
            "api.example");
}

TEST(Kubeconfig, ReadsEmbeddedData) {
  const auto config = parse("{server: 'https://a', certificate-authority-data: Y2E=}",
                            "{client-certificate-data: Y2VydA==, client-key-data: a2V5}");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->ca_pem, "ca");
  EXPECT_EQ(config->auth.client_certificate_pem, "cert");
  EXPECT_EQ(config->auth.client_key_pem.reveal(), "key");
}

TEST(Kubeconfig, ResolvesFilesAgainstItsOwnFolder) {
  const auto config =
      parse("{server: 'https://a'}",
            "{client-certificate: pki/me.crt, client-key: /abs/me.key, tokenFile: ../token}");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->auth.client_certificate_file, "/etc/kube/pki/me.crt");
  EXPECT_EQ(config->auth.client_key_file, "/abs/me.key");
  EXPECT_EQ(config->auth.token_file, "/etc/token");
}

TEST(Kubeconfig, ReadsExecPlugins) {
  const auto config = parse("{server: 'https://a'}",
                            "{exec: {apiVersion: client.authentication.k8s.io/v1, command: ./get,"
                            " args: [a, b], env: [{name: X, value: y}], installHint: 'get it'}}");
  ASSERT_TRUE(config) << config.error().message;
  const auto& plugin = config->auth.exec.value();
  EXPECT_EQ(plugin.command, "/etc/kube/get");
  EXPECT_THAT(plugin.args, ElementsAre("a", "b"));
  EXPECT_THAT(plugin.env, ElementsAre(std::pair<std::string, std::string>("X", "y")));
}

// Each mistake: what is in the file, and what the message says.
struct Mistake {
  const char* cluster;
  const char* user;
  const char* says;
};

class KubeconfigMistake : public testing::TestWithParam<Mistake> {};

TEST_P(KubeconfigMistake, IsNamedWithItsFieldAndRemedy) {
  const auto config = parse(GetParam().cluster, GetParam().user);
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code, Code::Invalid);
  EXPECT_THAT(config.error().message, HasSubstr(GetParam().says));
  EXPECT_THAT(config.error().message, HasSubstr("/etc/kube/"));
}

INSTANTIATE_TEST_SUITE_P(
    All, KubeconfigMistake,
    testing::Values(
        Mistake{"{server: 'https://a', insecure-skip-tls-verify: true}", "{}",
                "clusters[one].cluster.insecure-skip-tls-verify: the server's certificate is "
                "always verified"},
        Mistake{"{server: 'https://a', proxy-url: 'http://p'}", "{}",
                "clusters[one].cluster.proxy-url: proxies are not supported"},
        Mistake{"{server: 'a:6443'}", "{}", "expected https://HOST[:PORT], found \"a:6443\""},
        Mistake{"{server: 'https://a', certificate-authority-data: '!!'}", "{}",
                "certificate-authority-data: expected base64"},
        Mistake{"{server: 'https://a', certificate-authority: none.crt}", "{}",
                "/etc/kube/none.crt: cannot read certificate-authority"},
        Mistake{"{server: 'https://a'}", "{auth-provider: {name: gcp}}",
                "users[me].user.auth-provider: is not supported"},
        Mistake{"{server: 'https://a'}",
                "{exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: x}}",
                "expected client.authentication.k8s.io/v1, found"},
        Mistake{"{server: 'https://a'}",
                "{exec: {apiVersion: client.authentication.k8s.io/v1, command: x, "
                "interactiveMode: Always}}",
                "needs a terminal"}));

TEST(Kubeconfig, NamesTheContextThatIsMissing) {
  EXPECT_THAT(parse("{server: 'https://a'}", "{}", "prod").error().message,
              HasSubstr("contexts has no entry named \"prod\""));
  EXPECT_THAT(parse("{server: 'https://a'}", "{}", "broken").error().message,
              HasSubstr("clusters has no entry named \"none\""));
}

TEST(Kubeconfig, DoesNotQuoteBrokenYaml) {
  const auto config = parse_kubeconfig("users:\n- token: s3cret\n bad", "/k", {});
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().message, HasSubstr("/k: line"));
  EXPECT_THAT(config.error().message, Not(HasSubstr("s3cret")));
}

class InClusterTest : public testing::Test {
 protected:
  InClusterTest() {
    std::filesystem::create_directories(directory_);
    write("ca.crt", "ca");
    write("namespace", "ops");
    write("token", "abc");
  }
  ~InClusterTest() override { std::filesystem::remove_all(directory_); }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(directory_ + "/" + name) << text;
  }
  const std::string directory_ = testing::TempDir() + "client_in_cluster";
};

TEST_F(InClusterTest, ReadsTheServiceAccount) {
  const auto config = in_cluster_config({"10.0.0.1", "6443", directory_});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->host, "10.0.0.1");
  EXPECT_EQ(config->port, 6443);
  EXPECT_EQ(config->ca_pem, "ca");
  EXPECT_EQ(config->default_namespace, "ops");
  EXPECT_EQ(config->auth.token_file, directory_ + "/token");
}

TEST_F(InClusterTest, SaysWhatIsMissing) {
  EXPECT_THAT(in_cluster_config({"", "", directory_}).error().message,
              HasSubstr("KUBERNETES_SERVICE_HOST is not set; give --kubeconfig"));
  EXPECT_THAT(in_cluster_config({"10.0.0.1", "x", directory_}).error().message,
              HasSubstr("KUBERNETES_SERVICE_PORT"));
  std::filesystem::remove(directory_ + "/token");
  EXPECT_THAT(in_cluster_config({"10.0.0.1", "", directory_}).error().message,
              HasSubstr("automountServiceAccountToken"));
}

// ---- Exec plugins ------------------------------------------------------------------------------

ExecPlugin shell(const std::string& script) {
  return {"/bin/sh", {"-c", script}, {{"X", "y"}}, "install it"};
}

Result<std::string> run(const std::string& script, Duration deadline = 10s) {
  return run_exec_plugin(shell(script), deadline, [] { return false; });
}

TEST(ExecPlugin, GivesWhatItPrints) {
  EXPECT_EQ(run("printf %s $X").value(), "y");
  EXPECT_THAT(run("printf %s \"$KUBERNETES_EXEC_INFO\"").value(),
              HasSubstr(R"("interactive":false)"));
}

TEST(ExecPlugin, SaysWhyItFailed) {
  EXPECT_THAT(run("exit 3").error().message, HasSubstr("exit status 3; install it"));
  ExecPlugin missing{"/no/such/plugin", {}, {}, "install it"};
  EXPECT_THAT(run_exec_plugin(missing, 10s, [] { return false; }).error().message,
              HasSubstr("exec plugin /no/such/plugin: cannot start"));
  EXPECT_THAT(run("while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done").error().message,
              HasSubstr("more than 1 MiB"));
}

TEST(ExecPlugin, IsKilledAtItsDeadline) {
  EXPECT_THAT(run("exec sleep 100", 50ms).error().message,
              HasSubstr("no answer before its deadline"));
}

TEST(ExecPlugin, IsKilledWhenNobodyWaitsAnyMore) {
  EXPECT_FALSE(run_exec_plugin(shell("exec sleep 100"), 100s, [] { return true; }));
}

TEST(ExecCredential, ReadsTokenCertificateAndExpiry) {
  const auto credential = parse_exec_credential(
      R"({"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{
          "token":"abc","clientCertificateData":"c","clientKeyData":"k",
          "expirationTimestamp":"2026-01-01T00:00:00Z"}})",
      "get");
  ASSERT_TRUE(credential) << credential.error().message;
  EXPECT_EQ(credential->token.reveal(), "abc");
  EXPECT_EQ(credential->certificate_pem, "c");
  EXPECT_EQ(credential->expires, WallTime(1'767'225'600s));
}

TEST(ExecCredential, RefusesWhatIsNoCredential) {
  for (
      const auto* text :
      {"", "{}", R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1"})",
       R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{}})"}) {
    EXPECT_FALSE(parse_exec_credential(text, "get")) << text;
  }
}

TEST(Credentials, RunThePluginOnceForAllWhoWait) {
  const auto count = testing::TempDir() + "client_plugin_runs";
  std::filesystem::remove(count);
  SystemClock clock;
  LoopThread loop(clock);
  AuthConfig auth;
  auth.exec =
      shell("echo x >> " + count + R"(; printf '{"apiVersion":"client.authentication.k8s.io/v1",
      "kind":"ExecCredential","status":{"token":"abc"}}')");
  std::unique_ptr<Credentials> credentials;
  std::vector<std::promise<std::string>> tokens(3);
  loop.run([&] {
    credentials = std::make_unique<Credentials>(loop.loop(), auth);
    for (auto& token : tokens) {
      credentials->get([&](const auto& got) {
        token.set_value(got ? std::string((*got)->token.reveal()) : got.error().message);
      });
    }
  });
  for (auto& token : tokens) EXPECT_EQ(token.get_future().get(), "abc");
  EXPECT_EQ(std::filesystem::file_size(count), 2u);
  loop.run([&] { credentials.reset(); });
}

// ---- Discovery ---------------------------------------------------------------------------------

const char* const kResources = R"({"kind":"APIResourceList","groupVersion":"v1","resources":[
    {"name":"pods","singularName":"pod","namespaced":true,"kind":"Pod","verbs":["get","list"]},
    {"name":"pods/status","namespaced":true,"kind":"Pod","verbs":["get"]},
    {"name":"nodes","namespaced":false,"kind":"Node","verbs":["get"]}]})";

TEST(Discovery, FindsAKindInItsGroupVersion) {
  test::FakeTransport transport;
  Discovery discovery(transport);
  std::optional<ServedKind> found;
  discovery.served(kKind<Pod>, [&](auto result) { found = *result; });
  EXPECT_EQ(transport.request().target, "/api/v1");
  transport.respond("/api/v1", 200, kResources);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->plural, "pods");
  EXPECT_TRUE(found->namespaced);
  EXPECT_TRUE(found->has_status);
  EXPECT_THAT(found->verbs, ElementsAre("get", "list"));
}

TEST(Discovery, AKindThatIsNotServedIsNoError) {
  test::FakeTransport transport;
  Discovery discovery(transport);
  int answers = 0;
  const auto expect_none = [&](const auto& result) {
    ASSERT_TRUE(result);
    EXPECT_FALSE(*result);
    ++answers;
  };
  discovery.served(kKind<Lease>, expect_none);
  transport.respond("/apis/coordination.k8s.io/v1", 404, "404 page not found");
  discovery.served(kKind<Service>, expect_none);
  transport.respond("/api/v1", 200, kResources);
  EXPECT_EQ(answers, 2);
}

TEST(Discovery, ListsTheVersionsOfAGroup) {
  test::FakeTransport transport;
  Discovery discovery(transport);
  std::optional<GroupVersions> found;
  discovery.versions("upm.syntropycloud.io", [&](auto result) { found = *result; });
  transport.respond("/apis/upm.syntropycloud.io", 200,
                    R"({"kind":"APIGroup","name":"upm.syntropycloud.io","versions":[
                        {"groupVersion":"upm.syntropycloud.io/v1alpha1","version":"v1alpha1"},
                        {"groupVersion":"upm.syntropycloud.io/v1alpha2","version":"v1alpha2"}],
                        "preferredVersion":{"version":"v1alpha2"}})");
  ASSERT_TRUE(found);
  EXPECT_THAT(found->versions, ElementsAre("v1alpha1", "v1alpha2"));
  EXPECT_EQ(found->preferred, "v1alpha2");

  discovery.versions("", [&](auto result) { found = *result; });
  transport.respond("/api", 200, R"({"kind":"APIVersions","versions":["v1"]})");
  EXPECT_THAT(found->versions, ElementsAre("v1"));
}

TEST(Discovery, SaysWhenItMayNotAsk) {
  test::FakeTransport transport;
  Discovery discovery(transport);
  Code code = Code::Fatal;
  discovery.served(kKind<Pod>, [&](auto result) { code = result.error().code; });
  transport.respond("/api/v1", 403, "{}");
  EXPECT_EQ(code, Code::Denied);
}

}  // namespace
}  // namespace troupe::k8s
