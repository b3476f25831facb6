// The highest epoch that this member was told, kept on the data volume.
//
// It lies beside the database's own directory, not in it: a clone or a new initialisation replaces
// the database's files and must not forget whom the member has obeyed. An unreadable file is an
// error, never epoch 0: who forgets would obey an old operator again. Thread-safe.
#pragma once

#include <filesystem>
#include <mutex>

#include "engines/agent/model/epoch.hpp"
#include "runtime/model/result.hpp"

namespace troupe::agent {

class EpochStore {
 public:
  static Result<EpochStore> open(std::filesystem::path file);
  EpochStore(EpochStore&& other) noexcept;

  // Refuses a lower epoch (Code::Stale), and a new one that nobody may give (beyond kMaxEpoch,
  // Code::Invalid); a higher one is durable before this returns.
  Result<void> admit(Epoch epoch);
  // Whether `epoch` is still the highest.
  Result<void> check(Epoch epoch) const;
  Epoch highest() const;

 private:
  EpochStore(std::filesystem::path file, Epoch highest);
  Result<void> check_locked(Epoch epoch) const;

  std::filesystem::path file_;
  mutable std::mutex mutex_;
  Epoch highest_;
};

}  // namespace troupe::agent
