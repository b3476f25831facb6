// Both ends over TLS on loopback: the gateway and an agent without a database.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <future>
#include <thread>

#include "engines/agent/certificates.hpp"
#include "engines/agent/gateway.hpp"
#include "engines/agent/server/agent.hpp"
#include "engines/agent/server/service.hpp"
#include "runtime/clock.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/loopback.hpp"
#include "tests/unit/agent/scratch.hpp"

namespace troupe::agent {
namespace {

using namespace std::chrono_literals;
using support::eventually;

constexpr const char* kUnit = "ns/db-0";

class Stream : public testing::Test {
 protected:
  Stream() {
    authority_ = *make_authority("troupe", clock_.wall());
    std::filesystem::create_directory(scratch_ / "tls");
    std::filesystem::create_directory(scratch_ / "run");
    write_tls(authority_, authority_.certificate);
  }

  void write_tls(const CertifiedKey& signer, const std::string& trusted) {
    const auto leaf =
        *issue(signer, {.common_name = "db-0", .dns_names = {"db-0.test"}}, clock_.wall());
    write("tls.crt", leaf.certificate);
    write("tls.key", leaf.key.reveal());
    write("ca.crt", trusted);
  }
  void write(const std::string& name, std::string_view text) {
    std::ofstream(scratch_ / "tls" / name) << text;
  }

  void start_agent() {
    const auto settings = settings_from({{"DATA_MOUNT", scratch_.path().string()},
                                         {"TROUPE_UNIT", kUnit},
                                         {"TROUPE_RUN_DIR", (scratch_ / "run").string()},
                                         {"TROUPE_TLS_DIR", (scratch_ / "tls").string()},
                                         {"TROUPE_LISTEN", "127.0.0.1:0"}});
    ASSERT_TRUE(settings) << settings.error().message;
    auto agent = Agent::start(*settings);
    ASSERT_TRUE(agent) << agent.error().message;
    agent_ = *std::move(agent);
    auto service = Service::start(*agent_);
    ASSERT_TRUE(service) << service.error().message;
    service_ = *std::move(service);
    port_ = static_cast<std::uint16_t>(service_->port());
  }

  TlsIdentity identity(const CertifiedKey& signer, const std::string& trusted,
                       const std::string& name = "troupe-operator",
                       CertificateUse use = CertificateUse::Client) {
    const auto leaf =
        *issue(signer, {.common_name = name, .dns_names = {name}, .use = use}, clock_.wall());
    return {trusted, leaf.certificate, leaf.key};
  }

  void connect(const TlsIdentity& who, const std::string& server_name = "db-0.test") {
    gateway_ = std::make_unique<Gateway>(
        clock_, who,
        [this](const auto&, const auto& observation) {
          ++published_;
          if (observation->connected()) was_connected_ = true;
        },
        [] { return false; });
    gateway_->set_endpoints(
        {{.id = "e", .unit = kUnit, .ip = "127.0.0.1", .port = port_, .server_name = server_name}});
  }

  bool reaches(StreamState state) {
    return eventually([&] { return gateway_->latest("e")->stream == state; });
  }

  Result<Reply> order(Epoch epoch, Action action, const std::string& unit = kUnit) {
    auto promise = std::make_shared<std::promise<Result<Reply>>>();
    gateway_->call("e",
                   {.header = {.unit = unit, .request_id = "r", .epoch = epoch, .time_limit = 5s},
                    .action = std::move(action)},
                   [promise](Result<Reply> reply) { promise->set_value(std::move(reply)); });
    return promise->get_future().get();
  }

