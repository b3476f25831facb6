// A real mysqld for tests, outside any container, in a directory and on a port of its own, of the
// loopback or of a network namespace.
//
// The server is the one in the root file system that ./dev makes by debootstrap
// (/var/cache/troupe/rootfs-mysql, or the environment's TROUPE_ROOTFS_MYSQL), run by that tree's
// own dynamic loader. The data directory is initialised once a machine and copied for each server;
// each copy gets a server_uuid of its own. The server dies with the process that started it.
//
// Whatever goes wrong throws std::runtime_error with the end of the server's error log: a database
// test that cannot run is a failed test.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "engines/mysql/connection.hpp"

namespace troupe::mysql::testing {

// Exists on every server, from anywhere, with all privileges.
inline constexpr const char* kAdmin = "admin";
inline constexpr const char* kAdminPassword = "admin-password";

// Where a server listens.
struct Place {
  std::string address = "127.0.0.1";
  std::string netns;  // path of its network namespace; empty: that of the test
};

class Mysqld {
 public:
  // `flags` follow the fixture's own and so override them.
  explicit Mysqld(std::uint32_t server_id, std::vector<std::string> flags = {}, Place place = {});
  ~Mysqld();
  Mysqld(const Mysqld&) = delete;
  Mysqld& operator=(const Mysqld&) = delete;

  const std::string& address() const { return place_.address; }
  std::uint16_t port() const { return port_; }
  pid_t pid() const { return pid_; }
  std::string socket() const { return (directory_ / "mysqld.sock").string(); }
  const std::filesystem::path& directory() const { return directory_; }

  // Of the certificate that the server made for itself.
  std::string ca_pem() const;
  std::string certificate_fingerprint() const;

  Login admin() const;           // over the Unix socket
  Login admin_over_tls() const;  // over TCP, bound by fingerprint

  void signal(int number) const;
  void kill();     // SIGKILL, and waits until the process is gone
  void stop();     // orderly
  void restart();  // after kill() or stop(); same port and data

 private:
  void start();
  void wait_until_it_listens();
  std::string log_tail() const;

  std::filesystem::path directory_;
  std::uint32_t server_id_;
  std::vector<std::string> flags_;
  Place place_;
  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
};

// A Connection that is used as if it were blocking, on an io_context of its own.
class Client {
 public:
  explicit Client(const Login& login);  // throws when it cannot connect

  // Throws where the statement fails. The last answer of several.
  ResultSet run(const Statement& statement);
  ResultSet run(std::string_view sql);
  // The first cell of the first row, "" for NULL.
  std::string value(std::string_view sql);
  Outcome<std::vector<ResultSet>> execute(std::vector<Statement> statements,
                                          Duration timeout = std::chrono::seconds(10));
  static Outcome<void> try_connect(const Login& login, Duration timeout = std::chrono::seconds(10));

 private:
  boost::asio::io_context io_;
  Connection connection_;
};

Statement sql(std::string_view text);

// A loopback port that nobody listened on a moment ago.
std::uint16_t free_port();

}  // namespace troupe::mysql::testing
