#include "k8s/sim/api/builtin_schemas_text.hpp"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <map>
#include <stdexcept>

namespace troupe::sim {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    if (end > 0) out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::vector<std::string> strings(const std::vector<std::string_view>& views) {
  return {views.begin(), views.end()};
}

// Cuts the trailing "documentation" off a line.
std::string take_documentation(std::string_view& line) {
  if (!line.ends_with('"')) return {};
  const auto open = line.rfind(" \"", line.size() - 2);
  if (open == std::string_view::npos) return {};
  auto out = std::string(line.substr(open + 2, line.size() - open - 3));
  line = line.substr(0, open);
  return out;
}

class TextParser {
 public:
  std::vector<BuiltinType> run(const std::vector<std::string_view>& texts) {
    for (const auto text : texts) {
      for (const auto line : split(text, '\n')) {
        if (line.starts_with("package ")) read_package(line);
      }
    }
    for (const auto text : texts) {
      for (const auto line : split(text, '\n')) read_line(line);
    }
    return std::move(types_);
  }

 private:
  struct Package {
    std::string alias, prefix, group, version;
  };

  [[noreturn]] static void refuse(std::string_view line) {
    throw std::logic_error(fmt::format("malformed built-in type: {}", line));
  }

  static Package package_of(std::string_view line) {
    const auto words = strings(split(line, ' '));
    if (words.size() != 5) refuse(line);
    return {words[1], words[2], words[3] == "core" ? "" : words[3], words[4]};
  }

  void read_package(std::string_view line) {
    auto package = package_of(line);
    packages_[package.alias] = package;
  }

  void read_line(std::string_view line) {
    if (line.starts_with("package ")) {
      current_ = package_of(line);
    } else if (line.starts_with("kind ") || line.starts_with("type ")) {
      read_type(line);
    } else if (line.starts_with("  ")) {
      if (types_.empty()) refuse(line);
      types_.back().fields.push_back(read_field(line));
    } else {
      refuse(line);
    }
  }

  void read_type(std::string_view line) {
    BuiltinType type;
    type.is_kind = line.starts_with("kind ");
    type.documentation = take_documentation(line);
    const auto words = split(line, ' ');
    type.name = words[1];
    type.atomic = words.size() > 2 && words[2] == "atomic";
    type.component = fmt::format("{}.{}", current_.prefix, type.name);
    type.group = current_.group;
    type.version = current_.version;
    types_.push_back(std::move(type));
  }

  BuiltinField read_field(std::string_view line) {
    const auto whole_line = line;
    BuiltinField field;
    field.documentation = take_documentation(line);
    const auto words = split(line, ' ');
    if (words.size() < 2) refuse(whole_line);
    auto name = words[0];
    field.enforced = name.ends_with("!!");
    field.required = name.ends_with('!');
    while (name.ends_with('!')) name.remove_suffix(1);
    field.name = name;
    field.type = resolve(words[1]);
    for (std::size_t i = 2; i < words.size(); ++i) {
      if (!read_attribute(words[i], field)) refuse(whole_line);
    }
    return field;
  }

  static bool read_attribute(std::string_view word, BuiltinField& field) {
    const auto equals = std::min(word.find('='), word.size());
    const auto key = word.substr(0, equals);
    const auto value = word.substr(std::min(equals + 1, word.size()));
    if (key == "value") {
      field.by_value = true;
    } else if (key == "set") {
      field.is_set = true;
    } else if (key == "atomic") {
      field.atomic = true;
    } else if (key == "retain") {
      field.retain = true;
    } else if (key == "merge") {
      field.merge = true;
      field.merge_key = value;
    } else if (key == "keys") {
      field.keys = strings(split(value, ','));
    } else if (key == "enum") {
      field.enum_values = strings(split(value, '|'));
    } else if (key == "default") {
      field.default_value = boost::json::parse(value);
    } else {
      return false;
    }
    return true;
  }

  // []core.Pod becomes []io.k8s.api.core.v1.Pod.
  std::string resolve(std::string_view type) const {
    std::string prefix;
    while (type.starts_with("[]") || type.starts_with("{}")) {
      prefix += type.substr(0, 2);
      type.remove_prefix(2);
    }
    const auto dot = type.find('.');
    if (dot != std::string_view::npos) {
      const auto& package = packages_.at(std::string(type.substr(0, dot)));
      return fmt::format("{}{}.{}", prefix, package.prefix, type.substr(dot + 1));
    }
    const bool is_named = std::isupper(static_cast<unsigned char>(type.front())) != 0;
    if (is_named) return fmt::format("{}{}.{}", prefix, current_.prefix, type);
    return prefix + std::string(type);
  }

  std::map<std::string, Package> packages_;
  Package current_;
  std::vector<BuiltinType> types_;
};

}  // namespace

std::vector<BuiltinType> parse_builtin_types(const std::vector<std::string_view>& texts) {
  return TextParser().run(texts);
}

}  // namespace troupe::sim
