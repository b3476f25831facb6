#include "tests/db/mysqld.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "tests/db/certificates.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/files.hpp"
#include "tests/support/loopback.hpp"
#include "tests/support/tree.hpp"

namespace troupe::mysql::testing {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;
using support::eventually;
using support::loopback;

constexpr auto kStartDeadline = 60s;
constexpr auto kStopDeadline = 30s;

[[noreturn]] void give_up(const std::string& what) { throw std::runtime_error(what); }

fs::path rootfs() {
  const char* given = std::getenv("TROUPE_ROOTFS_MYSQL");
  const fs::path root = given ? given : "/var/cache/troupe/rootfs-mysql";
  if (!fs::exists(root / "usr/sbin/mysqld")) {
    give_up(
        fmt::format("expected a root file system with mysqld at {}; ./dev build makes it, or set"
                    " TROUPE_ROOTFS_MYSQL",
                    root.string()));
  }
  return root;
}

std::vector<std::string> command(const fs::path& data, const fs::path& log) {
  const auto root = rootfs();
  const auto at = [&](const char* path) { return (root / path).string(); };
  return {at("lib64/ld-linux-x86-64.so.2"),
          "--library-path",
          fmt::format("{}:{}", at("usr/lib/x86_64-linux-gnu"), at("usr/lib/mysql/private")),
          at("usr/sbin/mysqld"),
          "--no-defaults",
          "--user=root",
          "--basedir=" + at("usr"),
          "--plugin-dir=" + at("usr/lib/mysql/plugin"),
          "--lc-messages-dir=" + at("usr/share/mysql"),
          "--character-sets-dir=" + at("usr/share/mysql/charsets"),
          "--secure-file-priv=NULL",
          "--mysqlx=OFF",
          "--innodb-buffer-pool-size=32M",
          "--innodb-redo-log-capacity=8M",
          "--datadir=" + data.string(),
          "--log-error=" + log.string()};
}

// The child dies with the thread that made it, whatever happens to the test.
pid_t spawn(const std::vector<std::string>& words, const std::string& netns = {}) {
  std::vector<char*> argv;
  for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) give_up("cannot fork");
  if (pid > 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  if (!netns.empty()) {
    const int fd = ::open(netns.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0 || ::setns(fd, CLONE_NEWNET) != 0) ::_exit(126);
  }
  const int null = ::open("/dev/null", O_RDWR);
  for (const int fd : {0, 1, 2}) ::dup2(null, fd);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

// In memory where there is one: a server makes thousands of fsyncs while it starts.
fs::path fast_directory() {
  const fs::path memory = "/dev/shm";
  return ::access(memory.c_str(), W_OK) == 0 ? memory : fs::temp_directory_path();
}

bool has_ended(pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) == pid; }

void copy_tree(const fs::path& from, const fs::path& to) {
  const pid_t pid =
      spawn({"/bin/cp", "-a", "--sparse=always", "--reflink=auto", from.string(), to.string()});
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (status != 0) give_up(fmt::format("cannot copy {} to {}", from.string(), to.string()));
}

void initialise(const fs::path& data) {
  const auto init = data.string() + ".sql";
  const auto log = data.string() + ".log";
  std::ofstream(init) << fmt::format(
      "CREATE USER '{0}'@'%' IDENTIFIED BY '{1}';\nGRANT ALL ON *.* TO '{0}'@'%' WITH GRANT "
      "OPTION;\n",
      kAdmin, kAdminPassword);
  auto words = command(data, log);
  words.insert(words.end(), {"--initialize-insecure", "--init-file=" + init});
  int status = 0;
  ::waitpid(spawn(words), &status, 0);
  if (status != 0) give_up("mysqld --initialize failed:\n" + support::file_text(log));
  fs::remove(data / "auto.cnf");  // each copy makes a server_uuid of its own
}

// An initialised data directory, made once for each build of mysqld and shared by all tests of this
// machine; a lock keeps two test processes from making it at once.
fs::path template_directory() {
  const auto server = rootfs() / "usr/sbin/mysqld";
  const auto made = fs::last_write_time(server).time_since_epoch().count();
  const fs::path base = fs::path(support::program()).parent_path() / "mysqld-template";
  fs::create_directories(base);
  const auto ready = base / fmt::format("{}-{}", fs::file_size(server), made);
  const int lock = ::open((base / "lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  ::flock(lock, LOCK_EX);
  if (!fs::exists(ready)) {
    const auto fresh = base / "fresh";
    fs::remove_all(fresh);
    initialise(fresh);
    fs::rename(fresh, ready);
  }
  ::close(lock);
  return ready;
}

// The server greets first, so a byte to read means that it serves.
bool greets(const std::string& host, std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(port);
  ::inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  const timeval patience{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  char byte;
  const bool greeted =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      ::recv(fd, &byte, 1, 0) == 1;
  ::close(fd);
  return greeted;
}

}  // namespace

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(0);
  socklen_t length = sizeof address;
  const bool bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), length) == 0 &&
                     ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  ::close(fd);
  if (!bound) give_up("no free loopback port");
  return ntohs(address.sin_port);
}

