#include "tests/unit/architecture/symbols.hpp"

#include <cxxabi.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <regex>
#include <sstream>
#include <stdexcept>

namespace troupe::architecture {
namespace {

std::string demangled(const std::string& name) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), &std::free);
  return status == 0 ? std::string(text.get()) : std::string();
}

// C functions whose answer follows from their arguments.
bool is_pure_c(const std::string& name) {
  static const std::set<std::string_view> kNames = {
      // bytes and texts
      "memchr", "memcmp", "memcpy", "memmove", "memrchr", "memset", "explicit_bzero", "strchr",
      "strcmp", "strlen", "strncmp", "strncpy", "fnmatch",
      // characters and numbers; the locale is never set
      "atoi", "isalnum", "isalpha", "isdigit", "isspace", "snprintf", "strtod", "strtol", "strtoll",
      "strtoul", "strtoull", "tolower", "toupper", "vsnprintf",
      // arithmetic
      "ceil", "floor", "log10", "pow", "round",
      // a date from a number, a text from an error number
      "gmtime_r", "timegm", "strerror_r", "__errno_location",
      // a broken invariant
      "__assert_fail", "abort",
      // set once by the C library: whether reference counts need atomic operations
      "__libc_single_threaded",
      // digests and ciphers over buffers
      "EVP_CIPHER_CTX_free", "EVP_CIPHER_CTX_new", "EVP_DecodeBlock", "EVP_DecryptInit_ex",
      "EVP_DecryptUpdate", "EVP_Digest", "EVP_EncodeBlock", "EVP_aes_256_ctr", "EVP_sha1",
      "EVP_sha256",
      // the linker's and the compiler's own
      "_GLOBAL_OFFSET_TABLE_", "_Unwind_Resume", "__cxa_atexit", "__dso_handle", "__dynamic_cast",
      "__gxx_personality_v0", "__stack_chk_fail"};
  if (kNames.contains(name)) return true;
  // Exceptions, guards of local statics; 128-bit arithmetic; sanitizers.
  static const std::regex kFamilies(
      "__cxa_.*|__u?(divmod|div|mod|mul)[dt]i[34]|__(asan|ubsan|tsan|sanitizer)_.*");
  return std::regex_match(name, kFamilies);
}

// Parts of C++ libraries that reach outside.
bool reaches_outside(const std::string& text) {
  static const std::regex kOutside(
      "std::chrono::(_V2::)?[a-z_]*clock::|std::(this_thread|thread|jthread|random_device|future|"
      "condition_variable|filesystem|__future_base)|std::basic_(i|o)?fstream|std::basic_filebuf|"
      "std::(cout|cin|cerr|clog)|std::ios_base::Init|boost::(asio|beast|filesystem|process|thread)|"
      "boost::uuids::.*random");
  return std::regex_search(text, kOutside);
}

// The libraries of values.
bool is_known_library(const std::string& text) {
  static const std::regex kFirstNamespace(R"(([A-Za-z_][A-Za-z0-9_]*)::)");
  static const std::set<std::string> kLibraries = {"std", "__gnu_cxx", "__cxxabiv1", "boost",
                                                   "fmt", "simdjson",  "YAML",       "troupe"};
  if (text.starts_with("operator new") || text.starts_with("operator delete")) return true;
  std::smatch match;
  return std::regex_search(text, match, kFirstNamespace) && kLibraries.contains(match[1]);
}

bool is_ours(const std::string& name) {
  const auto text = demangled(name);
  return text.starts_with("troupe::") || text.find(" troupe::") != std::string::npos;
}

}  // namespace

std::vector<Symbol> parse_symbols(std::string_view nm_output) {
  std::vector<Symbol> out;
  std::istringstream lines{std::string(nm_output)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string object, name, type;
    if (!(words >> object >> name >> type) || type.size() != 1) continue;
    const bool undefined = type == "U" || type == "w" || type == "v";
    out.push_back({object, name, !undefined});
  }
  return out;
}

std::vector<Symbol> symbols_of(const std::string& nm, const std::string& file) {
  const auto command = fmt::format("{} --format=posix --print-file-name '{}'", nm, file);
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  if (!pipe) throw std::runtime_error("cannot run " + command);
  std::string output;
  std::array<char, 1 << 16> buffer;
  while (const auto n = std::fread(buffer.data(), 1, buffer.size(), pipe))
    output.append(buffer.data(), n);
  if (::pclose(pipe) != 0) throw std::runtime_error("failed: " + command);
  return parse_symbols(output);
}

std::string impurity(const std::string& name) {
  const auto text = demangled(name);
  if (text.empty()) {
    if (is_pure_c(name)) return {};
    return name + " is not among the C functions that a model may call";
  }
  if (reaches_outside(text)) return text + " reaches outside";
  if (!is_known_library(text)) return text + " is of no library that a model may use";
  return {};
}

std::set<std::string> undefined_of_ours(const std::vector<Symbol>& symbols) {
  std::set<std::string> defined, out;
  for (const auto& s : symbols)
    if (s.defined) defined.insert(s.name);
  for (const auto& s : symbols)
    if (!s.defined && !defined.contains(s.name) && is_ours(s.name))
      out.insert(demangled(s.name) + ", used by " + s.object);
  return out;
}

}  // namespace troupe::architecture
