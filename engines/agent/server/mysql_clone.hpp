// Replacing a member's data by a donor's (MySQL's CLONE plugin).
//
// From the first byte until the new server has said that the clone is complete, a mark on the data
// volume says that what lies there is no database: an interrupted clone leaves files that a server
// may start on and that hold nothing of value. The server ends itself when it has the data, with
// error 3707 or a broken session, and the supervisor starts it again on the new files.
#pragma once

#include "engines/agent/server/data_directory.hpp"
#include "engines/agent/server/mysql_member.hpp"

namespace troupe::agent {

class MysqlClone {
 public:
  MysqlClone(MysqlMember& member, LocalMysql& database, DataDirectory& directory,
             const Board& board);

  Result<Reply> run(const Clone& command, Work& work);

 private:
  Result<bool> check_member(const Clone& command, Work& work);
  Result<void> check_space(const Clone& command) const;
  Result<void> receive(const Clone& command, Work& work);
  Result<void> wait_for_restart(std::int64_t old_pid, Work& work);
  Result<bool> completed(Work& work);
  void report_progress(Work& work);

  MysqlMember& member_;
  LocalMysql& database_;
  DataDirectory& directory_;
  const Board& board_;
};

}  // namespace troupe::agent
