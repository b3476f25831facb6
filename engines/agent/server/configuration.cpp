#include "engines/agent/server/configuration.hpp"

#include <fmt/format.h>
#include <openssl/rand.h>
#include <yaml-cpp/yaml.h>

#include <array>

#include "engines/agent/model/digest.hpp"
#include "engines/agent/model/option_file.hpp"
#include "engines/mysql/model/statement.hpp"

namespace troupe::agent {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxValues = 100'000;
constexpr int kMaxValueDepth = 32;
constexpr std::size_t kMaxPasswordFile = 256;
constexpr std::size_t kPasswordBytes = 24;

Result<void> flatten(const YAML::Node& node, const std::string& path, FlatValues& into, int depth) {
  if (depth > kMaxValueDepth || into.size() > kMaxValues) {
    return error(Code::Invalid, fmt::format("{} holds too much", path));
  }
  switch (node.Type()) {
    case YAML::NodeType::Map:
      for (const auto& entry : node) {
        auto done =
            flatten(entry.second, path + "/" + entry.first.as<std::string>(), into, depth + 1);
        if (!done) return done;
      }
      return {};
    case YAML::NodeType::Sequence:
      for (std::size_t i = 0; i < node.size(); ++i) {
        auto done = flatten(node[i], fmt::format("{}/{}", path, i), into, depth + 1);
        if (!done) return done;
      }
      return {};
    case YAML::NodeType::Scalar:
      into.insert_or_assign(path, node.Scalar());
      return {};
    default:
      return {};
  }
}

Result<Secret> random_password() {
  std::array<unsigned char, kPasswordBytes> bytes;
  if (::RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return error(Code::Fatal, "the system gives no random bytes");
  }
  // The tail satisfies password policies that ask for every class of characters.
  return Secret(to_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()}) + "-Aa1!");
}

// One statement a line, in a session whose literals know no backslash.
class BootScript {
 public:
  BootScript() {
    text_ = "SET SESSION sql_log_bin=0;\nSET SESSION sql_mode='NO_BACKSLASH_ESCAPES';\n";
  }
  void add(const mysql::Statement& statement) { text_.append(statement.text()).append(";\n"); }
  void account(std::string_view user, std::string_view host, const Secret& password) {
    add(mysql::create_user(user, host, password));
    add(mysql::alter_user_password(user, host, password));
  }
  void all_privileges(std::string_view user, std::string_view host) {
    add(mysql::grant_all(user, host));
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::map<std::string, std::string> as_map(const std::vector<std::string>& pairs) {
  std::map<std::string, std::string> out;
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) out[pairs[i]] = pairs[i + 1];
  return out;
}

Result<void> check_stock(const std::map<std::string, std::string>& stock) {
  for (const auto& [name, value] : stock) {
    if (name.ends_with("_FILE")) {
      return error(Code::Invalid, fmt::format("{} names {}, which cannot be read", name, value));
    }
    if (value.find_first_of("\r\n") != std::string::npos || value.find('\0') != std::string::npos) {
      return error(Code::Invalid, fmt::format("{} holds a line break", name));
    }
  }
  return {};
}

void add_root(BootScript& script, const std::map<std::string, std::string>& stock) {
  const auto given = stock.find("MYSQL_ROOT_PASSWORD");
  if (given == stock.end()) {
    if (stock.contains("MYSQL_ALLOW_EMPTY_PASSWORD")) return;
    script.add(mysql::StatementBuilder()
                   .sql("ALTER USER ")
                   .account("root", "localhost")
                   .sql(" ACCOUNT LOCK")
                   .build());
    return;
  }
  const Secret password(given->second);
  script.add(mysql::alter_user_password("root", "localhost", password));
  const auto host = stock.find("MYSQL_ROOT_HOST");
  const std::string other = host == stock.end() || host->second.empty() ? "%" : host->second;
  if (other == "localhost") return;
  script.account("root", other, password);
  script.all_privileges("root", other);
}

void add_first_database(BootScript& script, const std::map<std::string, std::string>& stock) {
  const auto get = [&](const char* name) {
    const auto found = stock.find(name);
    return found == stock.end() ? std::string() : found->second;
  };
  const auto database = get("MYSQL_DATABASE");
  const auto user = get("MYSQL_USER");
  if (!database.empty()) {
    script.add(mysql::StatementBuilder()
                   .sql("CREATE DATABASE IF NOT EXISTS ")
                   .identifier(database)
                   .build());
  }
  if (user.empty() || get("MYSQL_PASSWORD").empty()) return;
  script.account(user, "%", Secret(get("MYSQL_PASSWORD")));
  if (database.empty()) return;
  script.add(mysql::StatementBuilder()
                 .sql("GRANT ALL ON ")
                 .identifier(database)
                 .sql(".* TO ")
                 .account(user, "%")
                 .build());
}

// What is included into the server's own option file. A server that the supervisor starts again
// reads it without us: it is as new as the rendered file.
fs::path included_file(const AgentSettings& settings) {
  return settings.private_dir() / "user.cnf";
}

Result<void> include(const std::string& rendered, const AgentSettings& settings) {
  return write_durably(included_file(settings), without_unsafe_lines(rendered), 0600,
                       settings.run_as);
}

}  // namespace

