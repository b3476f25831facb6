// Reads #include lines and holds them against the arrows of the tree:
//
//   apps -> actors -> {engines, csi} -> k8s -> runtime
//
// A file may include from its own layer and from those to the right of it. A part that is a model
// (plain values and pure functions) includes models only, and no header that brings in a socket, a
// file, a thread or the system.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::architecture {

struct Include {
  std::string file;  // who includes, from the root of the tree
  int line = 0;
  std::string target;  // what stands between the quotes or angle brackets
};

std::vector<Include> includes_of(const std::string& file, std::string_view text);

bool is_model(std::string_view path);
// Why this include must not be; empty if it may.
std::string violation(const Include& include);

// All includes of a tree, by file.
using Tree = std::map<std::string, std::vector<Include>>;
Tree read_tree(const std::string& root);

// How many sources read each header of the tree, directly or through others.
std::map<std::string, int> readers(const Tree& tree);
// Costly to compile: what many sources read must not bring them in.
bool is_costly(std::string_view target);

}  // namespace troupe::architecture
