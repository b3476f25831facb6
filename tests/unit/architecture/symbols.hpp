// What compiled code asks of others, read by nm(1), and held against what a pure function may ask
// for: memory, text, arithmetic and the libraries of values. A clock, randomness, the environment,
// a file, a socket, a thread or a lock is none of that.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::architecture {

struct Symbol {
  std::string object;  // the object file that it stands in
  std::string name;    // as the linker knows it
  bool defined = false;
};

// From the output of `nm --format=posix --print-file-name`.
std::vector<Symbol> parse_symbols(std::string_view nm_output);
// Of a static library or object file. Throws std::runtime_error when nm fails.
std::vector<Symbol> symbols_of(const std::string& nm, const std::string& file);

// Why a model must not use this symbol; empty if it may.
std::string impurity(const std::string& name);

// Functions of the tree that are used and that none of the symbols defines: they lie in a shell.
std::set<std::string> undefined_of_ours(const std::vector<Symbol>& symbols);

}  // namespace troupe::architecture