Result<void> flatten_values(const ValuesDocument& document, FlatValues& into) {
  try {
    const auto root = YAML::Load(document.text);
    if (root.IsNull()) return {};
    if (!root.IsMap()) return error(Code::Invalid, fmt::format("{} is not a map", document.name));
    auto done = flatten(root, "", into, 0);
    if (!done)
      return error(Code::Invalid, fmt::format("{}: {}", document.name, done.error().message));
    return {};
  } catch (const YAML::Exception& failure) {
    return error(Code::Invalid, fmt::format("{}: {}", document.name, failure.what()));
  }
}

Configuration::Configuration(const AgentSettings& settings) : settings_(settings) {}

Result<void> Configuration::prepare() {
  const auto owner = settings_.run_as;
  for (const auto& directory : {settings_.keep_dir(), settings_.config_path.parent_path(),
                                settings_.binlog_dir, settings_.relay_log_dir}) {
    if (auto made = make_directory(directory, 0755, owner); !made) return made;
  }
  if (auto made = make_directory(settings_.private_dir(), 0700, owner); !made) return made;
  if (auto written = write_client_file(); !written) return written;
  const auto file = settings_.private_dir() / "admin.password";
  if (auto kept = read_file(file, kMaxPasswordFile)) {
    local_password_ = Secret(*std::move(kept));
  } else {
    auto password = random_password();
    if (!password) return password.error();
    local_password_ = *std::move(password);
    auto written = write_durably(file, local_password_.reveal(), 0600);
    if (!written) return written;
  }
  if (const auto text = read_file(settings_.config_path, kMaxOutputBytes)) {
    status_.hash = sha256_hex(*text);
    status_.overridden = overridden_settings(server_settings(*text));
  }
  if (const auto hash = read_file(settings_.private_dir() / "started.hash", kMaxPasswordFile)) {
    started_hash_ = *hash;
  }
  if (auto text = read_file(settings_.private_dir() / "started.cnf", kMaxOutputBytes);
      text && sha256_hex(*text) == started_hash_)
    started_text_ = *std::move(text);
  note(status_);
  return {};
}

Result<void> Configuration::write_client_file() const {
  auto text = client_option_file(settings_.mysql_socket().string());
  if (!text) return text.error();
  const auto directory = settings_.client_dir();
  if (auto made = make_directory(directory, 0755, settings_.run_as); !made) return made;
  return write_durably(directory / "my.cnf", *text, 0644, settings_.run_as);
}

Result<Rendered> Configuration::render(const Render& command) {
  const std::lock_guard lock(mutex_);
  auto text = render_text(command);
  const auto target =
      command.target_path.empty() ? settings_.config_path : fs::path(command.target_path);
  if (text && target != settings_.config_path) {
    // Anywhere else would let a caller write any file that this process can.
    text =
        error(Code::Invalid, fmt::format("the target must be {}", settings_.config_path.string()));
  }
  auto changed = text ? put_in_place(target, *text) : Result<bool>(text.error());
  auto status = status_;
  if (!changed) {
    status.error = changed.error().message;
    note(std::move(status));
    return changed.error();
  }
  status.error.clear();
  status.hash = sha256_hex(*text);
  status.overridden = overridden_settings(server_settings(*text));
  note(status);
  return Rendered{status.hash, *changed, status.overridden};
}

Result<std::string> Configuration::render_text(const Render& command) const {
  FlatValues values;
  for (const auto& document : command.values) {
    if (auto done = flatten_values(document, values); !done) return done.error();
  }
  auto functions = pure_template_functions(values);
  add_host_functions(functions, settings_, command.labels, command.annotations);
  return render_template(command.template_text, functions);
}

Result<bool> Configuration::put_in_place(const fs::path& target, const std::string& text) const {
  const auto present = read_file(target, kMaxOutputBytes);
  if (present && *present == text) return false;
  const auto previous = target.parent_path() / (".previous_" + target.filename().string());
  if (present) {
    auto kept = write_durably(previous, *present, 0644, settings_.run_as);
    if (!kept) return kept.error();
  }
  auto written = write_durably(target, text, 0644, settings_.run_as);
  if (written) written = include(text, settings_);
  if (!written) return written.error();
  return true;
}

void Configuration::note(ConfigStatus status) {
  status.restart_needed = !started_hash_.empty() && started_hash_ != status.hash;
  status_ = std::move(status);
}