  SystemClock clock_;
  test::Scratch scratch_;
  CertifiedKey authority_;
  std::unique_ptr<Agent> agent_;
  std::unique_ptr<Service> service_;
  std::uint16_t port_ = 0;
  std::atomic<int> published_ = 0;
  std::atomic<bool> was_connected_ = false;
  std::unique_ptr<Gateway> gateway_;
};

TEST_F(Stream, BothSidesAccepted) {
  start_agent();
  connect(identity(authority_, authority_.certificate));
  ASSERT_TRUE(reaches(StreamState::Connected)) << gateway_->latest("e")->stream_error;
  const auto seen = gateway_->latest("e");
  EXPECT_EQ(seen->process.state, ProcessState::Unknown);
  EXPECT_EQ(seen->data, DataState::Empty);
  EXPECT_FALSE(seen->death_witnessed()) << "a supervisor that was never seen witnesses nothing";
}

TEST_F(Stream, TellsOfAMemberThatClosedItself) {
  std::filesystem::create_directory(scratch_ / "troupe");
  std::ofstream(scratch_ / "troupe" / "fenced") << "1769860800000000 nobody was there\n";
  start_agent();
  connect(identity(authority_, authority_.certificate));
  ASSERT_TRUE(reaches(StreamState::Connected));
  const auto fenced = gateway_->latest("e")->fenced;
  ASSERT_TRUE(fenced);
  EXPECT_EQ(fenced->reason, "nobody was there");
  EXPECT_EQ(gateway_->metrics().fenced, 1u);
  std::filesystem::remove(scratch_ / "troupe" / "fenced");
  EXPECT_TRUE(eventually([&] { return gateway_->metrics().fenced == 0; }));
}

TEST_F(Stream, HeartbeatsRenewWhatIsSeenWithoutPublishing) {
  start_agent();
  connect(identity(authority_, authority_.certificate));
  ASSERT_TRUE(reaches(StreamState::Connected));
  const auto first = gateway_->latest("e")->seen;
  ASSERT_TRUE(eventually([&] { return gateway_->latest("e")->seen > first + 1s; }));
  EXPECT_LE(published_, 6) << "connecting, connected, and changes of free space at most";
}

TEST_F(Stream, AClientOfAnotherAuthorityIsRefused) {
  start_agent();
  const auto other = *make_authority("other", clock_.wall());
  connect(identity(other, authority_.certificate));
  ASSERT_TRUE(eventually([this] { return !gateway_->latest("e")->stream_error.empty(); }));
  EXPECT_FALSE(was_connected_);
  EXPECT_NE(gateway_->latest("e")->stream, StreamState::Connected);
}

TEST_F(Stream, AnAgentOfAnotherAuthorityIsNotBelieved) {
  start_agent();
  const auto other = *make_authority("other", clock_.wall());
  connect(identity(authority_, other.certificate));
  EXPECT_TRUE(reaches(StreamState::TlsFailed)) << gateway_->latest("e")->stream_error;
}

TEST_F(Stream, AnAgentThatCarriesAnotherNameIsNotBelieved) {
  start_agent();
  connect(identity(authority_, authority_.certificate), "db-1.test");
  EXPECT_TRUE(reaches(StreamState::TlsFailed)) << gateway_->latest("e")->stream_error;
}

TEST_F(Stream, ACertificateThatDoesNotNameTheOperatorIsDenied) {
  start_agent();
  connect(identity(authority_, authority_.certificate, "db-1.test"));
  EXPECT_TRUE(reaches(StreamState::Refused)) << gateway_->latest("e")->stream_error;
  EXPECT_EQ(order({1}, StopReceiver{}).error().code, Code::Denied);
}

TEST_F(Stream, NobodyListeningIsRefused) {
  start_agent();
  service_.reset();
  connect(identity(authority_, authority_.certificate));
  EXPECT_TRUE(reaches(StreamState::Refused)) << gateway_->latest("e")->stream_error;
}

TEST_F(Stream, AnAgentThatEndsIsLostAndFoundAgain) {
  start_agent();
  connect(identity(authority_, authority_.certificate));
  ASSERT_TRUE(reaches(StreamState::Connected));
  service_.reset();
  ASSERT_TRUE(eventually([this] { return !gateway_->latest("e")->connected(); }));
  EXPECT_NE(gateway_->latest("e")->boot_id, "") << "what was known stays known";
}

TEST_F(Stream, TwoAuthoritiesAreValidDuringARotation) {
  const auto next = *make_authority("troupe", clock_.wall());
  write_tls(authority_, authority_.certificate + next.certificate);
  start_agent();
  connect(identity(next, authority_.certificate + next.certificate));
  EXPECT_TRUE(reaches(StreamState::Connected)) << gateway_->latest("e")->stream_error;
}

TEST_F(Stream, NewCertificatesAreTakenWithoutDroppingStreams) {
  start_agent();
  connect(identity(authority_, authority_.certificate));
  ASSERT_TRUE(reaches(StreamState::Connected));
  const auto since = gateway_->latest("e")->since;

  const auto next = *make_authority("troupe", clock_.wall());
  write_tls(next, authority_.certificate + next.certificate);
  // A second operator that knows the new authority only.
  std::atomic<bool> accepted = false;
  Gateway second(
      clock_, identity(next, next.certificate),
      [&](const auto&, const auto& now) {
        if (now->connected()) accepted = true;
      },
      [] { return false; });
  second.set_endpoints(
      {{.id = "e", .unit = kUnit, .ip = "127.0.0.1", .port = port_, .server_name = "db-0.test"}});
  EXPECT_TRUE(eventually([&] { return accepted.load(); }));
  EXPECT_EQ(gateway_->latest("e")->since, since) << "the old stream has never been away";
  EXPECT_TRUE(gateway_->latest("e")->connected());
}

TEST_F(Stream, ALowerEpochIsRefusedWithBothNumbers) {
  start_agent();
  connect(identity(authority_, authority_.certificate));
  ASSERT_TRUE(reaches(StreamState::Connected));
  // There is no database: the step fails, but its epoch has been seen.
  EXPECT_EQ(order({5}, StopReceiver{}).error().code, Code::Retry);
  const auto refused = order({4}, OpenForWrites{.acks = 1});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::Stale);
  EXPECT_NE(refused.error().message.find("epoch 4"), std::string::npos);
  EXPECT_NE(refused.error().message.find("epoch 5"), std::string::npos);
  EXPECT_EQ(order({5}, StopReceiver{}).error().code, Code::Retry) << "an equal one is a retry";
  EXPECT_TRUE(eventually([this] { return gateway_->latest("e")->highest_epoch == Epoch{5}; }));
}

TEST_F(Stream, ACommandForAnotherUnitIsRefused) {
  start_agent();
  connect(identity(authority_, authority_.certificate));
  ASSERT_TRUE(reaches(StreamState::Connected));
  EXPECT_EQ(order({1}, StopReceiver{}, "ns/db-1").error().code, Code::Invalid);
}

TEST_F(Stream, RendersAConfigurationAndReportsWhatItOverrode) {
  start_agent();
  connect(identity(authority_, authority_.certificate));
  ASSERT_TRUE(reaches(StreamState::Connected));
  Render render{
      .template_text =
          "[mysqld]\nmax_connections={{ getv \"/mysqld/max\" }}\n"
          "sync_binlog=0\nreport={{ getPodLabelValueByKey \"app\" }}\n",
      .values = {{"defaults", "mysqld: {max: 10}"}, {"own", "{\"mysqld\": {\"max\": 500}}"}},
      .labels = {{"app", "db"}}};
  const auto reply = order({}, render);
  ASSERT_TRUE(reply) << reply.error().message;
  const auto rendered = std::get<Rendered>(reply->answer);
  EXPECT_TRUE(rendered.changed);
  EXPECT_EQ(rendered.overridden, std::vector<std::string>{"sync_binlog=0 (kept at 1)"});
  std::ifstream file(scratch_ / "troupe" / "conf" / "mysql.cnf");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}),
            "[mysqld]\nmax_connections=500\nsync_binlog=0\nreport=db\n");
  EXPECT_FALSE(std::get<Rendered>(order({}, render)->answer).changed);

  render.template_text = "{{ getv \"/none\" }}";
  EXPECT_EQ(order({}, render).error().code, Code::Invalid);
  EXPECT_TRUE(eventually([&] { return !gateway_->latest("e")->config.error.empty(); }));
  EXPECT_EQ(gateway_->latest("e")->config.hash, rendered.hash) << "the old file stays";
}

