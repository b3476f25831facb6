// The files that a database is started with: the rendered configuration and the agent's own.
//
// Rendering is confd's: a template and flattened values make CONFIG_PATH; the file that was there
// stays beside it as .previous_NAME. The agent's own files lie in the run volume, which dies with
// the Pod, because they hold the local administrator's password: the server's option file (pins
// behind the rendered one, engines/agent/model/option_file.hpp) and the SQL that every start runs
// before the server listens. That SQL makes sure of the local account, so that the agent gets in
// after an initialisation, a clone from anywhere and a restored volume alike. Beside them lies what
// a client in the database's container reads: it holds nothing secret. Thread-safe.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "engines/agent/model/command.hpp"
#include "engines/agent/model/live_settings.hpp"
#include "engines/agent/model/observation.hpp"
#include "engines/agent/model/template.hpp"
#include "engines/agent/server/settings.hpp"

namespace troupe::agent {

// YAML to paths: {a: {b: [x]}} gives /a/b/0 = x. Null is nothing. Bounded.
Result<void> flatten_values(const ValuesDocument& document, FlatValues& into);

// What templates may ask for beside their values: environment, Pod labels, files, names, hashes.
void add_host_functions(TemplateFunctions& functions, const AgentSettings& settings,
                        const std::map<std::string, std::string>& labels,
                        const std::map<std::string, std::string>& annotations);

class Configuration {
 public:
  explicit Configuration(const AgentSettings& settings);

  // Makes the directories and the local administrator's password, or finds them from an earlier
  // life of this container.
  Result<void> prepare();

  Result<Rendered> render(const Render& command);
  ConfigStatus status() const;

  const Secret& local_password() const { return local_password_; }

  // Writes what a start needs. The argument for the server's command line.
  Result<std::string> files_for_start();
  // Likewise for mysqld --initialize. `stock` is name and value in turn
  // (supervise/environment.hpp).
  Result<std::string> files_for_initialise(const std::vector<std::string>& stock);
  // The process now runs with the rendered file as it is.
  void started();
  // A process runs since then, whoever started it; true if that makes the file take effect.
  bool runs_since(WallTime start);

  // A file that differs from what the process runs with only in what it can be told.
  struct Live {
    std::string hash;
    std::vector<mysql::Assignment> changes;
  };
  std::optional<Live> live_changes() const;
  // The process was told so.
  void took_effect(const std::string& hash);

 private:
  Result<void> write_client_file() const;
  Result<std::string> render_text(const Render& command) const;
  Result<bool> put_in_place(const std::filesystem::path& target, const std::string& text) const;
  void note(ConfigStatus status);
  void in_effect();

  const AgentSettings& settings_;
  Secret local_password_;
  mutable std::mutex mutex_;  // one rendering at a time; guards status_
  ConfigStatus status_;
  std::string started_hash_;
  std::optional<std::string> started_text_;  // of that hash
};

}  // namespace troupe::agent
