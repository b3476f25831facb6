// The database's directory and what the agent remembers beside it: is it whole, was it begun?
//
// Two marks on the data volume say that what lies there is of the agent's own making and
// unfinished: one while a directory is initialised, one while a clone replaces it. Only a marked
// directory is ever emptied; anything else that is not a database's is Foreign and stays untouched.
#pragma once

#include <filesystem>

#include "engines/agent/model/observation.hpp"
#include "engines/agent/server/files.hpp"

namespace troupe::agent {

class DataDirectory {
 public:
  // `keep_dir` is the agent's own directory on the same volume.
  DataDirectory(std::filesystem::path data_dir, std::filesystem::path keep_dir, Owner owner);

  DataState state() const;
  const std::filesystem::path& path() const { return data_dir_; }

  enum class Mark { Initialising, Cloning };
  // With a line that tells whoever finds it what was there before.
  Result<void> set(Mark mark, std::string_view line = "");
  // That line; empty without the mark.
  std::string line_of(Mark mark) const;
  Result<void> clear(Mark mark);
  bool is_set(Mark mark) const;

  // Makes an empty directory for the database, removing what an unfinished attempt left.
  // Code::Conflict if the content is not such a remainder.
  Result<void> prepare_empty();

  // The database names itself anew when it starts next, as if it were another one. Where its data
  // is replaced it would otherwise number transactions as it had numbered those that are gone, and
  // whoever holds one of them would take the new one for known.
  Result<void> forget_name();

  struct Space {
    std::uint64_t free_bytes = 0;
    std::uint64_t total_bytes = 0;
  };
  Space space() const;
  // Bytes of the files in the directory; files that come and go meanwhile count or do not.
  std::uint64_t used() const;

 private:
  std::filesystem::path mark_file(Mark mark) const;
  bool holds_nothing() const;

  std::filesystem::path data_dir_;
  std::filesystem::path keep_dir_;
  Owner owner_;
};

}  // namespace troupe::agent