TEST_F(Stream, ASecondAgentOnTheSameVolumeIsRefused) {
  start_agent();
  EXPECT_EQ(Agent::start(agent_->settings()).error().code, Code::Exists);
}

TEST_F(Stream, ACallToAnUnknownEndpointIsAnsweredAndNotFromWithin) {
  start_agent();
  connect(identity(authority_, authority_.certificate));
  gateway_->set_endpoints({});
  std::promise<std::thread::id> answered_on;
  gateway_->call("e", {.action = StopReceiver{}}, [&](Result<Reply> reply) {
    EXPECT_EQ(reply.error().code, Code::NotFound);
    answered_on.set_value(std::this_thread::get_id());
  });
  EXPECT_NE(answered_on.get_future().get(), std::this_thread::get_id());
  EXPECT_EQ(gateway_->latest("e"), nullptr);
}

// A way to the agent that can be cut off: then it takes bytes, and passes none on.
class CutOff : public Stream {
 protected:
  CutOff() {
    start_agent();
    auto address = support::loopback(0);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    relay_ = std::thread([this, agent = support::loopback(port_)] {
      const int near = ::accept(listener_, nullptr, nullptr);
      const int far = ::socket(AF_INET, SOCK_STREAM, 0);
      EXPECT_EQ(::connect(far, reinterpret_cast<const sockaddr*>(&agent), sizeof agent), 0);
      pass_on(near, far);
      ::close(near);
      ::close(far);
    });
    port_ = ntohs(address.sin_port);
    connect(identity(authority_, authority_.certificate));
    EXPECT_TRUE(reaches(StreamState::Connected));
    cut_ = true;
    gateway_->call("e",
                   {.header = {.unit = kUnit, .request_id = "r", .epoch = {1}, .time_limit = 10min},
                    .action = Promote{}},
                   [this](Result<Reply> reply) { answered_.set_value(reply.error().code); });
  }
  ~CutOff() override {
    gateway_.reset();
    over_ = true;
    relay_.join();
    ::close(listener_);
  }

