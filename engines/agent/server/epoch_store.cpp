#include "engines/agent/server/epoch_store.hpp"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "engines/agent/server/files.hpp"

namespace troupe::agent {
namespace {

constexpr std::size_t kMaxFileBytes = 64;  // a number and a newline

}  // namespace

Result<EpochStore> EpochStore::open(std::filesystem::path file) {
  const auto content = read_file(file, kMaxFileBytes);
  if (!content) {
    if (content.error().code != Code::NotFound) return content.error();
    return EpochStore(std::move(file), Epoch{});
  }
  Epoch highest;
  const auto end = content->data() + content->size();
  const auto [stop, failure] = std::from_chars(content->data(), end, highest.value);
  if (failure != std::errc{} || std::string_view(stop, end) != "\n") {
    return error(Code::Fatal,
                 fmt::format("{} does not hold an epoch; write the cluster's epoch (status of its "
                             "replication object) into it, followed by a newline",
                             file.string()));
  }
  return EpochStore(std::move(file), highest);
}

EpochStore::EpochStore(std::filesystem::path file, Epoch highest)
    : file_(std::move(file)), highest_(highest) {}

EpochStore::EpochStore(EpochStore&& other) noexcept
    : file_(std::move(other.file_)), highest_(other.highest_) {}

Result<void> EpochStore::admit(Epoch epoch) {
  const std::lock_guard lock(mutex_);
  if (auto allowed = check_locked(epoch); !allowed) return allowed;
  if (epoch == highest_) return {};
  if (epoch > kMaxEpoch)
    return error(Code::Invalid, fmt::format("epoch {} is refused: the highest there may be is {}",
                                            epoch.value, kMaxEpoch.value));
  if (auto kept = write_durably(file_, fmt::format("{}\n", epoch.value), 0644); !kept) return kept;
  highest_ = epoch;
  return {};
}

Result<void> EpochStore::check(Epoch epoch) const {
  const std::lock_guard lock(mutex_);
  return check_locked(epoch);
}

Epoch EpochStore::highest() const {
  const std::lock_guard lock(mutex_);
  return highest_;
}

Result<void> EpochStore::check_locked(Epoch epoch) const {
  if (epoch >= highest_) return {};
  return error(Code::Stale, fmt::format("epoch {} is refused: this member has seen epoch {}",
                                        epoch.value, highest_.value));
}

}  // namespace troupe::agent
