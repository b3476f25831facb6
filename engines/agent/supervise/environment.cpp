#include "engines/agent/supervise/environment.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <string_view>

#include "engines/agent/supervise/process.hpp"

extern char** environ;

namespace troupe::agent::supervise {
namespace {

constexpr std::array<std::string_view, 6> kStockNames{
    "MYSQL_ROOT_PASSWORD", "MYSQL_ROOT_HOST", "MYSQL_DATABASE",
    "MYSQL_USER",          "MYSQL_PASSWORD",  "MYSQL_ALLOW_EMPTY_PASSWORD"};
constexpr std::string_view kFileSuffix = "_FILE";

bool is_stock(std::string_view name) {
  if (name.ends_with(kFileSuffix)) name.remove_suffix(kFileSuffix.size());
  return std::find(kStockNames.begin(), kStockNames.end(), name) != kStockNames.end();
}

}  // namespace

std::vector<std::string> stock_settings() {
  std::vector<std::string> out;
  for (const auto stock : kStockNames) {
    const std::string name(stock);
    if (const char* value = std::getenv(name.c_str())) {
      out.insert(out.end(), {name, value});
      continue;
    }
    const std::string file_name = name + std::string(kFileSuffix);
    const char* path = std::getenv(file_name.c_str());
    if (path == nullptr) continue;
    if (auto value = read_small_file(path)) {
      if (value->ends_with('\n')) value->pop_back();
      out.insert(out.end(), {name, *value});
    } else {
      out.insert(out.end(), {file_name, path});
    }
  }
  return out;
}

std::vector<std::string> child_environment(const std::vector<std::string>& extra) {
  std::map<std::string, std::string, std::less<>> values;
  const auto add = [&](std::string_view entry) {
    const auto equals = entry.find('=');
    if (equals == std::string_view::npos) return;
    values.insert_or_assign(std::string(entry.substr(0, equals)), std::string(entry));
  };
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (!is_stock(text.substr(0, text.find('=')))) add(text);
  }
  for (const auto& entry : extra) add(entry);
  std::vector<std::string> out;
  for (auto& [name, entry] : values) out.push_back(std::move(entry));
  return out;
}

}  // namespace troupe::agent::supervise
