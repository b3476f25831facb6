// MysqlReplication: who replicates from whom among MySQL servers, and the Services that lead to
// them.
#pragma once

#include <string_view>

#include "k8s/api/core.hpp"
#include "k8s/api/kind.hpp"
#include "k8s/api/metadata.hpp"
#include "k8s/api/unitset.hpp"

namespace troupe::k8s {

enum class ReplicationMode : std::uint8_t { Async, SemiSync, Group };
template <>
inline constexpr std::array kEnumTexts<ReplicationMode> = {
    EnumText{ReplicationMode::Async, "rpl_async"},
    EnumText{ReplicationMode::SemiSync, "rpl_semi_sync"},
    EnumText{ReplicationMode::Group, "group_replication"},
};

// An IPv4 or IPv6 address or a DNS name, with or without the final dot.
inline constexpr std::string_view kHostPattern =
    R"(^([A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?)*\.?|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)$)";

struct MysqlSecret {
  Text name;
  Text mysql;
  Text replication;
};
BOOST_DESCRIBE_STRUCT(MysqlSecret, (), (name, mysql, replication))
template <>
struct Schema<MysqlSecret> {
  static constexpr std::string_view kDoc = "Credentials; keys of the Secret are user names.";
  static constexpr Field kFields[] = {
      {.name = "name",
       .doc = "Name of the Secret. Cannot change.",
       .required = true,
       .min_length = 1,
       .max_length = 253,
       .rules = {{"self == oldSelf",
                  "the Secret cannot be exchanged for another: change the passwords in it"}}},
      {.name = "mysql",
       .doc = "User that Troupe logs in as; also the key of the password.",
       .required = true,
       .min_length = 1,
       .max_length = 253},
      {.name = "replication",
       .doc = "User that replicas log in as; also the key of the password.",
       .required = true,
       .min_length = 1,
       .max_length = 253},
  };
};

struct AesSecret {
  Text name = "aes-secret-key";
  Text key = "AES_SECRET_KEY";
};
BOOST_DESCRIBE_STRUCT(AesSecret, (), (name, key))
template <>
struct Schema<AesSecret> {
  static constexpr std::string_view kDoc = "The key that passwords are encrypted with.";
  static constexpr Field kFields[] = {
      {.name = "name",
       .doc = "Name of the Secret.",
       .defaulted = true,
       .min_length = 1,
       .max_length = 253},
      {.name = "key",
       .doc = "Key in it; the value has 32 characters.",
       .defaulted = true,
       .min_length = 1,
       .max_length = 253},
  };
};

struct SourceSpec {
  Text name;
  Text host;
  std::int32_t port = 0;
};
BOOST_DESCRIBE_STRUCT(SourceSpec, (), (name, host, port))
template <>
struct Schema<SourceSpec> {
  static constexpr std::string_view kDoc = "A server.";
  static constexpr Field kFields[] = {
      {.name = "name",
       .doc = "Name of its Unit and Pod.",
       .required = true,
       .min_length = 1,
       .max_length = 253},
      {.name = "host",
       .doc = "Its address or DNS name, as clients and replicas reach it.",
       .required = true,
       .min_length = 1,
       .max_length = 253,
       .pattern = kHostPattern},
      {.name = "port", .doc = "Its port.", .required = true, .minimum = 1, .maximum = 65535},
  };
};

struct ReplicaSpec {
  Text name;
  Text host;
  std::int32_t port = 0;
  bool isolated = false;
};
BOOST_DESCRIBE_STRUCT(ReplicaSpec, (), (name, host, port, isolated))
template <>
struct Schema<ReplicaSpec> {
  static constexpr std::string_view kDoc = "A server that follows the source.";
  static constexpr Field kFields[] = {
      {.name = "name",
       .doc = "Name of its Unit and Pod.",
       .required = true,
       .min_length = 1,
       .max_length = 253},
      {.name = "host",
       .doc = "Its address or DNS name, as clients and the source reach it.",
       .required = true,
       .min_length = 1,
       .max_length = 253,
       .pattern = kHostPattern},
      {.name = "port", .doc = "Its port.", .required = true, .minimum = 1, .maximum = 65535},
      {.name = "isolated",
       .doc = "Taken out: it does not replicate, serves nobody through the Services and counts for "
              "no quorum.",
       .defaulted = true},
  };
};

struct ReplicationServiceSpec {
  ServiceType type = ServiceType::ClusterIP;
};
BOOST_DESCRIBE_STRUCT(ReplicationServiceSpec, (), (type))
template <>
struct Schema<ReplicationServiceSpec> {
  static constexpr std::string_view kDoc = "The Services <name>-readwrite and <name>-readonly.";
  static constexpr Field kFields[] = {
      {.name = "type", .doc = "Type of both Services.", .defaulted = true},
  };
};

struct FailoverSpec {
  bool enabled = false;
  bool allowLoss = false;
  std::int32_t graceSeconds = 2;
};
BOOST_DESCRIBE_STRUCT(FailoverSpec, (), (enabled, allowLoss, graceSeconds))
template <>
struct Schema<FailoverSpec> {
  static constexpr std::string_view kDoc = "What to do when the source is lost.";
  static constexpr Field kFields[] = {
      {.name = "enabled",
       .doc = "Make a replica the source when the source is lost. Without it, somebody names "
              "another spec.source.",
       .defaulted = true},
      {.name = "allowLoss",
       .doc = "Do so even where transactions that clients saw committed can be missing: in "
              "rpl_async always, in rpl_semi_sync if too few replicas answer. What is lost is "
              "reported in status.lostTransactions.",
       .defaulted = true},
      {.name = "graceSeconds",
       .doc = "How long a source that does not answer, but whose death nobody has seen, is waited "
              "for.",
       .defaulted = true,
       .minimum = 1,
       .maximum = 3600},
  };
};

struct MysqlReplicationSpec {
  ReplicationMode mode = ReplicationMode::Async;
  MysqlSecret secret;
  AesSecret aesSecret;
  SourceSpec source;
  List<ReplicaSpec> replica;
  ReplicationServiceSpec service;
  FailoverSpec failover;
};
BOOST_DESCRIBE_STRUCT(MysqlReplicationSpec, (),
                      (mode, secret, aesSecret, source, replica, service, failover))
template <>
struct Schema<MysqlReplicationSpec> {
  static constexpr std::string_view kDoc = "The replication that shall be.";
  static constexpr Field kFields[] = {
      {.name = "mode",
       .doc = "rpl_async: replicas may lag behind what clients saw committed. rpl_semi_sync: half "
              "of the members have a transaction before its client hears of it. "
              "group_replication: the servers agree among themselves, and choose their source "
              "by themselves. The mode of a replication that was formed does not change.",
       .required = true},
      {.name = "secret", .doc = "Credentials.", .required = true},
      {.name = "aesSecret", .doc = "The key that passwords are encrypted with.", .defaulted = true},
      {.name = "source",
       .doc = "The server that shall take writes. Naming another one orders a switchover.",
       .required = true},
      {.name = "replica",
       .doc = "The servers that shall follow it.",
       .required = true,
       .max_items = 64,
       .list = ListType::Map,
       .keys = {"name"}},
      {.name = "service", .doc = "The Services.", .defaulted = true},
      {.name = "failover", .doc = "What to do when the source is lost.", .defaulted = true},
  };
  static constexpr Rule kRules[] = {
      {"!self.replica.exists(r, r.name == self.source.name)",
       "the source is also listed as a replica: take it out of spec.replica, or swap the two for a "
       "switchover"},
      {"!self.replica.exists(r, r.host == self.source.host && r.port == self.source.port)",
       "a replica has the source's host and port: give each server its own"},
      {"self.replica.all(r, "
       "self.replica.exists_one(other, other.host == r.host && other.port == r.port))",
       "two replicas have the same host and port: give each server its own"},
      {"self.mode == 'rpl_async' || size(self.replica) > 0",
       "this mode needs at least one replica: add one to spec.replica or choose rpl_async"},
      {"self.mode != 'group_replication' || size(self.replica) <= 8",
       "a group has at most 9 members: take some out of spec.replica"},
  };
};

enum class NodeRole : std::uint8_t { Source, Replica, None };
BOOST_DESCRIBE_ENUM(NodeRole, Source, Replica, None)

enum class NodeHealth : std::uint8_t { Healthy, Failed };
BOOST_DESCRIBE_ENUM(NodeHealth, Healthy, Failed)

struct TopologyNode {
  Text host;
  std::int32_t port = 0;
  NodeRole role = NodeRole::None;
  NodeHealth status = NodeHealth::Failed;
  bool ready = false;
  bool readonly = false;
  bool superReadonly = false;
  Text sourceHost;
  Opt<std::int32_t> sourcePort;
  Text replicaIO;
  Text replicaSQL;
  Opt<std::int64_t> readSourceLogPos;
  Text sourceLogFile;
  Opt<std::int64_t> secondsBehindSource;
  Opt<std::int64_t> execSourceLogPos;
  Text uid;
  Text gtidExecuted;
  Text memberState;
  Text error;
};
BOOST_DESCRIBE_STRUCT(TopologyNode, (),
                      (host, port, role, status, ready, readonly, superReadonly, sourceHost,
                       sourcePort, replicaIO, replicaSQL, readSourceLogPos, sourceLogFile,
                       secondsBehindSource, execSourceLogPos, uid, gtidExecuted, memberState,
                       error))
template <>
struct Schema<TopologyNode> {
  static constexpr std::string_view kDoc = "What a server was last seen to be.";
  static constexpr Field kFields[] = {
      {.name = "host", .doc = "Its address.", .required = true},
      {.name = "port", .doc = "Its port.", .required = true},
      {.name = "role",
       .doc = "Source if it follows nobody, Replica if it follows, None if it was not reached.",
       .required = true},
      {.name = "status", .doc = "Healthy if it answers.", .required = true},
      {.name = "ready", .doc = "It does what the spec asks of it.", .required = true},
      {.name = "readonly", .doc = "Its read_only.", .required = true},
      {.name = "superReadonly", .doc = "Its super_read_only.", .required = true},
      {.name = "sourceHost", .doc = "Host that it follows."},
      {.name = "sourcePort", .doc = "Port that it follows."},
      {.name = "replicaIO", .doc = "Whether it receives: Yes, No or Connecting."},
      {.name = "replicaSQL", .doc = "Whether it applies: Yes or No."},
      {.name = "readSourceLogPos", .doc = "How far it has received."},
      {.name = "sourceLogFile", .doc = "The source's log file that it reads."},
      {.name = "secondsBehindSource", .doc = "Its lag; absent if unknown."},
      {.name = "execSourceLogPos", .doc = "How far it has applied."},
      {.name = "uid", .doc = "Its server_uuid."},
      {.name = "gtidExecuted", .doc = "Transactions that it has, when its role last changed."},
      {.name = "memberState",
       .doc = "In mode group_replication, what it says that it is in its group: ONLINE, "
              "RECOVERING, OFFLINE, ERROR or UNREACHABLE."},
      {.name = "error", .doc = "Why it is not ready."},
  };
};

// Every reader of JSON reads integers up to here exactly: 2^53 - 1.
inline constexpr std::int64_t kMaxEpoch = 9007199254740991;

enum class OperationType : std::uint8_t {
  Form,
  Failover,
  Switchover,
  Rebuild,
  Bootstrap,
  Attach,
  Detach
};
BOOST_DESCRIBE_ENUM(OperationType, Form, Failover, Switchover, Rebuild, Bootstrap, Attach, Detach)

enum class OperationOutcome : std::uint8_t { Succeeded, Failed, Undone };
BOOST_DESCRIBE_ENUM(OperationOutcome, Succeeded, Failed, Undone)

struct ReplicationOperation {
  Text id;
  OperationType type = OperationType::Form;
  Text step;
  Text candidate;
  Text candidateUUID;
  Text from;
  std::int64_t epoch = 0;
  Text targetGtidSet;
  Time startedAt;
  Time finishedAt;
  Opt<OperationOutcome> outcome;
  Text message;
};
BOOST_DESCRIBE_STRUCT(ReplicationOperation, (),
                      (id, type, step, candidate, candidateUUID, from, epoch, targetGtidSet,
                       startedAt, finishedAt, outcome, message))
template <>
struct Schema<ReplicationOperation> {
  static constexpr std::string_view kDoc =
      "A change of roles. Each step is written here before it is taken, so that a restarted "
      "operator finishes the work.";
  static constexpr Field kFields[] = {
      {.name = "id", .doc = "Names this attempt.", .required = true, .min_length = 1},
      {.name = "type", .doc = "What is being done.", .required = true},
      {.name = "step", .doc = "The step that is being taken.", .min_length = 1},
      {.name = "candidate", .doc = "The server that shall get the new role."},
      {.name = "candidateUUID",
       .doc = "Its server_uuid when it was chosen; another one means that it has lost its data."},
      {.name = "from", .doc = "The server that had it."},
      {.name = "epoch",
       .doc = "Epoch of the change; unit agents refuse lower ones.",
       .required = true,
       .minimum = 0,
       .maximum = kMaxEpoch},
      {.name = "targetGtidSet", .doc = "Transactions that the candidate must have."},
      {.name = "startedAt", .doc = "When it began."},
      {.name = "finishedAt", .doc = "When it ended."},
      {.name = "outcome", .doc = "How it ended."},
      {.name = "message", .doc = "More, for a person."},
  };
};

struct Guard {
  Text rule;
  Text text;
  Time since;
};
BOOST_DESCRIBE_STRUCT(Guard, (), (rule, text, since))
template <>
struct Schema<Guard> {
  static constexpr std::string_view kDoc = "What holds the next step back.";
  static constexpr Field kFields[] = {
      {.name = "rule", .doc = "Name of the rule.", .required = true, .min_length = 1},
      {.name = "text", .doc = "The evidence, and what would release it.", .required = true},
      {.name = "since", .doc = "Since when it holds."},
  };
};

struct LostTransactions {
  Text node;
  Text gtidSet;
  std::int64_t epoch = 0;
  Text savedTo;
  Time at;
};
BOOST_DESCRIBE_STRUCT(LostTransactions, (), (node, gtidSet, epoch, savedTo, at))
template <>
struct Schema<LostTransactions> {
  static constexpr std::string_view kDoc =
      "Transactions of a former source that the topology goes on without.";
  static constexpr Field kFields[] = {
      {.name = "node", .doc = "The server that had them.", .required = true},
      {.name = "gtidSet", .doc = "Which; empty if that server was never seen again."},
      {.name = "epoch",
       .doc = "Epoch of the failover that left them behind.",
       .required = true,
       .minimum = 0,
       .maximum = kMaxEpoch},
      {.name = "savedTo", .doc = "Where they were saved."},
      {.name = "at", .doc = "When this was found."},
  };
};

struct ReplicationQuorum {
  List<Text> members;
  List<Text> leaving;
  List<Text> recovering;
  std::int32_t acks = 0;
  std::int32_t waitsFor = 0;
};
BOOST_DESCRIBE_STRUCT(ReplicationQuorum, (), (members, leaving, recovering, acks, waitsFor))
template <>
struct Schema<ReplicationQuorum> {
  static constexpr std::string_view kDoc =
      "What a client was told is committed is on at least acks + 1 of these members.";
  static constexpr Field kFields[] = {
      {.name = "members",
       .doc = "Who may have acknowledged, the source included.",
       .max_items = 64},
      {.name = "leaving",
       .doc = "Of these, who counts only until others have what it acknowledged.",
       .max_items = 64},
      {.name = "recovering",
       .doc =
           "Of these, whose data was replaced or lost, and who do not vouch for a failover before "
           "they have all of it again.",
       .max_items = 64},
      {.name = "acks",
       .doc =
           "Acknowledgements that every commit had. A failover needs as many stopped replicas as "
           "there are members, less these.",
       .minimum = 0},
      {.name = "waitsFor",
       .doc = "Acknowledgements that the source is told to wait for.",
       .minimum = 0},
  };
};

struct MysqlReplicationStatus {
  std::int64_t observedGeneration = 0;
  bool ready = false;
  Text currentSource;
  Text honoredSource;
  std::int64_t epoch = 0;
  Map<TopologyNode> topology;
  Text readwriteService;
  Text readonlyService;
  Opt<ReplicationOperation> operation;
  Opt<ReplicationOperation> lastOperation;
  List<Guard> guards;
  ReplicationQuorum quorum;
  Text groupName;
  Text externalSource;
  List<LostTransactions> lostTransactions;
  List<Condition> conditions;
};
BOOST_DESCRIBE_STRUCT(MysqlReplicationStatus, (),
                      (observedGeneration, ready, currentSource, honoredSource, epoch, topology,
                       readwriteService, readonlyService, operation, lastOperation, guards, quorum,
                       groupName, externalSource, lostTransactions, conditions))
template <>
struct Schema<MysqlReplicationStatus> {
  static constexpr std::string_view kDoc = "The replication that is.";
  static constexpr Field kFields[] = {
      {.name = "observedGeneration",
       .doc = "Generation of the spec that this status is about.",
       .omit_zero = true},
      {.name = "ready", .doc = "All servers do what the spec asks of them."},
      {.name = "currentSource",
       .doc = "The server that has the role of the source. It keeps it while it is dead or closed, "
              "until another has it; whether it takes writes, ready and the conditions say. Empty "
              "if no server ever had it."},
      {.name = "honoredSource",
       .doc = "The last spec.source that was acted on. An order is pending while the two differ."},
      {.name = "epoch",
       .doc = "Epoch of the last change of roles.",
       .omit_zero = true,
       .minimum = 0,
       .maximum = kMaxEpoch},
      {.name = "topology", .doc = "The servers by name."},
      {.name = "readwriteService", .doc = "Service that leads to the source."},
      {.name = "readonlyService", .doc = "Service that leads to the replicas."},
      {.name = "operation", .doc = "The change of roles that is under way."},
      {.name = "lastOperation", .doc = "The last one that ended."},
      {.name = "guards", .doc = "What holds the next step back."},
      {.name = "quorum", .doc = "On whom a failover may rely."},
      {.name = "groupName",
       .doc = "In mode group_replication, the group's name, a UUID. It is written here before a "
              "member is asked to begin the group."},
      {.name = "externalSource",
       .doc = "The Secret of the server outside that all data come from. While it is here nothing "
              "is opened for writes."},
      {.name = "lostTransactions",
       .doc = "Transactions of former sources that the topology goes on without.",
       .max_items = 32},
      {.name = "conditions",
       .doc = "TopologyReady, ResourceReady and what stands in the way.",
       .list = ListType::Map,
       .keys = {"type"}},
  };
};

struct MysqlReplication {
  ObjectMeta metadata;
  MysqlReplicationSpec spec;
  MysqlReplicationStatus status;
};
BOOST_DESCRIBE_STRUCT(MysqlReplication, (), (metadata, spec, status))
template <>
struct Schema<MysqlReplication> {
  static constexpr std::string_view kDoc =
      "Replication among MySQL servers: one source, its replicas, and Services that lead to them.";
  static constexpr Field kFields[] = {
      {.name = "metadata", .doc = "Identity."},
      {.name = "spec", .doc = "The replication that shall be.", .required = true},
      {.name = "status", .doc = "The replication that is."},
  };
  // <name>-readwrite is a Service.
  static constexpr Rule kRules[] = {
      {"size(self.metadata.name) <= 53 && "
       "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
       "Services are named after the object: take at most 53 lower-case letters, digits and '-', "
       "beginning with a letter"},
  };
};
template <>
inline constexpr KindTable kKind<MysqlReplication> = {
    .group = kUpmGroup,
    .version = "v1alpha1",
    .kind = "MysqlReplication",
    .plural = "mysqlreplications",
    .singular = "mysqlreplication",
    .short_names = {"mr"},
    .categories = {"upm"},
    .status = true,
    .columns = {{"READY", "boolean", ".status.ready", 0, "All servers are as they shall be."},
                {"SOURCE", "string", ".status.currentSource", 0,
                 "The server that has the role of the source, alive or not."},
                {"MODE", "string", ".spec.mode", 0, "What a commit waits for."},
                {"REASON", "string", ".status.conditions[?(@.type==\"TopologyReady\")].reason", 0,
                 "Of the topology's condition: what holds it back first."},
                {"OPERATION", "string", ".status.operation.type", 1, "What is under way."},
                {"EPOCH", "integer", ".status.epoch", 1, "Of the last change of roles."},
                {"SERVICE", "string", ".status.readwriteService", 1, "Leads to the source."},
                {"MESSAGE", "string", ".status.conditions[?(@.type==\"TopologyReady\")].message", 1,
                 "The evidence for the reason."},
                {"AGE", "date", ".metadata.creationTimestamp", 0, "Since when it exists."}},
};
template <>
const KindInfo& kind_info<MysqlReplication>();

}  // namespace troupe::k8s