  void pass_on(int near, int far) {
    std::array<pollfd, 2> ends{{{near, POLLIN, 0}, {far, POLLIN, 0}}};
    std::array<char, 65536> bytes;
    while (!over_) {
      ::poll(ends.data(), ends.size(), 10);
      for (const auto& end : ends) {
        if (cut_ || end.revents == 0) continue;
        const auto got = ::recv(end.fd, bytes.data(), bytes.size(), 0);
        if (got <= 0) return;
        ::send(end.fd == near ? far : near, bytes.data(), static_cast<std::size_t>(got), 0);
      }
    }
  }
  Code answered() {
    auto code = answered_.get_future();
    const bool in_time = code.wait_for(20s) == std::future_status::ready;
    EXPECT_TRUE(in_time) << "the command waits for its time limit";
    return in_time ? code.get() : Code::Fatal;
  }

  const int listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
  std::atomic<bool> cut_ = false, over_ = false;
  std::thread relay_;
  std::promise<Code> answered_;
};

TEST_F(CutOff, ACommandEndsWithTheStreamThatItGoesBeside) { EXPECT_EQ(answered(), Code::Timeout); }

TEST_F(CutOff, ACommandEndsWhenItsEndpointIsNamedNoMore) {
  gateway_->set_endpoints({});
  EXPECT_EQ(answered(), Code::Timeout);
}

}  // namespace
}  // namespace troupe::agent
