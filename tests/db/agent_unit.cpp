#include "tests/db/agent_unit.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <future>
#include <stdexcept>

#include "engines/agent/model/digest.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/tree.hpp"

namespace troupe::agent::testing {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

constexpr const char* kNamespace = "test";

fs::path rootfs() {
  const char* given = std::getenv("TROUPE_ROOTFS_MYSQL");
  return given ? given : "/var/cache/troupe/rootfs-mysql";
}

std::vector<char*> pointers(const Words& words) {
  std::vector<char*> out;
  for (const auto& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

pid_t spawn(const Words& argv, const Words& environment, const fs::path& log) {
  const auto arguments = pointers(argv);
  const auto variables = pointers(environment);
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::dup2(fd, STDOUT_FILENO);
  ::dup2(fd, STDERR_FILENO);
  ::execve(arguments[0], arguments.data(), variables.data());
  ::_exit(127);
}

fs::path make_directory() {
  const bool memory = ::access("/dev/shm", W_OK) == 0;
  std::string name = memory ? "/dev/shm/troupe-unit-XXXXXX" : "/tmp/troupe-unit-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a directory");
  return name;
}

void write(const fs::path& path, std::string_view text) { std::ofstream(path) << text; }

// A freshly initialised data directory, removed when the tests end.
struct PreparedData {
  ~PreparedData() {
    std::error_code ignored;
    fs::remove_all(root, ignored);
  }
  const fs::path root = make_directory();
  const fs::path path = root / "data";
};

}  // namespace

Unit::Unit(std::string name, Words environment)
    : Unit(std::move(name), *make_authority("troupe", SystemClock().wall()),
           std::move(environment)) {}

Unit::Unit(std::string name, CertifiedKey authority, Words environment)
    : name_(std::move(name)),
      environment_(std::move(environment)),
      directory_(make_directory()),
      port_(mysql::testing::free_port()),
      agent_port_(mysql::testing::free_port()),
      authority_(std::move(authority)) {
  for (const auto* part : {"data", "run", "tls"}) fs::create_directory(directory_ / part);
  certify(authority_, authority_.certificate);
  start_supervisor();
  start_agent();
  const auto client = *issue(
      authority_,
      {.common_name = "operator", .dns_names = {"troupe-operator"}, .use = CertificateUse::Client},
      clock_.wall());
  gateway_ = std::make_unique<Gateway>(
      clock_, TlsIdentity{authority_.certificate, client.certificate, client.key},
      [](const auto&, const auto&) {}, [this] { return renews_leases_.load(); });
  gateway_->set_endpoints({{.id = name_,
                            .unit = fmt::format("{}/{}", kNamespace, name_),
                            .ip = "127.0.0.1",
                            .port = agent_port_,
                            .server_name = name_}});
  if (!becomes(
          [](const auto& now) { return now.connected() && now.process.supervisor_connected; })) {
    throw std::runtime_error("the agent does not answer: " + seen()->stream_error);
  }
}

Unit::~Unit() {
  gateway_.reset();
  for (const pid_t pid : {agent_, supervisor_}) {  // the database dies with the supervisor
    if (pid <= 0) continue;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

void Unit::start_supervisor() {
  auto environment = environment_;
  environment.push_back("PATH=/usr/bin:/bin");
  supervisor_ = spawn(
      {support::program("troupe-supervise"), "run", "--socket",
       (directory_ / "run" / "supervise" / "sock").string(), "--grace", "20", "--reserve", "10"},
      environment, directory_ / "database.log");
}

void Unit::start_agent() {
  const auto root = rootfs().string();
  const auto at = [&](const char* path) { return root + "/" + path; };
  const auto mysqld = fmt::format("{} --library-path {}:{} {}", at("lib64/ld-linux-x86-64.so.2"),
                                  at("usr/lib/x86_64-linux-gnu"), at("usr/lib/mysql/private"),
                                  at("usr/sbin/mysqld"));
  const auto arguments = fmt::format(
      "--basedir={} --plugin-dir={} --lc-messages-dir={} --character-sets-dir={} "
      "--secure-file-priv=NULL --mysqlx=OFF",
      at("usr"), at("usr/lib/mysql/plugin"), at("usr/share/mysql"), at("usr/share/mysql/charsets"));
  Words environment{"DATA_MOUNT=" + volume().string(),
                    fmt::format("TROUPE_UNIT={}/{}", kNamespace, name_),
                    "TROUPE_RUN_DIR=" + (directory_ / "run").string(),
                    "TROUPE_TLS_DIR=" + (directory_ / "tls").string(),
                    fmt::format("TROUPE_LISTEN=127.0.0.1:{}", agent_port_),
                    fmt::format("TROUPE_RUN_AS={}:{}", ::geteuid(), ::getegid()),
                    "TROUPE_MYSQLD=" + mysqld,
                    "TROUPE_MYSQLD_ARGS=" + arguments};
  environment.insert(environment.end(), environment_.begin(), environment_.end());
  agent_ = spawn({support::program("troupe-agent")}, environment, directory_ / "agent.log");
}

void Unit::ensure_data() {
  static const PreparedData prepared;
  const auto copy_options = fs::copy_options::recursive;
  // What of it concerns the data directory.
  const bool plain = std::none_of(environment_.begin(), environment_.end(),
                                  [](const auto& entry) { return entry.starts_with("MYSQL_"); });
  if (plain && fs::exists(prepared.path)) fs::copy(prepared.path, data(), copy_options);
  must<Initialised>({}, EnsureInitialised{});
  if (!plain || fs::exists(prepared.path)) return;
  fs::copy(data(), prepared.path, copy_options);
  fs::remove(prepared.path / "auto.cnf");  // each copy makes a server_uuid of its own
}

void Unit::render(std::string_view more) {
  must<Rendered>(
      {}, Render{.template_text = fmt::format("[mysqld]\nport={}\nbind_address=127.0.0.1\n"
                                              "innodb_buffer_pool_size={{{{ getv \"/pool\" }}}}\n"
                                              "innodb_redo_log_capacity=8M\n{}",
                                              port_, more),
                 .values = {{"values", "pool: 32M"}}});
}

void Unit::bring_up() {
  render();
  ensure_data();
  must<Done>({}, StartProcess{});
  if (!becomes([](const auto& now) { return now.process.state == ProcessState::Running; })) {
    throw std::runtime_error(name_ + " does not run");
  }
  const auto account = [](const char* user, GrantSet set) {
    return Account{.user = user, .password = Secret(kPassword), .grants = {set}};
  };
  must<AccountsEnsured>({}, EnsureAccounts{{account(kReplicationUser, GrantSet::Replication),
                                            account(kDonorUser, GrantSet::CloneDonor),
                                            account(kAppUser, GrantSet::Provision)}});
}

Result<Reply> Unit::order(Epoch epoch, Action action, std::chrono::milliseconds limit) {
  auto promise = std::make_shared<std::promise<Result<Reply>>>();
  gateway_->call(name_,
                 {.header = {.unit = fmt::format("{}/{}", kNamespace, name_),
                             .request_id = fmt::format("{}-{}", name_of(action), epoch.value),
                             .epoch = epoch,
                             .time_limit = limit},
                  .action = std::move(action)},
                 [promise](Result<Reply> reply) { promise->set_value(std::move(reply)); });
  return promise->get_future().get();
}

bool Unit::becomes(const std::function<bool(const AgentObservation&)>& condition,
                   std::chrono::milliseconds limit) const {
  return support::eventually(limit, [&] { return condition(*seen()); });
}

mysql::Login Unit::login(const std::string& user) const {
  return {.address = "127.0.0.1",
          .port = port_,
          .user = user,
          .password = Secret(kPassword),
          .allow_plain = true};
}

std::string Unit::semi_sync_source(std::string_view name) const {
  return mysql::testing::Client(login()).value(
      fmt::format("SELECT VARIABLE_VALUE FROM performance_schema.global_status WHERE "
                  "VARIABLE_NAME = 'Rpl_semi_sync_source_{}'",
                  name));
}

ReplicationSource Unit::as_source() const {
  return {.host = "127.0.0.1",
          .port = port_,
          .user = kReplicationUser,
          .password = Secret(kPassword),
          .tls = true};
}

void Unit::certify(const CertifiedKey& signer, const std::string& trusted) const {
  const auto leaf =
      *issue(signer, {.common_name = name_, .dns_names = {name_}, .ip_addresses = {"127.0.0.1"}},
             clock_.wall());
  write(directory_ / "tls" / "tls.crt", leaf.certificate);
  write(directory_ / "tls" / "tls.key", leaf.key.reveal());
  write(directory_ / "tls" / "ca.crt", trusted);
}

bool Unit::uses_certificates_of(const std::string& trusted) const {
  return becomes([&](const auto& now) { return now.certificates.trusted == sha256_hex(trusted); });
}

mysql::Login Unit::tls_login(const std::string& trusted) const {
  auto out = login();
  out.allow_plain = false;
  out.tls = mysql::TlsTrust{.anchors = *mysql::TrustAnchors::from_pem(trusted), .name = name_};
  return out;
}

void Unit::kill_database() const { ::kill(static_cast<pid_t>(seen()->process.pid), SIGKILL); }

void Unit::end_container() { ::kill(supervisor_, SIGTERM); }

void Unit::end_at_once() {
  ::kill(supervisor_, SIGKILL);
  ::waitpid(supervisor_, nullptr, 0);
  supervisor_ = -1;
}

bool Unit::container_has_ended() {
  if (supervisor_ > 0 && ::waitpid(supervisor_, nullptr, WNOHANG) == supervisor_) supervisor_ = -1;
  return supervisor_ == -1;
}

void Unit::kill_agent() {
  ::kill(agent_, SIGKILL);
  ::waitpid(agent_, nullptr, 0);
  agent_ = -1;
}

void Unit::restart_agent() {
  kill_agent();
  start_agent();
}

}  // namespace troupe::agent::testing
