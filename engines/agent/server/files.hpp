// Small files that must survive a crash of the node: written whole or not at all.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/model/result.hpp"

namespace troupe::agent {

struct Owner {
  uid_t uid = 0;
  gid_t gid = 0;
  bool operator==(const Owner&) const = default;
};

// Temporary file beside `path`, fsync, rename, fsync of the directory. An owner is set only by
// root.
Result<void> write_durably(const std::filesystem::path& path, std::string_view content, mode_t mode,
                           std::optional<Owner> owner = std::nullopt);
// Removes the file durably; a missing one is no error.
Result<void> remove_durably(const std::filesystem::path& path);
// Code::NotFound if there is none, Code::Invalid beyond `max_bytes`.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t max_bytes);
// Makes the directory and its parents; an owner is given to what was made.
Result<void> make_directory(const std::filesystem::path& path, mode_t mode,
                            std::optional<Owner> owner = std::nullopt);

}  // namespace troupe::agent
