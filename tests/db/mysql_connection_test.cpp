// The connection against a real server: logins, deadlines, deaths, and literals that come back as
// they were sent.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <thread>

#include "engines/mysql/resolver.hpp"
#include "tests/db/certificates.hpp"
#include "tests/db/mysqld.hpp"

namespace troupe::mysql {
namespace {

using namespace std::chrono_literals;
using testing::Client;
using testing::Mysqld;
using testing::sql;

class MysqlConnection : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = std::make_unique<Mysqld>(1); }
  static void TearDownTestSuite() { server_.reset(); }
  static std::unique_ptr<Mysqld> server_;
};
std::unique_ptr<Mysqld> MysqlConnection::server_;

TEST_F(MysqlConnection, ReadsTypedRowsByColumnName) {
  Client client(server_->admin());
  const auto rows = client.run("SELECT 42 AS answer, NULL AS nothing, 'x' AS letter, 'ON' AS flag");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].number("ANSWER"), 42u);
  EXPECT_EQ(rows[0].get("nothing"), std::nullopt);
  EXPECT_EQ(rows[0].get("no_such_column"), std::nullopt);
  EXPECT_EQ(rows[0].get("letter"), "x");
  EXPECT_EQ(rows[0].flag("flag"), true);
}

TEST_F(MysqlConnection, RunsSeveralStatementsInOneRequest) {
  Client client(server_->admin());
  const auto answers = client.execute({sql("SELECT 1 AS a"), sql("DO 0"), sql("SELECT 2 AS a")});
  ASSERT_TRUE(answers.has_value());
  ASSERT_EQ(answers->size(), 3u);
  EXPECT_TRUE((*answers)[1].empty());
  EXPECT_EQ((*answers)[2][0].number("a"), 2u);
}

TEST_F(MysqlConnection, AFailedStatementLeavesTheSessionUsable) {
  Client client(server_->admin());
  const auto failed = client.execute({sql("SELECT 1 FROM mysql.no_such_table"), sql("SELECT 2")});
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().number, 1146u);
  EXPECT_EQ(failed.error().reachability, Reachability::Failed);
  EXPECT_EQ(client.value("SELECT 3"), "3");
}

TEST_F(MysqlConnection, LogsInOverTlsToTheCertificateWithTheFingerprint) {
  Client client(server_->admin_over_tls());
  EXPECT_TRUE(client
                  .value("SELECT VARIABLE_VALUE FROM performance_schema.session_status"
                         " WHERE VARIABLE_NAME = 'Ssl_version'")
                  .starts_with("TLSv1."));
}

TEST_F(MysqlConnection, RefusesAnotherFingerprint) {
  auto login = server_->admin_over_tls();
  login.tls->fingerprint[0] = login.tls->fingerprint[0] == '0' ? '1' : '0';
  const auto outcome = Client::try_connect(login);
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().reachability, Reachability::TlsFailed) << outcome.error().message;
}

TEST_F(MysqlConnection, RefusesACertificateThatDoesNotNameTheAddress) {
  auto login = server_->admin_over_tls();
  login.tls->fingerprint.clear();
  const auto outcome = Client::try_connect(login);
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().reachability, Reachability::TlsFailed) << outcome.error().message;
}

TEST_F(MysqlConnection, RefusesAnAuthorityThatItDoesNotTrust) {
  auto login = server_->admin_over_tls();
  login.tls->anchors = TrustAnchors::from_pem(testing::make_authority().certificate).value();
  const auto outcome = Client::try_connect(login);
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().reachability, Reachability::TlsFailed) << outcome.error().message;
}

TEST(MysqlConnectionTls, TheCertificateHasToBearTheNameOrElseTheAddress) {
  struct Row {
    std::string given, in_certificate;
    bool taken;
  };
  const Row rows[] = {
      {"", "IP:127.0.0.1", true},
      {"db.example", "IP:127.0.0.1", false},
      {"", "IP:127.0.0.2", false},
      {"", "DNS:db.example", false},
      {"db.example", "DNS:db.example", true},
      {"other.example", "DNS:db.example", false},
  };
  const auto authority = testing::make_authority();
  const testing::IdentityFiles trusted(authority);
  const testing::IdentityFiles files(testing::issue(authority, "IP:127.0.0.1"));
  Mysqld server(1, {"--ssl-ca=" + trusted.certificate(), "--ssl-cert=" + files.certificate(),
                    "--ssl-key=" + files.key()});
  Client admin(server.admin());
  for (const auto& row : rows) {
    files.replace(testing::issue(authority, row.in_certificate));
    admin.run(reload_tls());
    auto login = server.admin_over_tls();
    login.tls = TlsTrust{TrustAnchors::from_pem(authority.certificate).value(), row.given, ""};
    const auto outcome = Client::try_connect(login);
    EXPECT_EQ(outcome.has_value(), row.taken) << row.given << " " << row.in_certificate;
    if (row.taken || outcome) continue;
    EXPECT_EQ(outcome.error().reachability, Reachability::TlsFailed) << outcome.error().message;
  }
}

