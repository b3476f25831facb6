#include "engines/agent/server/external_source.hpp"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <future>

#include "engines/mysql/connection.hpp"

namespace troupe::agent {
namespace {

namespace asio = boost::asio;
using mysql::Connection;
using mysql::ServerError;
using std::chrono::milliseconds;

constexpr milliseconds kResolveLimit{5000};
constexpr milliseconds kAskLimit{5000};

using Answers = mysql::Outcome<std::vector<mysql::ResultSet>>;

// Every account may read these.
mysql::Statement question() {
  return mysql::StatementBuilder()
      .sql(
          "SELECT @@server_uuid AS server_uuid, VERSION() AS version, @@gtid_executed AS executed, "
          "@@gtid_purged AS purged, @@gtid_mode AS gtid_mode")
      .build();
}

Result<mysql::Login> login_of(const ReplicationSource& source, std::string address) {
  mysql::Login login{.address = std::move(address),
                     .port = source.port,
                     .user = source.user,
                     .password = source.password,
                     .tls = std::nullopt,
                     .allow_plain = source.ca_pem.empty()};
  if (source.ca_pem.empty()) return login;
  auto anchors = mysql::TrustAnchors::from_pem(source.ca_pem);
  if (!anchors) return anchors.error();
  login.tls = mysql::TlsTrust{.anchors = *std::move(anchors),
                              .name = login.address == source.host ? std::string() : source.host,
                              .fingerprint = {}};
  return login;
}

// Its callbacks may come when nobody waits any more.
struct Call {
  explicit Call(asio::io_context& context) : connection(context.get_executor()) {}
  Connection connection;
  std::promise<Answers> answers;
};

Answers ask(asio::io_context& context, const mysql::Login& login, Work& work) {
  const auto call = std::make_shared<Call>(context);
  auto answers = call->answers.get_future();
  asio::post(context, [call, login, limit = work.within(kAskLimit)] {
    call->connection.connect(login, limit, [call, limit](mysql::Outcome<void> connected) {
      if (!connected) return call->answers.set_value(connected.error());
      call->connection.execute({question()}, limit, [call](Answers found) {
        call->answers.set_value(std::move(found));
      });
    });
  });
  auto found = answers.get();
  // A connection is closed, and so let go of what it calls back, on the context's thread.
  asio::post(context, [call] { call->connection.close(); });
  return found;
}

}  // namespace

Result<std::string> ExternalSource::resolve(const std::string& host, Work& work) {
  const auto promise = std::make_shared<std::promise<Result<std::string>>>();
  auto found = promise->get_future();
  resolver_.resolve(host, context_.get_executor(), [promise](Result<std::string> address) {
    promise->set_value(std::move(address));
  });
  if (found.wait_for(work.within(kResolveLimit)) == std::future_status::ready) return found.get();
  return error(Code::Retry, fmt::format("{} is not resolved in time", host));
}

Result<Reply> ExternalSource::run(const InspectSource& command, Work& work) {
  const auto& source = command.source;
  if (source.host.empty()) return error(Code::Invalid, "no source is named");
  const auto where = fmt::format("{}:{}", source.host, source.port);
  const auto address = resolve(source.host, work);
  if (!address) return address.error();
  const auto login = login_of(source, *address);
  if (!login) return login.error();
  const auto answers = ask(context_, *login, work);
  if (!answers) {
    auto failed = mysql::to_error(answers.error());
    failed.message = fmt::format("{} as {}: {}", where, source.user, failed.message);
    return failed;
  }
  const auto row = answers->front()[0];
  return Reply{SourceInspected{.server_uuid = row.text("server_uuid"),
                               .version = row.text("version"),
                               .executed = row.text("executed"),
                               .purged = row.text("purged"),
                               .by_gtids = row.text("gtid_mode") == "ON"},
               fmt::format("{} was asked", where)};
}

}  // namespace troupe::agent
