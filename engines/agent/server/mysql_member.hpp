// The steps that change a MySQL member's role, over its local socket.
//
// Each is idempotent and waits only through its Work. They assume that no other step runs (Agent
// sees to that) and that the epoch was admitted. Order of statements: reference of the engine's
// model (engines/mysql/model/statement.hpp) and docs; what each order protects stands beside it.
//
// The member is open for writes only between a successful OpenForWrites and the next Close; a
// process that has not been opened since it started is closed, because it boots so
// (option_file.hpp).
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "engines/agent/model/command.hpp"
#include "engines/agent/server/board.hpp"
#include "engines/agent/server/fence_mark.hpp"
#include "engines/agent/server/local_mysql.hpp"
#include "engines/agent/server/settings.hpp"
#include "engines/agent/server/supervise_client.hpp"
#include "engines/agent/server/work.hpp"
#include "engines/mysql/model/dialect.hpp"
#include "engines/mysql/model/gtid_set.hpp"

namespace troupe::agent {

class MysqlMember {
 public:
  MysqlMember(const AgentSettings& settings, LocalMysql& database, SuperviseClient& supervisor,
              const Board& board);

  Result<Reply> run(const StopReceiver& command, Work& work);
  Result<Reply> run(const Drain& command, Work& work);
  Result<Reply> run(const Promote& command, Work& work);
  Result<Reply> run(const OpenForWrites& command, Work& work);
  Result<Reply> run(const Follow& command, Work& work);
  Result<Reply> run(const Close& command, Work& work);
  Result<Reply> run(const SaveTransactions& command, Work& work);
  Result<Reply> run(const ResetBinlogs& command, Work& work);
  Result<Reply> run(const EnsureAccounts& command, Work& work);
  Result<Reply> run(const StartGroup& command, Work& work);
  Result<Reply> run(const StopGroup& command, Work& work);
  Result<Reply> run(const SetGroupPrimary& command, Work& work);

  // What the clone (clone.hpp) needs of it.
  struct Identity {
    std::string server_uuid;
    mysql::GtidSet executed;
    mysql::GtidSet purged;
    bool read_only = false;
    bool super_read_only = false;
    bool offline = false;
  };
  Result<Identity> identity(Work& work);
  Result<void> leave_replication(Work& work);
  // Before the server is told to shut down, which would wait as STOP REPLICA does. As far as it
  // can.
  void let_go_of_source(Work& work);
  // New connections get the certificate and the authorities that lie in the files now.
  Result<void> reload_certificates(Work& work);
  // The process has ended; the next one may be of another version.
  void process_ended() { dialect_ = mysql::DialectId::Unsupported; }

 private:
  // The empty-named channel of SHOW REPLICA STATUS; nothing if there is none.
  struct Channel {
    std::string host, user;
    std::uint16_t port = 0;
    bool auto_position = false;
    bool receiver_wanted = false;  // running or trying to connect
    bool receiver_connected = false;
    bool applier_running = false;
    unsigned receiver_error_number = 0;
    std::string receiver_error, applier_error;
    mysql::GtidSet received;
  };
  struct SemiSync {
    bool source_enabled = false;
    bool replica_enabled = false;
    std::uint64_t acks = 0;
    std::uint64_t clients = 0;
    std::uint64_t waiting_sessions = 0;
  };

  Result<mysql::DialectId> dialect(Work& work);
  Result<void> run_statement(mysql::Statement statement, Work& work,
                             std::chrono::milliseconds limit = std::chrono::seconds(10));
  Result<std::optional<Channel>> channel(Work& work);
  Result<SemiSync> semi_sync(Work& work);
  Result<void> stop_receiver(Work& work);
  Result<void> give_up_cut_short(Work& work);
  Result<void> stop_replicating(Work& work);
  Result<void> drain(const mysql::GtidSet& until, Work& work);
  Result<void> drain_received(Work& work);
  Result<void> expect_applier(Work& work);
  Result<void> make_semi_sync_source(std::uint32_t acks, Work& work);
  Result<void> drop_semi_sync_source(Work& work);
  Result<void> wait_for_clients(std::uint32_t acks, Work& work);
  // What of it this member neither has executed nor received: executes what it has received of it.
  Result<mysql::GtidSet> out_of_reach(const mysql::GtidSet& purged, Work& work);
  Result<void> point_at(const Follow& command, Work& work);
  Secret channel_password(std::string_view channel, Work& work);
  Result<void> wait_for_receiver(const Follow& command, Work& work);
  Result<std::string> source_ca_file(const ReplicationSource& source) const;

  // What this member says of itself and of its group; all empty without the plugin.
  struct GroupSeat {
    bool installed = false;
    std::string group;  // by its settings
    std::string state;  // OFFLINE: in none
    bool primary = false;
    bool read_only = false;
    std::uint64_t members = 0;
    std::uint64_t reachable = 0;
    bool is_taken() const { return state == "ONLINE" || state == "RECOVERING"; }
    bool sees_majority() const { return reachable * 2 > members; }
  };
  Result<GroupSeat> group_seat(Work& work);
  Result<void> install_group_plugin(Work& work);
  Result<void> join_group(const StartGroup& command, Work& work);
  Result<void> leave_group(Work& work);
  Result<void> set_group_addresses(const StartGroup& command, Work& work);
  Result<void> set_group_account(const StartGroup& command, Work& work);
  Result<void> start_group(bool bootstrap, Work& work);
  Result<void> wait_until_online(Work& work);
  Result<void> let_primary_write(Work& work);
  Error group_error(const Error& failed, Work& work);
  Result<mysql::GtidSet> received_from_group(Work& work);

  Result<Closed> close_serving(Work& work);
  Result<void> cut_sockets(Work& work);
  Result<Closed> kill_blocked(const Error& why, Work& work);
  std::filesystem::path opened_mark() const;
  std::string process_life() const;
  Result<void> mark_opened() const;
  FenceMark fence_mark() const { return FenceMark(settings_.fence_mark()); }
  bool opened_since_start() const;
  bool is_starting_closed();

  Result<void> mend_account(const Account& account, Work& work);
  Result<bool> is_right(const Account& account, Work& work);

  struct BinlogFile {
    std::string name;
    std::uint64_t bytes = 0;
    mysql::GtidSet previous;  // what all files before it hold
  };
  Result<std::vector<BinlogFile>> binlog_files(Work& work);

  const AgentSettings& settings_;
  LocalMysql& database_;
  SuperviseClient& supervisor_;
  const Board& board_;
  std::atomic<mysql::DialectId> dialect_ = mysql::DialectId::Unsupported;
  // The life of the database that has left its group and not been asked back since: the only one
  // that may begin a group. An order that comes late, or twice, begins none.
  std::string left_group_in_;
};

}  // namespace troupe::agent