TEST(MysqlResolver, AnAddressIsItsOwnAnswerAndAnUnknownNameIsAnError) {
  boost::asio::io_context io;
  Resolver resolver;
  std::map<std::string, Result<std::string>> answers;
  for (const std::string name : {"127.0.0.9", "::1", "no-such-host.invalid"}) {
    resolver.resolve(name, io.get_executor(), [&answers, name](Result<std::string> answer) {
      answers.emplace(name, std::move(answer));
    });
  }
  const auto work = boost::asio::make_work_guard(io);
  while (answers.size() < 3 && io.run_one_for(20s) > 0) {
  }
  EXPECT_EQ(answers.at("127.0.0.9").value(), "127.0.0.9");
  EXPECT_EQ(answers.at("::1").value(), "::1");
  EXPECT_EQ(answers.at("no-such-host.invalid").error().code, Code::Retry);
}

TEST_F(MysqlConnection, SendsNoPasswordInTheClearToAnotherMachine) {
  auto login = server_->admin();
  login.address = "192.0.2.1";
  const auto outcome = Client::try_connect(login);
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().reachability, Reachability::TlsFailed);
}

TEST_F(MysqlConnection, TakesNoNames) {
  auto login = server_->admin();
  login.address = "localhost";
  EXPECT_FALSE(Client::try_connect(login).has_value());
}

TEST_F(MysqlConnection, TellsAWrongPasswordFromADeadServer) {
  auto login = server_->admin_over_tls();
  login.password = Secret("wrong");
  const auto outcome = Client::try_connect(login);
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().number, error_number::kAccessDenied);
  EXPECT_EQ(outcome.error().reachability, Reachability::AuthFailed);
  EXPECT_TRUE(is_alive(outcome.error().reachability));
}

// A server makes up a method for each name, of which it remembers which.
TEST_F(MysqlConnection, AnAccountThatDoesNotExistIsARefusalWhateverMethodTheServerMakesUp) {
  auto login = server_->admin_over_tls();
  std::set<unsigned> numbers;
  for (int i = 0; i < 24; ++i) {
    login.user = fmt::format("nobody-{}", i);
    const auto outcome = Client::try_connect(login);
    ASSERT_FALSE(outcome.has_value());
    const auto& refusal = outcome.error();
    numbers.insert(refusal.number);
    EXPECT_EQ(refusal.reachability, Reachability::AuthFailed) << refusal.message;
    EXPECT_EQ(refusal.message.find("\uFFFD"), std::string::npos) << refusal.message;
    if (refusal.number != error_number::kAuthMethodNotUsed) continue;
    EXPECT_THAT(refusal.message, ::testing::HasSubstr("no such account"));
  }
  EXPECT_THAT(numbers, ::testing::IsSupersetOf(
                           {error_number::kAccessDenied, error_number::kAuthMethodNotUsed}));
}

TEST_F(MysqlConnection, AStatementThatOutlastsItsDeadlineClosesTheConnection) {
  Client client(server_->admin());
  const auto outcome = client.execute({sql("SELECT SLEEP(30)")}, 200ms);
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().reachability, Reachability::Timeout);
  const auto after = client.execute({sql("SELECT 1")});
  ASSERT_FALSE(after.has_value());
  EXPECT_EQ(after.error().reachability, Reachability::Reset);
}

TEST_F(MysqlConnection, LiteralsComeBackAsTheyWereSent) {
  Client client(server_->admin());
  const std::string texts[] = {
      "",      "plain",        "it's",       "a\\b",       "\\",
      "'; --", "\\'; DROP --", "\"double\"", "`tick`",     "tab\tnl\n",
      "\x1a",  "%_",           "süß 漢字 🐬", "a''b\\\\''", std::string("n\0l", 3)};
  for (const auto& text : texts) {
    const auto rows =
        client.run(StatementBuilder().sql("SELECT ").literal(text).sql(" AS x").build());
    EXPECT_EQ(rows[0].get("x"), text);
  }
}

TEST_F(MysqlConnection, LiteralsForSessionsWithBackslashEscapesComeBackToo) {
  Client client(server_->admin());
  client.run("SET SESSION sql_mode = ''");
  for (const std::string text : {"a\\b", "\\", "\\'; DROP --", "it's", "\\\\''"}) {
    const auto query = "SELECT " + quote_literal(text, Escapes::Backslash) + " AS x";
    EXPECT_EQ(client.run(query)[0].get("x"), text);
  }
}