Mysqld::Mysqld(std::uint32_t server_id, std::vector<std::string> flags, Place place)
    : server_id_(server_id), flags_(std::move(flags)), place_(std::move(place)) {
  std::string name = fast_directory() / "troupe-mysqld-XXXXXX";
  if (!::mkdtemp(name.data())) give_up("cannot make a temporary directory");
  directory_ = name;
  copy_tree(template_directory(), directory_ / "data");
  port_ = free_port();
  start();
}

Mysqld::~Mysqld() {
  kill();
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

void Mysqld::start() {
  auto words = command(directory_ / "data", directory_ / "error.log");
  words.insert(words.end(), {fmt::format("--port={}", port_), "--bind-address=" + place_.address,
                             "--socket=" + socket(), fmt::format("--server-id={}", server_id_),
                             "--pid-file=" + (directory_ / "pid").string(), "--gtid-mode=ON",
                             "--enforce-gtid-consistency=ON", "--report-host=" + place_.address,
                             fmt::format("--report-port={}", port_), "--skip-replica-start=ON"});
  words.insert(words.end(), flags_.begin(), flags_.end());
  pid_ = spawn(words, place_.netns);
  wait_until_it_listens();
}

void Mysqld::wait_until_it_listens() {
  bool ended = false;
  const bool up = eventually(kStartDeadline, [&] {
    ended = has_ended(pid_);
    return ended || greets(place_.address, port_);
  });
  if (ended) pid_ = -1;
  if (ended || !up) give_up("mysqld did not start:\n" + log_tail());
}

std::string Mysqld::log_tail() const {
  constexpr std::size_t kTail = 4000;
  auto log = support::file_text(directory_ / "error.log");
  return log.size() > kTail ? log.substr(log.size() - kTail) : log;
}

void Mysqld::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

void Mysqld::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void Mysqld::stop() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGTERM);
  if (!eventually(kStopDeadline, [&] { return has_ended(pid_); })) {
    kill();
    give_up("mysqld did not stop:\n" + log_tail());
  }
  pid_ = -1;
}

void Mysqld::restart() {
  if (pid_ > 0) stop();
  start();
}

std::string Mysqld::ca_pem() const { return support::file_text(directory_ / "data/ca.pem"); }

std::string Mysqld::certificate_fingerprint() const {
  return fingerprint(support::file_text(directory_ / "data/server-cert.pem"));
}

Login Mysqld::admin() const {
  Login login;
  login.address = socket();
  login.user = kAdmin;
  login.password = Secret(kAdminPassword);
  return login;
}

Login Mysqld::admin_over_tls() const {
  auto login = admin();
  login.address = place_.address;
  login.port = port_;
  login.tls = TlsTrust{TrustAnchors::from_pem(ca_pem()).value(), "", certificate_fingerprint()};
  return login;
}

Client::Client(const Login& login) : connection_(io_.get_executor()) {
  std::optional<Outcome<void>> outcome;
  connection_.connect(login, 10s, [&](auto result) { outcome = result; });
  while (!outcome && io_.run_one() > 0) {
  }
  if (!outcome) give_up("connect() was not answered");
  if (!*outcome) give_up(to_error(outcome->error()).message);
}

Outcome<void> Client::try_connect(const Login& login, Duration timeout) {
  boost::asio::io_context io;
  Connection connection(io.get_executor());
  std::optional<Outcome<void>> outcome;
  connection.connect(login, timeout, [&](auto result) { outcome = result; });
  while (!outcome && io.run_one() > 0) {
  }
  if (!outcome) give_up("connect() was not answered");
  return *outcome;
}

Outcome<std::vector<ResultSet>> Client::execute(std::vector<Statement> statements,
                                                Duration timeout) {
  std::optional<Outcome<std::vector<ResultSet>>> outcome;
  connection_.execute(std::move(statements), timeout,
                      [&](auto result) { outcome = std::move(result); });
  io_.restart();
  while (!outcome && io_.run_one() > 0) {
  }
  if (!outcome) give_up("execute() was not answered");
  return std::move(*outcome);
}

ResultSet Client::run(const Statement& statement) {
  auto answers = execute({statement});
  if (!answers) {
    give_up(fmt::format("{}: {}", statement.redacted(), to_error(answers.error()).message));
  }
  return std::move(answers->back());
}

ResultSet Client::run(std::string_view text) { return run(sql(text)); }

std::string Client::value(std::string_view text) {
  const auto rows = run(text);
  if (rows.empty()) give_up(fmt::format("{}: no row", text));
  return rows[0].text(rows.columns().front());
}

Statement sql(std::string_view text) { return StatementBuilder().sql(text).build(); }

}  // namespace troupe::mysql::testing