ConfigStatus Configuration::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void Configuration::started() {
  const std::lock_guard lock(mutex_);
  in_effect();
}

bool Configuration::runs_since(WallTime start) {
  // The time of a file comes from a clock that ticks every few milliseconds.
  constexpr std::chrono::seconds kDoubt{1};
  const std::lock_guard lock(mutex_);
  if (!status_.restart_needed) return false;
  std::error_code ec;
  const auto written = fs::last_write_time(settings_.config_path, ec);
  if (ec || std::chrono::file_clock::to_sys(written) + kDoubt > start) return false;
  in_effect();
  return true;
}

// An agent that finds no text beside the hash only cannot tell what has changed since.
void Configuration::in_effect() {
  started_hash_ = status_.hash;
  started_text_.reset();
  auto text = read_file(settings_.config_path, kMaxOutputBytes);
  if (text && sha256_hex(*text) == started_hash_ &&
      write_durably(settings_.private_dir() / "started.cnf", *text, 0600))
    started_text_ = *std::move(text);
  [[maybe_unused]] const auto kept =
      write_durably(settings_.private_dir() / "started.hash", started_hash_, 0600);
  note(status_);
}

std::optional<Configuration::Live> Configuration::live_changes() const {
  const std::lock_guard lock(mutex_);
  if (!status_.restart_needed || !started_text_) return std::nullopt;
  const auto wanted = read_file(settings_.config_path, kMaxOutputBytes);
  if (!wanted || sha256_hex(*wanted) != status_.hash) return std::nullopt;
  auto changes = agent::live_changes(server_settings(*started_text_), server_settings(*wanted));
  if (!changes) return std::nullopt;
  return Live{status_.hash, *std::move(changes)};
}

void Configuration::took_effect(const std::string& hash) {
  const std::lock_guard lock(mutex_);
  if (status_.hash == hash) in_effect();
}

namespace {

InstanceSettings instance_of(const AgentSettings& settings, const fs::path& init_file) {
  return {.data_dir = settings.data_dir,
          .socket = settings.mysql_socket(),
          .pid_file = settings.data_mount / "mysqld.pid",
          .init_file = init_file,
          .included_file = included_file(settings),
          .binlog_base = settings.binlog_dir / "binlog",
          .relay_log_base = settings.relay_log_dir / "relay",
          .report_host = settings.report_host,
          .admin_address = settings.pod_ip,
          // The certificate that the operator gave this unit, which its probes and replicas expect.
          .tls_dir = std::filesystem::exists(settings.tls_dir / "tls.key")
                         ? settings.tls_dir.string()
                         : std::string(),
          .server_id = settings.server_id,
          // A server refuses to run as root unless it is told to in so many words.
          .user = settings.run_as.uid == 0 ? "root" : ""};
}

}  // namespace

Result<std::string> Configuration::files_for_start() {
  const auto owner = settings_.run_as;
  if (!fs::exists(settings_.config_path)) {
    auto empty = write_durably(settings_.config_path, "", 0644, owner);
    if (!empty) return empty.error();
  }
  const auto rendered = read_file(settings_.config_path, kMaxOutputBytes);
  if (!rendered) return rendered.error();
  BootScript script;
  script.account(kLocalUser, "localhost", local_password_);
  script.all_privileges(kLocalUser, "localhost");
  const auto script_file = settings_.private_dir() / "boot.sql";
  const auto option_file = settings_.private_dir() / "my.cnf";
  auto text = instance_option_file(instance_of(settings_, script_file), server_settings(*rendered));
  if (!text) return text.error();
  auto written = write_durably(script_file, script.text(), 0600, owner);
  if (written) written = include(*rendered, settings_);
  if (written) written = write_durably(option_file, *text, 0600, owner);
  if (!written) return written.error();
  return "--defaults-file=" + option_file.string();
}

Result<std::string> Configuration::files_for_initialise(
    const std::vector<std::string>& stock_pairs) {
  const auto stock = as_map(stock_pairs);
  if (auto right = check_stock(stock); !right) return right.error();
  if (auto start = files_for_start(); !start) return start;
  BootScript script;
  script.account(kLocalUser, "localhost", local_password_);
  script.all_privileges(kLocalUser, "localhost");
  add_root(script, stock);
  add_first_database(script, stock);
  const auto script_file = settings_.private_dir() / "initialise.sql";
  const auto option_file = settings_.private_dir() / "initialise.cnf";
  auto text = bootstrap_option_file(instance_of(settings_, script_file));
  if (!text) return text.error();
  auto written = write_durably(script_file, script.text(), 0600, settings_.run_as);
  if (written) written = write_durably(option_file, *text, 0600, settings_.run_as);
  if (!written) return written.error();
  return "--defaults-file=" + option_file.string();
}

}  // namespace troupe::agent