TEST_F(MysqlConnection, APasswordWithEveryTroublesomeCharacterWorks) {
  Client admin(server_->admin());
  const Secret password("p'\"`\\;-- %s\\' é");
  admin.run(create_user("odd'user", "%", password));
  auto login = server_->admin_over_tls();
  login.user = "odd'user";
  login.password = password;
  EXPECT_TRUE(Client::try_connect(login).has_value());
  admin.run(drop_user("odd'user", "%"));
}

TEST_F(MysqlConnection, AnAnswerBeyondTheBoundIsGivenUp) {
  Client client(server_->admin());
  const auto outcome = client.execute(
      {sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"
           " SELECT /*+ SET_VAR(cte_max_recursion_depth=2000) */ REPEAT('x', 100000) FROM n")});
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().message, "the answer is larger than its bound");
}

// Passes on the server's greeting and then nothing, as a server that freezes at that moment.
class FreezingServer {
 public:
  explicit FreezingServer(std::uint16_t real)
      : acceptor_(io_, {boost::asio::ip::address_v4::loopback(), 0}), thread_([this, real] {
          using boost::asio::ip::tcp;
          tcp::socket client = acceptor_.accept();
          tcp::socket server(io_);
          server.connect({boost::asio::ip::address_v4::loopback(), real});
          char bytes[1024];
          boost::system::error_code failed;
          const auto greeting = server.read_some(boost::asio::buffer(bytes));
          boost::asio::write(client, boost::asio::buffer(bytes, greeting), failed);
          while (!failed) client.read_some(boost::asio::buffer(bytes), failed);
        }) {}
  ~FreezingServer() { thread_.join(); }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::thread thread_;
};

TEST_F(MysqlConnection, AServerThatFreezesInTheTlsHandshakeIsATimeout) {
  const FreezingServer frozen(server_->port());
  auto login = server_->admin_over_tls();
  login.port = frozen.port();
  const auto outcome = Client::try_connect(login, 300ms);
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().reachability, Reachability::Timeout) << outcome.error().message;
}

// --- Deaths: a server of their own ---

TEST(MysqlConnectionDeath, NobodyListeningIsRefused) {
  Mysqld server(1);
  const auto login = server.admin_over_tls();
  server.kill();
  const auto outcome = Client::try_connect(login);
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().reachability, Reachability::Refused) << outcome.error().message;
}

TEST(MysqlConnectionDeath, APausedServerIsATimeout) {
  Mysqld server(1);
  server.signal(SIGSTOP);
  const auto outcome = Client::try_connect(server.admin_over_tls(), 300ms);
  server.signal(SIGCONT);
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().reachability, Reachability::Timeout);
}

TEST(MysqlConnectionDeath, AKillWhileIdleIsSeenWithoutAsking) {
  Mysqld server(1);
  boost::asio::io_context io;
  Connection connection(io.get_executor());
  std::optional<ServerError> hangup;
  connection.connect(server.admin_over_tls(), 10s, [&](auto outcome) {
    ASSERT_TRUE(outcome.has_value());
    connection.on_hangup([&](const ServerError& lost) { hangup = lost; });
    server.kill();
  });
  io.run_for(5s);
  ASSERT_TRUE(hangup.has_value());
  EXPECT_EQ(hangup->reachability, Reachability::Reset);
  EXPECT_FALSE(connection.is_open());
}

TEST(MysqlConnectionDeath, AKillDuringAStatementIsAReset) {
  Mysqld server(1);
  boost::asio::io_context io;
  Connection connection(io.get_executor());
  std::optional<Outcome<std::vector<ResultSet>>> outcome;
  connection.connect(server.admin_over_tls(), 10s, [&](auto connected) {
    ASSERT_TRUE(connected.has_value());
    connection.execute({sql("SELECT SLEEP(30)")}, 20s, [&](auto answers) { outcome = answers; });
    server.kill();
  });
  while (!outcome && io.run_one_for(5s) > 0) {
  }
  ASSERT_TRUE(outcome.has_value());
  ASSERT_FALSE(outcome->has_value());
  EXPECT_EQ(outcome->error().reachability, Reachability::Reset);
}

TEST(MysqlConnectionDeath, ClosingAnswersTheRequestUnderWay) {
  Mysqld server(1);
  boost::asio::io_context io;
  Connection connection(io.get_executor());
  int answers = 0;
  connection.connect(server.admin(), 10s, [&](auto) {
    connection.execute({sql("SELECT SLEEP(30)")}, 20s, [&](auto outcome) {
      ++answers;
      EXPECT_FALSE(outcome.has_value());
    });
    connection.close();
  });
  io.run_for(5s);
  EXPECT_EQ(answers, 1);
}

}  // namespace
}  // namespace troupe::mysql
