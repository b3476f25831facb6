// The process in the Pod: configured, initialised, started, given its accounts, opened; in that
// order.
#include <fmt/format.h>

#include <csignal>

#include "actors/model/endpoints.hpp"
#include "actors/model/names.hpp"
#include "actors/unit/parts.hpp"
#include "k8s/api/encode.hpp"

namespace troupe::actors::unit {
namespace {

using agent::DataState;
using agent::ProcessState;

// For Units that name no template: what a server needs beyond what the agent pins.
constexpr std::string_view kBareTemplate = "[mysqld]\n";

std::string hash_of(std::initializer_list<std::string_view> parts) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const auto part : parts) {
    for (const char c : part) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    hash = (hash ^ 0xff) * 1099511628211ULL;
  }
  return fmt::format("{:016x}", hash);
}

std::map<std::string, std::string> copy(const k8s::TextMap& map) {
  std::map<std::string, std::string> out;
  for (const auto& [key, text] : map) out.emplace(key.str(), text.str());
  return out;
}

std::string account_key(const World& w, const std::vector<agent::Account>& accounts,
                        Memory& memory) {
  return fmt::format("{}/{}/{}", w.agent->container_id, w.agent->server_uuid,
                     memory.accounts.of(accounts));
}

// From the end of a process that nobody asked to end until another one serves.
void hold_failing_process(const World& w, Decision& d) {
  const auto& p = w.agent->process;
  const bool failed = p.exit_signal || p.exit_code.value_or(0) != 0;
  const bool again = p.state == ProcessState::Starting && p.restarts > 0 && failed;
  if (p.state != ProcessState::Backoff && !again) return;
  const bool perhaps_memory = p.exit_signal == SIGKILL;
  d.hold("ProcessFails",
         fmt::format("its process {}{} and is started again: see the log of container {}",
                     agent::how_it_ended(p),
                     perhaps_memory ? " (by somebody, or by the kernel for want of memory)" : "",
                     w.main_container),
         w.agent->since);
}

// Of what the agent says only how it ended: what follows is the server's own, and nobody knows what
// that repeats of the statements that set the passwords.
void hold_failed_initialisation(const World& w, Decision& d) {
  const auto& last = w.agent->last_operation;
  if (!last || !last->failed || last->kind != agent::name_of(agent::EnsureInitialised{})) return;
  d.hold("InitialisationFails",
         fmt::format("its data cannot be initialised, and that is tried again: {}: see the log of "
                     "container {}",
                     last->message.substr(0, last->message.find(": ")), kAgentContainer),
         w.agent->since);
}

}  // namespace

bool process_may_run(const World& w) {
  return w.agent && w.agent->connected() && w.agent->data == DataState::Initialised &&
         w.agent->process.state != ProcessState::Stopped &&
         w.agent->process.state != ProcessState::Exited &&
         w.agent->process.state != ProcessState::Fatal;
}

std::optional<Rendering> rendering(const World& w) {
  const auto& spec = w.object->spec;
  const auto type = w.main_container;
  Rendering r;
  if (spec.configTemplateName.empty()) {
    r.action.template_text = kBareTemplate;
  } else {
    if (!w.config_template || !w.config_template->data.contains(type)) return std::nullopt;
    r.action.template_text = w.config_template->data.get(type).str();
  }
  if (w.config_values)
    r.action.values.push_back({spec.configValueName.str(), w.config_values->data.get(type).str()});
  if (w.shared)
    r.action.values.push_back({spec.sharedConfigName.str(), k8s::to_json_text(w.shared->data)});
  if (w.pod) {
    r.action.labels = copy(w.pod->metadata.labels);
    r.action.annotations = copy(w.pod->metadata.annotations);
    // Roles move; the file does not depend on them.
    r.action.labels.erase(std::string(kReplicationLabel));
    r.action.labels.erase(std::string(kReadonlyLabel));
    r.action.annotations.erase(std::string(kHandOverAnnotation));
    r.action.annotations.erase(std::string(kHandOverSoonAnnotation));
    r.action.annotations.erase("sim.troupe.dev/pids");
  }
  std::string all = w.agent ? w.agent->boot_id : std::string();
  all += r.action.template_text;
  for (const auto& v : r.action.values) all += v.name + v.text;
  r.hash = hash_of({all});
  return r;
}

