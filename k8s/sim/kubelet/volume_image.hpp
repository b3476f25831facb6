// Volumes that are file systems of their own: ext4 in a sparse file, mounted through a loop device.
//
// The kernel gives such a device up with its last mount, so whoever unmounts what lies below a
// cluster's directory has cleared it away. Needs root, /dev/loop-control and e2fsprogs. Blocks.
#pragma once

#include <cstdint>
#include <filesystem>

#include "runtime/model/result.hpp"

namespace troupe::sim {

// Makes the image, with an empty file system of `size` bytes, if there is none; brings one that is
// smaller to that size; mounts it.
Result<void> mount_image(const std::filesystem::path& image, std::int64_t size,
                         const std::filesystem::path& at);

// Brings it to that size if it is mounted; else mount_image() does. The kernel may not let us
// (CAP_SYS_RESOURCE); then it has to be mounted anew.
Result<void> grow_image(const std::filesystem::path& image, std::int64_t size);

}  // namespace troupe::sim
