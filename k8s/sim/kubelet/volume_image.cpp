#include "k8s/sim/kubelet/volume_image.hpp"

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <mutex>
#include <sstream>
#include <vector>

#include "k8s/sim/kubelet/process.hpp"

namespace troupe::sim {
namespace {

namespace fs = std::filesystem;

// On a disk that is busy.
constexpr std::chrono::seconds kDeadline{60};

Result<std::string> run(std::vector<std::string> argv) {
  return run_program({std::move(argv), "", kDeadline});
}

Result<void> resize_file(const fs::path& file, std::int64_t size) {
  std::error_code failed;
  fs::resize_file(file, static_cast<std::uintmax_t>(size), failed);
  if (!failed) return {};
  return error(Code::Fatal, fmt::format("{} cannot be made {} bytes: {}", file.string(), size,
                                        failed.message()));
}

Result<void> make_if_missing(const fs::path& image, std::int64_t size) {
  // Pods that share a claim may come to it together.
  static std::mutex one_at_a_time;
  const std::scoped_lock lock(one_at_a_time);
  if (fs::exists(image)) return {};
  const fs::path part = image.string() + ".part";  // until it is whole
  std::error_code failed;
  fs::create_directories(image.parent_path(), failed);
  std::ofstream(part, std::ios::trunc).flush();
  if (auto made = resize_file(part, size); !made) return made;
  // As a kubelet does, no room is kept for root. A new file holds nothing but zeros.
  auto made = run({"mkfs.ext4", "-q", "-F", "-m", "0", "-E", "assume_storage_prezeroed=1", part});
  if (!made) return made.error();
  fs::rename(part, image, failed);
  if (!failed) return {};
  return error(Code::Fatal, fmt::format("cannot make {}: {}", image.string(), failed.message()));
}

// The loop devices of an image that is mounted, or was and is still used.
Result<std::vector<std::string>> devices_of(const fs::path& image) {
  const auto printed = run({"losetup", "--associated", image, "--noheadings", "--output", "NAME"});
  if (!printed) return printed.error();
  std::istringstream names(*printed);
  return std::vector<std::string>{std::istream_iterator<std::string>(names), {}};
}

Result<void> resize_file_system(const std::string& device) {
  auto done = run({"resize2fs", device});
  if (!done) return done.error();
  return {};
}

}  // namespace

Result<void> mount_image(const fs::path& image, std::int64_t size, const fs::path& at) {
  if (auto made = make_if_missing(image, size); !made) return made;
  const auto devices = devices_of(image);
  if (!devices) return devices.error();
  if (devices->empty()) {
    // Whether it was to be larger and could not be at the time is not on record.
    if (auto grown = resize_file(image, size); !grown) return grown;
    if (auto checked = run({"e2fsck", "-f", "-p", image}); !checked) return checked.error();
    if (auto grown = resize_file_system(image); !grown) return grown;
  }
  auto mounted = run({"mount", "-t", "ext4", "-o", "loop", image, at});
  if (!mounted) return mounted.error();
  return {};
}

Result<void> grow_image(const fs::path& image, std::int64_t size) {
  const auto devices = devices_of(image);
  if (!devices) return devices.error();
  if (devices->empty()) return {};
  if (auto grown = resize_file(image, size); !grown) return grown;
  for (const auto& device : *devices) {
    if (auto seen = run({"losetup", "--set-capacity", device}); !seen) return seen.error();
    if (auto grown = resize_file_system(device); !grown) return grown;
  }
  return {};
}

}  // namespace troupe::sim
