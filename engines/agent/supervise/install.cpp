#include "engines/agent/supervise/install.hpp"

#include <unistd.h>

#include <filesystem>
#include <stdexcept>

namespace troupe::agent::supervise {

void install_self(const std::string& directory) {
  namespace fs = std::filesystem;
  const auto target = fs::path(directory) / "troupe-supervise";
  const auto staged = fs::path(directory) / (".troupe-supervise." + std::to_string(::getpid()));
  try {
    fs::create_directories(directory);
    fs::copy_file("/proc/self/exe", staged, fs::copy_options::overwrite_existing);
    fs::permissions(staged, static_cast<fs::perms>(0755));
    fs::rename(staged, target);
  } catch (const fs::filesystem_error& failure) {
    throw std::runtime_error("cannot install into " + directory + ": " + failure.what());
  }
}

}  // namespace troupe::agent::supervise
