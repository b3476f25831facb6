#include "tests/unit/actors/mysqlreplication/scene.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "actors/model/credentials.hpp"
#include "actors/model/names.hpp"
#include "engines/agent/model/digest.hpp"
#include "engines/agent/model/passwords.hpp"
#include "k8s/api/kinds.hpp"
#include "tests/unit/actors/memory_cluster/documents.hpp"

namespace troupe::actors::testing {
namespace {

namespace json = boost::json;

constexpr std::string_view kStarted = "2026-01-31T11:00:00Z";

json::object parse(std::string_view text) { return json::parse(text).as_object(); }

// What a manager applied before and does not apply any more goes.
void forget_applied(json::object& live, const Apply& apply) {
  if (apply.object.kind == k8s::kKindId<k8s::Pod>)
    live["metadata"].as_object()["labels"] = json::object{};
  if (!apply.status || !live.contains("status")) return;
  constexpr std::string_view kRecord[] = {"currentSource", "honoredSource",  "epoch",
                                          "operation",     "lastOperation",  "quorum",
                                          "groupName",     "externalSource", "lostTransactions"};
  const auto before = live["status"].as_object();
  auto& status = live["status"].as_object();
  for (const auto& [key, value] : before) {
    const bool of_record = std::find(std::begin(kRecord), std::end(kRecord),
                                     std::string_view(key)) != std::end(kRecord);
    if (of_record == (apply.manager == "troupe-op")) status.erase(key);
  }
}

std::string document_key(const ObjectRef& ref) {
  return fmt::format("{}/{}", k8s::find_kind(ref.kind)->table.kind, ref.name);
}

}  // namespace

ReplicationScene::ReplicationScene(int count) : servers(Servers::formed(count)) {
  put("Secret", "secret", {{"data", json::object{}}});
  put("Secret", "aes-secret-key", {{"data", {{"AES_SECRET_KEY", agent::base64_encode(kAesKey)}}}});
  set_password("mysql", "probing", kAesKey);
  set_password("replication", "following", kAesKey);
  json::array replicas, members;
  for (int i = 0; i < count; ++i) {
    const auto name = servers[i].name;
    members.push_back(name.c_str());
    put("Unit", name, {{"spec", json::object{}}});
    give_unit(name, "db");
    put("Pod", name,
        {{"status", {{"podIP", fmt::format("10.0.0.{}", i + 1)}, {"startTime", kStarted}}}});
    put("Secret", name + "-tls", {{"data", {{"ca.crt", agent::base64_encode("a CA")}}}});
    // As an operator that has run for a while.
    memory.members[name] = {
        .life = fmt::format("uid-Pod-{}@{}", name, kStarted),
        .outcomes = {{mysql_topology::Verb::EnsureAccounts,
                      {.ok = true, .at = servers.now - std::chrono::minutes(1), .accounts = 1}}}};
    if (i > 0) replicas.push_back({{"name", name}, {"host", name + ".db"}, {"port", 3306}});
  }
  put("MysqlReplication", "db",
      {{"spec",
        {{"mode", "rpl_semi_sync"},
         {"secret", {{"name", "secret"}, {"mysql", "mysql"}, {"replication", "replication"}}},
         {"source", {{"name", "db-0"}, {"host", "db-0.db"}, {"port", 3306}}},
         {"replica", std::move(replicas)},
         {"failover", {{"enabled", true}}}}},
       {"status",
        {{"currentSource", "db-0"},
         {"honoredSource", "db-0"},
         {"epoch", 1},
         {"quorum",
          {{"members", std::move(members)}, {"acks", count / 2}, {"waitsFor", count / 2}}}}}});
  object()["metadata"].as_object()["labels"] = {{"team", "shop"}};
}

ReplicationScene ReplicationScene::formed(int count) { return ReplicationScene(count); }

void ReplicationScene::put(std::string_view kind, std::string_view name, json::object rest) {
  rest["metadata"] = {
      {"name", name}, {"namespace", "prod"}, {"uid", fmt::format("uid-{}-{}", kind, name)}};
  documents[fmt::format("{}/{}", kind, name)] = std::move(rest);
}

void ReplicationScene::set_password(std::string_view user, std::string_view plain,
                                    std::string_view aes_key) {
  const auto stored = agent::encrypt_password(Secret(std::string(plain)),
                                              Secret(std::string(aes_key)), "0123456789abcdef");
  auto& data = documents["Secret/secret"]["data"].as_object();
  data[user] = agent::base64_encode(stored.value());
}

void ReplicationScene::take_data_from(std::string_view secret,
                                      const std::map<std::string, std::string>& keys) {
  json::object data;
  for (const auto& [key, value] : keys) data[key] = agent::base64_encode(value);
  put("Secret", secret, {{"data", std::move(data)}});
  object()["metadata"].as_object()["annotations"] = {{kExternalSourceAnnotation, secret}};
}

Result<MysqlReplicationKind::Credentials> ReplicationScene::credentials() const {
  const auto password = [this](std::string_view user) {
    return password_of(user, get<k8s::SecretObject>("Secret", "secret"), "secret",
                       get<k8s::SecretObject>("Secret", "aes-secret-key"), "aes-secret-key",
                       "AES_SECRET_KEY");
  };
  const auto object = get<k8s::MysqlReplication>("MysqlReplication", "db");
  const auto& users = object->spec.secret;
  const auto probe = password(users.mysql);
  if (!probe) return probe.error();
  const auto replication = password(users.replication);
  if (!replication) return replication.error();
  return MysqlReplicationKind::Credentials{.probe_user = users.mysql.str(),
                                           .probe_password = *probe,
                                           .replication_user = users.replication.str(),
                                           .replication_password = *replication};
}

template <class T>
k8s::ObjectPtr<T> ReplicationScene::get(std::string_view kind, const std::string& name) const {
  const auto key = fmt::format("{}/{}", kind, name);
  const auto found = documents.find(key);
  if (found == documents.end()) return {};
  auto document = found->second;
  count_writes(key, document);
  return k8s::as<T>(snapshot_of(k8s::kind_info<T>(), document));
}

void ReplicationScene::count_writes(const std::string& key, json::object& document) const {
  const auto spec_of = [](const json::object& o) {
    const auto* spec = o.if_contains("spec");
    return spec ? *spec : json::value();
  };
  auto& before = written_.try_emplace(key, Written{document}).first->second;
  if (before.document != document) ++before.resource_version;
  if (spec_of(before.document) != spec_of(document)) ++before.generation;
  before.document = document;
  auto& metadata = document["metadata"].as_object();
  metadata["resourceVersion"] = std::to_string(before.resource_version);
  metadata["generation"] = before.generation;
}

MysqlReplicationKind::World ReplicationScene::world() const {
  MysqlReplicationKind::World w;
  w.refused = refused;
  w.object = get<k8s::MysqlReplication>("MysqlReplication", "db");
  w.credentials = credentials();
  w.external_name = w.object->metadata.annotations.get(kExternalSourceAnnotation).str();
  if (!w.external_name.empty())
    w.external =
        external_source_of(get<k8s::SecretObject>("Secret", w.external_name), w.external_name);
  w.readwrite = get<k8s::Service>("Service", "db-readwrite");
  w.readonly = get<k8s::Service>("Service", "db-readonly");
  w.budget = get<k8s::PodDisruptionBudget>("PodDisruptionBudget", "db");
  w.wall = wall;
  w.cluster_domain = "cluster.local";
  const auto owner_exists = [this](const std::string& unit) {
    const auto name = owner(unit);
    return name != "db" && documents.contains("MysqlReplication/" + name);
  };
  const auto add = [&](const std::string& name, const std::string& host, bool isolated) {
    MysqlReplicationKind::Node node{.name = name, .host = host, .isolated = isolated};
    node.unit = get<k8s::Unit>("Unit", name);
    node.owner_exists = node.unit && owner_exists(name);
    node.pod = get<k8s::Pod>("Pod", name);
    node.certificate = get<k8s::SecretObject>("Secret", name + "-tls");
    for (const auto& s : servers.list) {
      if (s.name != name) continue;
      const auto member = s.member();
      node.probe = member.probe;
      node.agent = member.agent;
    }
    w.nodes.push_back(std::move(node));
  };
  const auto& source = w.object->spec.source;
  add(source.name.str(), source.host.str(), false);
  for (const auto& r : w.object->spec.replica) add(r.name.str(), r.host.str(), r.isolated);
  const auto is_member = [&w](std::string_view name) {
    return std::any_of(w.nodes.begin(), w.nodes.end(),
                       [&name](const auto& n) { return n.name == name; });
  };
  for (const auto& name : w.object->status.quorum.members) {
    if (is_member(name)) continue;
    add(name.str(), {}, false);
    w.nodes.back().former = true;
  }
  for (const auto& [key, document] : documents) {
    const auto name = key.substr(key.find('/') + 1);
    if (is_member(name)) continue;
    if (key.starts_with("Pod/") && pod_label(name, kReplicationLabel) == "db")
      w.strays.push_back(get<k8s::Pod>("Pod", name));
    if (key.starts_with("Unit/") && owner(name) == "db")
      w.leavers.push_back(get<k8s::Unit>("Unit", name));
  }
  return w;
}

Decision ReplicationScene::decide() {
  return MysqlReplicationKind::decide(world(), memory, servers.now);
}

bool ReplicationScene::apply(const Decision& decision) {
  bool any = false;
  for (const auto& e : decision.effects) {
    if (const auto* a = std::get_if<Apply>(&e.action)) {
      auto& live = documents[document_key(a->object)];
      forget_applied(live, *a);
      merge_patch(live, parse(a->body));
      any = true;
    } else if (const auto* m = std::get_if<MergePatch>(&e.action)) {
      merge_patch(documents[document_key(m->object)], parse(m->body));
      any = true;
    } else if (const auto* d = std::get_if<Delete>(&e.action)) {
      documents.erase(document_key(d->object));
      any = true;
    }
  }
  return any;
}

Decision ReplicationScene::settle() {
  constexpr int kTurns = 10;
  Decision decision;
  for (int i = 0; i < kTurns; ++i) {
    decision = decide();
    if (!apply(decision)) return decision;
  }
  throw std::runtime_error(
      fmt::format("written again and again: {}", fmt::join(keys_of(decision), ", ")));
}

std::string ReplicationScene::label_of(const std::string& key, std::string_view label) const {
  const auto& metadata = documents.at(key).at("metadata").as_object();
  const auto* labels = metadata.if_contains("labels");
  const auto* value = labels ? labels->as_object().if_contains(label) : nullptr;
  return value ? std::string(value->as_string()) : std::string();
}

std::string ReplicationScene::pod_label(std::string_view pod, std::string_view label) const {
  return label_of(fmt::format("Pod/{}", pod), label);
}

std::string ReplicationScene::owner(std::string_view unit) const {
  return label_of(fmt::format("Unit/{}", unit), kOwnerLabel);
}

void ReplicationScene::give_unit(std::string_view unit, std::string_view owner) {
  auto& metadata = documents.at(fmt::format("Unit/{}", unit))["metadata"].as_object();
  metadata["labels"] = json::object{};
  if (!owner.empty()) metadata["labels"].as_object()[kOwnerLabel] = owner;
}

void ReplicationScene::add_replication(std::string_view name) {
  put("MysqlReplication", name, {{"spec", json::object{}}});
}

std::string ReplicationScene::condition(std::string_view type) {
  for (const auto& c : status()["conditions"].as_array())
    if (std::string_view(c.at("type").as_string()) == type)
      return fmt::format("{} {}", std::string_view(c.at("status").as_string()),
                         std::string_view(c.at("reason").as_string()));
  return {};
}

std::string ReplicationScene::condition_message(std::string_view type) {
  for (const auto& c : status()["conditions"].as_array())
    if (std::string_view(c.at("type").as_string()) == type)
      return std::string(c.at("message").as_string());
  return {};
}

}  // namespace troupe::actors::testing