void drive_agent(const World& w, Memory& memory, TimePoint now, Decision& d) {
  const auto endpoint = agent_of(*w.pod);
  if (!endpoint) return;
  d.agents.push_back(*endpoint);
  if (!w.agent || !w.agent->connected()) {
    d.doing = "waiting for its agent";
    return;
  }
  const auto& a = *w.agent;
  const auto ask = [&](std::string key, agent::Action action, Duration deadline) {
    d.add(std::move(key), AskAgent{*endpoint, std::move(action), a.highest_epoch}, deadline);
  };
  const auto initialise = [&](std::string_view doing) {
    hold_failed_initialisation(w, d);
    d.doing = a.process.supervisor_connected ? doing : "waiting for its database's container";
    if (a.process.supervisor_connected)
      ask("initialise", agent::EnsureInitialised{}, std::chrono::minutes(10));
  };
  if (!w.object->spec.startup) {
    d.doing = "stopped on order";
    memory.opened.clear();  // to stop a database closes it first, and may get no further
    if (a.process.state != ProcessState::Stopped && a.process.state != ProcessState::Exited &&
        may_end(w, kToBeStopped, memory, now, d))
      ask("stop", agent::StopProcess{}, std::chrono::minutes(2));
    return;
  }
  auto config = rendering(w);
  if (!config) {
    d.hold("ConfigKeyMissing",
           fmt::format("ConfigMap {}/{} has no key {}: it holds the template of the configuration",
                       w.object->metadata.namespace_, w.object->spec.configTemplateName,
                       w.main_container));
    return;
  }
  if (!a.config.error.empty()) d.hold("ConfigInvalid", a.config.error, a.since);
  if (!a.config.overridden.empty())
    d.hold(
        "UnsafeSettings",
        fmt::format("these settings have no effect, as members could lose what was acknowledged: "
                    "{}; take them out of the ConfigMap",
                    fmt::join(a.config.overridden, "; ")));
  if (memory.rendered != config->hash) {
    ask("render " + config->hash, std::move(config->action), std::chrono::seconds(15));
    return;
  }
  switch (a.data) {
    case DataState::Unknown:
      return;
    case DataState::Foreign:
      d.hold("DataForeign",
             "the data volume holds files that are no database of ours: empty it, or name another");
      return;
    case DataState::Empty:
      return initialise("initialising its data");
    case DataState::ClonePartial:
      if (a.operation) {
        d.doing = fmt::format("waiting for its agent to finish: {}", a.operation->kind);
        return;
      }
      return initialise("initialising its data again after an interrupted clone");
    case DataState::Initialised:
      break;
  }
  if (a.process.state == ProcessState::Stopped) {
    d.doing = "starting its process";
    ask("start", agent::StartProcess{}, std::chrono::seconds(30));
    return;
  }
  if (a.process.state == ProcessState::Fatal)
    d.hold("ProcessFatal", "the database process cannot be executed: see the log of its container",
           a.since);
  hold_failing_process(w, d);
  if (a.process.state != ProcessState::Running) {
    d.doing = fmt::format("its process is {}", agent::to_string(a.process.state));
    return;
  }
  if (!pod_is_ready(*w.pod)) d.doing = "its process runs, its Pod's readiness probe has not passed";
  auto accounts = accounts_of(w);
  if (!accounts) return;
  const auto key = account_key(w, *accounts, memory);
  if (!accounts->empty() && memory.ensured != key) {
    ask("accounts " + key, agent::EnsureAccounts{std::move(*accounts)}, std::chrono::seconds(15));
    return;
  }
  keep_open(w, *endpoint, memory, d);
}

}  // namespace troupe::actors::unit
