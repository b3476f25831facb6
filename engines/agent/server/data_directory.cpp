#include "engines/agent/server/data_directory.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::agent {
namespace {

namespace fs = std::filesystem;

// Made by mkfs, not by a database.
bool is_volume_furniture(const fs::path& name) { return name == "lost+found"; }

bool present(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

}  // namespace

DataDirectory::DataDirectory(fs::path data_dir, fs::path keep_dir, Owner owner)
    : data_dir_(std::move(data_dir)), keep_dir_(std::move(keep_dir)), owner_(owner) {}

DataState DataDirectory::state() const {
  if (is_set(Mark::Initialising) || holds_nothing()) return DataState::Empty;
  // The server's own mark (clone_handler's #status_error), of a clone that was begun without this
  // agent: it is there until all files have come.
  if (is_set(Mark::Cloning) || present(data_dir_ / "#clone" / "#status_error")) {
    return DataState::ClonePartial;
  }
  if (present(data_dir_ / "mysql.ibd") && present(data_dir_ / "ibdata1")) {
    return DataState::Initialised;
  }
  return DataState::Foreign;
}

bool DataDirectory::holds_nothing() const {
  std::error_code failure;
  const fs::directory_iterator entries(data_dir_, failure);
  if (failure) return failure == std::errc::no_such_file_or_directory;
  return std::all_of(begin(entries), end(entries), [](const auto& entry) {
    return is_volume_furniture(entry.path().filename());
  });
}

fs::path DataDirectory::mark_file(Mark mark) const {
  return keep_dir_ / (mark == Mark::Initialising ? "initialising" : "cloning");
}

Result<void> DataDirectory::set(Mark mark, std::string_view line) {
  return write_durably(mark_file(mark), fmt::format("{}\n", line), 0644);
}
std::string DataDirectory::line_of(Mark mark) const {
  constexpr std::size_t kMaxBytes = 4096;
  const auto text = read_file(mark_file(mark), kMaxBytes);
  return text ? text->substr(0, text->find('\n')) : std::string();
}
Result<void> DataDirectory::clear(Mark mark) { return remove_durably(mark_file(mark)); }
Result<void> DataDirectory::forget_name() { return remove_durably(data_dir_ / "auto.cnf"); }
bool DataDirectory::is_set(Mark mark) const { return present(mark_file(mark)); }

Result<void> DataDirectory::prepare_empty() {
  const auto found = state();
  if (found == DataState::Initialised || found == DataState::Foreign) {
    return error(Code::Conflict,
                 fmt::format("{} is {}: it is not emptied", data_dir_.string(), to_string(found)));
  }
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(data_dir_, failure)) {
    if (!is_volume_furniture(entry.path().filename())) fs::remove_all(entry.path(), failure);
    if (failure) {
      return error(Code::Fatal,
                   fmt::format("cannot remove {}: {}", entry.path().string(), failure.message()));
    }
  }
  return make_directory(data_dir_, 0750, owner_);
}

DataDirectory::Space DataDirectory::space() const {
  std::error_code failure;
  const auto space = fs::space(keep_dir_, failure);
  if (failure) return {};
  return {space.available, space.capacity};
}

std::uint64_t DataDirectory::used() const {
  std::uint64_t bytes = 0;
  std::error_code failure;
  for (fs::recursive_directory_iterator at(data_dir_, failure), end; !failure && at != end;
       at.increment(failure)) {
    std::error_code gone;
    const bool file = at->is_regular_file(gone);
    const auto size = file ? at->file_size(gone) : 0;
    if (!gone) bytes += size;
  }
  return bytes;
}

}  // namespace troupe::agent
