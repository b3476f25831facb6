// A unit for tests: troupe-supervise and troupe-agent as processes around a real mysqld, on
// loopback.
//
// The two are the built executables with the environment that a Pod gives them; mysqld is run by
// its own tree's loader (mysqld.hpp). Commands go through a Gateway over TLS. Everything dies with
// the test.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engines/agent/certificates.hpp"
#include "engines/agent/gateway.hpp"
#include "runtime/clock.hpp"
#include "tests/db/mysqld.hpp"

namespace troupe::agent::testing {

inline constexpr const char* kReplicationUser = "repl";
inline constexpr const char* kDonorUser = "donor";
inline constexpr const char* kAppUser = "app";
inline constexpr const char* kPassword = "Secret-Passw0rd!";

class Unit {
 public:
  // `environment` is what the database's container has, as NAME=value; the agent has it too.
  explicit Unit(std::string name, std::vector<std::string> environment = {});
  // Vouched for, as is its operator, by an authority that others may share.
  Unit(std::string name, CertifiedKey authority, std::vector<std::string> environment = {});
  ~Unit();
  Unit(const Unit&) = delete;
  Unit& operator=(const Unit&) = delete;

  // Renders a configuration, initialises, starts and makes the accounts above. Only the first unit
  // of a process with an empty environment really initialises: the others get copies.
  void bring_up();

  // The same configuration, and these lines.
  void render(std::string_view more = {});

  Result<Reply> order(Epoch epoch, Action action,
                      std::chrono::milliseconds limit = std::chrono::seconds(60));
  // The answer, or a failed test.
  template <class Answer, class Command>
  Answer must(Epoch epoch, Command command) {
    auto reply = order(epoch, std::move(command));
    if (!reply) throw std::runtime_error(name_ + ": " + reply.error().message);
    return std::get<Answer>(reply->answer);
  }

  Gateway::Observation seen() const { return gateway_->latest(name_); }
  bool becomes(const std::function<bool(const AgentObservation&)>& condition,
               std::chrono::milliseconds limit = std::chrono::seconds(60)) const;

  std::uint16_t port() const { return port_; }
  std::filesystem::path volume() const { return directory_ / "data"; }
  std::filesystem::path data() const { return volume() / "data"; }
  // What the agent remembers.
  std::filesystem::path keep() const { return volume() / "troupe"; }
  // As an application over TCP.
  mysql::Login login(const std::string& user = kAppUser) const;
  ReplicationSource as_source() const;
  // Its status variable Rpl_semi_sync_source_NAME.
  std::string semi_sync_source(std::string_view name) const;

  // Puts another certificate and other authorities where the agent and the server read them.
  void certify(const CertifiedKey& signer, const std::string& trusted) const;
  // Until both use what lies there.
  bool uses_certificates_of(const std::string& trusted) const;
  const CertifiedKey& authority() const { return authority_; }
  // As an application that believes those authorities only.
  mysql::Login tls_login(const std::string& trusted) const;

  // Whether its operator leads; it does from the beginning. Its stream stays open all the same.
  void renew_leases(bool renews) { renews_leases_ = renews; }

  void kill_database() const;  // SIGKILL, and back at once
  void end_container();        // SIGTERM to the supervisor
  void end_at_once();          // SIGKILL to it, and so to the database: nothing comes back
  bool container_has_ended();
  void kill_agent();     // SIGKILL
  void restart_agent();  // that, and a new one

 private:
  void start_supervisor();
  void start_agent();
  void ensure_data();

  const std::string name_;
  const std::vector<std::string> environment_;
  std::filesystem::path directory_;
  std::uint16_t port_ = 0;
  std::uint16_t agent_port_ = 0;
  SystemClock clock_;
  CertifiedKey authority_;
  pid_t supervisor_ = -1;
  pid_t agent_ = -1;
  std::atomic<bool> renews_leases_ = true;
  std::unique_ptr<Gateway> gateway_;
};

}  // namespace troupe::agent::testing
