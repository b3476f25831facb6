// Replacing a member's data by a donor's (MySQL's CLONE plugin).
//
// From the first byte until the new server has said that the clone is complete, a mark on the data
// volume says that what lies there is no database: an interrupted clone leaves files that a server
// may start on and that hold nothing of value. The server ends itself when it has the data, with
// error 3707 or a broken session, and the supervisor starts it again on the new files.
//
// To drop what it holds a server must not be read-only, not even for administrators, and whatever
// one of them wrote meanwhile would be acknowledged and thrown away: such a server first starts
// again without a network, where only its local socket reaches it.
#pragma once

#include <functional>

#include "engines/agent/server/data_directory.hpp"
#include "engines/agent/server/mysql_member.hpp"

namespace troupe::agent {

class MysqlClone {
 public:
  // How the server is to be started from now on, whoever starts it.
  enum class Network { On, Off };
  using StartsWith = std::function<Result<void>(Network, Work&)>;

  MysqlClone(MysqlMember& member, LocalMysql& database, DataDirectory& directory,
             const Board& board, StartsWith starts_with);

  Result<Reply> run(const Clone& command, Work& work);

 private:
  Result<bool> check_member(const Clone& command, Work& work);
  Result<void> check_space(const Clone& command) const;
  Result<void> begin(Work& work);
  Result<bool> holds_data(Work& work);
  Result<void> take_off_network(Work& work);
  Result<void> receive(const Clone& command, bool replaces_data, Work& work);
  Result<void> wait_for_restart(std::int64_t old_pid, Work& work);

  // The server's own record of the last clone into it, over all its restarts.
  struct LastClone {
    std::string began;  // empty: there was none
    bool completed = false;
  };
  Result<LastClone> last_clone(Work& work);
  Result<bool> completed(Work& work);
  void report_progress(Work& work);

  MysqlMember& member_;
  LocalMysql& database_;
  DataDirectory& directory_;
  const Board& board_;
  const StartsWith starts_with_;
};

}  // namespace troupe::agent
