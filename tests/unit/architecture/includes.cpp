#include "tests/unit/architecture/includes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <regex>
#include <set>

#include "tests/support/files.hpp"

namespace troupe::architecture {
namespace {

namespace fs = std::filesystem;

// Its folders, and those that a file of it may include from.
struct Layer {
  std::string_view folder;
  std::vector<std::string_view> may_include;
};

const std::vector<Layer>& layers() {
  static const std::vector<Layer> kLayers = {
      {"runtime", {"runtime"}},
      {"k8s", {"k8s", "runtime"}},
      {"engines", {"engines", "k8s", "runtime", "proto"}},
      {"csi", {"csi", "k8s", "runtime", "proto"}},
      {"actors", {"actors", "engines", "csi", "k8s", "runtime"}},
      // The demo counts lost writes with the tests' own judge.
      {"apps", {"apps", "actors", "engines", "csi", "k8s", "runtime", "tests/oracle"}},
      // As does the benchmark of failovers, on the servers of the tests.
      {"benches",
       {"benches", "actors", "engines", "csi", "k8s", "runtime", "tests/oracle", "tests/db",
        "tests/support"}},
  };
  return kLayers;
}

bool lies_in(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/';
}

const Layer* layer_of(std::string_view path) {
  const auto found = std::find_if(layers().begin(), layers().end(),
                                  [&](const Layer& l) { return lies_in(path, l.folder); });
  return found == layers().end() ? nullptr : &*found;
}

bool is_ours(std::string_view target) {
  return layer_of(target) || lies_in(target, "tests") || lies_in(target, "proto");
}

bool begins_with_one_of(std::string_view target, std::initializer_list<std::string_view> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](std::string_view p) { return target.starts_with(p); });
}

// Headers that a pure function has no use for.
bool is_impure(std::string_view target) {
  static const std::set<std::string_view> kHeaders = {"condition_variable",
                                                      "cstdlib",
                                                      "ctime",
                                                      "filesystem",
                                                      "fstream",
                                                      "future",
                                                      "iostream",
                                                      "mutex",
                                                      "netdb.h",
                                                      "poll.h",
                                                      "random",
                                                      "semaphore",
                                                      "shared_mutex",
                                                      "signal.h",
                                                      "spawn.h",
                                                      "stdlib.h",
                                                      "stop_token",
                                                      "thread",
                                                      "time.h",
                                                      "unistd.h"};
  return kHeaders.contains(target) || begins_with_one_of(target, {"arpa/",
                                                                  "boost/asio",
                                                                  "boost/beast",
                                                                  "boost/filesystem",
                                                                  "boost/process",
                                                                  "boost/thread",
                                                                  "boost/uuid/random",
                                                                  "caf/",
                                                                  "google/protobuf",
                                                                  "grpc",
                                                                  "linux/",
                                                                  "mysql",
                                                                  "mariadb",
                                                                  "net/",
                                                                  "netinet/",
                                                                  "openssl/rand",
                                                                  "openssl/ssl",
                                                                  "openssl/x509",
                                                                  "prometheus/",
                                                                  "spdlog/",
                                                                  "sys/"});
}

void collect(const Tree& tree, const std::string& file, std::set<std::string>& seen) {
  const auto found = tree.find(file);
  if (found == tree.end()) return;
  for (const auto& include : found->second)
    if (seen.insert(include.target).second) collect(tree, include.target, seen);
}

}  // namespace

std::vector<Include> includes_of(const std::string& file, std::string_view text) {
  static const std::regex kInclude(R"re(^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"])re");
  std::vector<Include> out;
  int line = 0;
  for (std::size_t at = 0; at < text.size(); ++line) {
    const auto end = std::min(text.find('\n', at), text.size());
    std::cmatch match;
    if (std::regex_search(text.data() + at, text.data() + end, match, kInclude))
      out.push_back({file, line + 1, match[1].str()});
    at = end + 1;
  }
  return out;
}

bool is_model(std::string_view path) {
  if (lies_in(path, "runtime/model") || lies_in(path, "k8s/api")) return true;
  if (lies_in(path, "actors")) return !lies_in(path, "actors/host");
  return (lies_in(path, "engines") || lies_in(path, "csi")) &&
         path.find("/model/") != std::string_view::npos;
}

std::string violation(const Include& i) {
  const auto at = fmt::format("{}:{} includes \"{}\"", i.file, i.line, i.target);
  const auto* layer = layer_of(i.file);
  if (!layer) return {};
  if (is_ours(i.target)) {
    const auto& allowed = layer->may_include;
    if (std::none_of(allowed.begin(), allowed.end(),
                     [&](std::string_view folder) { return lies_in(i.target, folder); }))
      return fmt::format("{}: {}/ includes only from {}", at, layer->folder,
                         fmt::join(allowed, ", "));
    if (is_model(i.file) && !is_model(i.target)) return at + ": a model includes models only";
    return {};
  }
  if (is_model(i.file) && is_impure(i.target))
    return at + ": a model has no clock, randomness, environment, file, socket or thread";
  return {};
}

Tree read_tree(const std::string& root) {
  Tree tree;
  for (const auto& layer : layers()) {
    const auto folder = fs::path(root) / layer.folder;
    if (!fs::exists(folder)) continue;
    for (auto it = fs::recursive_directory_iterator(folder); it != fs::end(it); ++it) {
      if (it->path().filename() == "node_modules") it.disable_recursion_pending();
      const auto extension = it->path().extension();
      if (extension != ".hpp" && extension != ".cpp") continue;
      const auto file = fs::relative(it->path(), root).generic_string();
      tree[file] = includes_of(file, support::file_text(it->path()));
    }
  }
  return tree;
}

std::map<std::string, int> readers(const Tree& tree) {
  std::map<std::string, int> out;
  for (const auto& [file, includes] : tree) {
    if (!file.ends_with(".cpp")) continue;
    std::set<std::string> seen;
    collect(tree, file, seen);
    for (const auto& target : seen)
      if (tree.contains(target)) ++out[target];
  }
  return out;
}

bool is_costly(std::string_view target) {
  return begins_with_one_of(
      target, {"boost/asio", "boost/beast", "caf/", "google/protobuf", "grpc", "openssl/",
               "prometheus/", "proto/", "simdjson", "spdlog/", "yaml-cpp/"});
}

}  // namespace troupe::architecture
