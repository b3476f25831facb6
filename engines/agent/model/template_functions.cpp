#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <cstdio>
#include <set>

#include "engines/agent/model/template.hpp"

namespace troupe::agent {
namespace {

namespace json = boost::json;
using tmpl::Value;
using Arguments = std::span<const Value>;

constexpr std::int64_t kMaxSequence = 100'000;  // items of seq
constexpr int kMaxPrintfWidth = 1000;

Error invalid(std::string message) { return error(Code::Invalid, std::move(message)); }

// --- arguments

Result<void> expect_count(Arguments arguments, std::size_t least, std::size_t most) {
  if (arguments.size() >= least && arguments.size() <= most) return {};
  return invalid(
      least == most
          ? fmt::format("takes {} arguments, found {}", least, arguments.size())
          : fmt::format("takes {} to {} arguments, found {}", least, most, arguments.size()));
}

Result<std::string> text_at(Arguments arguments, std::size_t index) {
  if (const auto* text = arguments[index].text()) return *text;
  return invalid(
      fmt::format("argument {} must be a text, found {}", index + 1, arguments[index].kind()));
}

Result<std::int64_t> integer_at(Arguments arguments, std::size_t index) {
  if (const auto* integer = arguments[index].integer()) return *integer;
  return invalid(
      fmt::format("argument {} must be an integer, found {}", index + 1, arguments[index].kind()));
}

// A function of one text.
TemplateFunction of_text(std::function<Result<Value>(const std::string&)> f) {
  return [f = std::move(f)](Arguments arguments) -> Result<Value> {
    if (auto right = expect_count(arguments, 1, 1); !right) return right.error();
    const auto text = text_at(arguments, 0);
    return text ? f(*text) : Result<Value>(text.error());
  };
}

// A function of two texts.
TemplateFunction of_texts(std::function<Result<Value>(const std::string&, const std::string&)> f) {
  return [f = std::move(f)](Arguments arguments) -> Result<Value> {
    if (auto right = expect_count(arguments, 2, 2); !right) return right.error();
    const auto a = text_at(arguments, 0);
    if (!a) return a.error();
    const auto b = text_at(arguments, 1);
    return b ? f(*a, *b) : Result<Value>(b.error());
  };
}

// --- keys

Value key_and_value(const std::string& key, const std::string& value) {
  return Value::Map{{"Key", key}, {"Value", value}};
}

bool matches(const std::string& pattern, const std::string& key) {
  return ::fnmatch(pattern.c_str(), key.c_str(), FNM_PATHNAME) == 0;
}

Result<Value> getv(const FlatValues& values, Arguments arguments) {
  if (auto right = expect_count(arguments, 1, 2); !right) return right.error();
  const auto key = text_at(arguments, 0);
  if (!key) return key.error();
  if (const auto found = values.find(*key); found != values.end()) return Value(found->second);
  if (arguments.size() == 2) return Value(arguments[1].print());
  return invalid(fmt::format("there is no value \"{}\" and no default for it", *key));
}

// Names directly below a path; with `directories`, only those that have something below them.
Value children(const FlatValues& values, std::string path, bool directories) {
  if (!path.ends_with('/')) path += '/';
  std::set<std::string> names;
  for (auto entry = values.lower_bound(path); entry != values.end(); ++entry) {
    if (!entry->first.starts_with(path)) break;
    const auto rest = std::string_view(entry->first).substr(path.size());
    const auto slash = rest.find('/');
    if (directories && slash == std::string_view::npos) continue;
    names.emplace(rest.substr(0, slash));
  }
  return Value::List(names.begin(), names.end());
}

void add_key_functions(TemplateFunctions& out, const FlatValues& values) {
  out["getv"] = [values](Arguments arguments) { return getv(values, arguments); };
  out["get"] = of_text([values](const std::string& key) -> Result<Value> {
    const auto found = values.find(key);
    if (found == values.end()) return invalid(fmt::format("there is no value \"{}\"", key));
    return key_and_value(found->first, found->second);
  });
  out["gets"] = of_text([values](const std::string& pattern) -> Result<Value> {
    Value::List list;
    for (const auto& [key, value] : values) {
      if (matches(pattern, key)) list.push_back(key_and_value(key, value));
    }
    return Value(std::move(list));
  });
  out["getvs"] = of_text([values](const std::string& pattern) -> Result<Value> {
    Value::List list;
    for (const auto& [key, value] : values) {
      if (matches(pattern, key)) list.emplace_back(value);
    }
    return Value(std::move(list));
  });
  out["exists"] = of_text(
      [values](const std::string& key) -> Result<Value> { return Value(values.contains(key)); });
  out["ls"] = of_text(
      [values](const std::string& path) -> Result<Value> { return children(values, path, false); });
  out["lsdir"] = of_text(
      [values](const std::string& path) -> Result<Value> { return children(values, path, true); });
}

// --- numbers

using IntegerOperation = Result<std::int64_t> (*)(std::int64_t, std::int64_t);
using RealOperation = double (*)(double, double);

TemplateFunction arithmetic(IntegerOperation whole, RealOperation fraction) {
  return [whole, fraction](Arguments arguments) -> Result<Value> {
    if (auto right = expect_count(arguments, 2, 2); !right) return right.error();
    const auto* a = arguments[0].integer();
    const auto* b = arguments[1].integer();
    if (a && b) {
      const auto result = whole(*a, *b);
      return result ? Result<Value>(Value(*result)) : Result<Value>(result.error());
    }
    const auto x = arguments[0].number();
    const auto y = arguments[1].number();
    if (!x || !y || fraction == nullptr) {
      return invalid(fmt::format("needs two numbers, found {} and {}", arguments[0].kind(),
                                 arguments[1].kind()));
    }
    return Value(fraction(*x, *y));
  };
}

template <bool (*overflows)(std::int64_t, std::int64_t, std::int64_t*)>
Result<std::int64_t> checked(std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  if (overflows(a, b, &out)) return invalid("the number is too large");
  return out;
}
bool add_overflows(std::int64_t a, std::int64_t b, std::int64_t* out) {
  return __builtin_add_overflow(a, b, out);
}
bool sub_overflows(std::int64_t a, std::int64_t b, std::int64_t* out) {
  return __builtin_sub_overflow(a, b, out);
}
bool mul_overflows(std::int64_t a, std::int64_t b, std::int64_t* out) {
  return __builtin_mul_overflow(a, b, out);
}

Result<std::int64_t> divide(std::int64_t a, std::int64_t b) {
  if (b == 0) return invalid("division by zero");
  if (b == -1) return checked<sub_overflows>(0, a);
  return a / b;
}
Result<std::int64_t> remainder(std::int64_t a, std::int64_t b) {
  if (b == 0) return invalid("division by zero");
  return b == -1 ? 0 : a % b;
}

Result<Value> sequence(Arguments arguments) {
  if (auto right = expect_count(arguments, 2, 2); !right) return right.error();
  const auto first = integer_at(arguments, 0);
  if (!first) return first.error();
  const auto last = integer_at(arguments, 1);
  if (!last) return last.error();
  std::int64_t span = 0;
  if (__builtin_sub_overflow(*last, *first, &span) || span >= kMaxSequence) {
    return invalid(fmt::format("makes at most {} numbers", kMaxSequence));
  }
  Value::List list;
  for (auto number = *first; number <= *last; ++number) list.emplace_back(number);
  return Value(std::move(list));
}

template <class Number>
Result<Value> parse_number(const std::string& text, std::string_view what) {
  Number number{};
  const auto* end = text.data() + text.size();
  const auto* begin = text.data() + (text.starts_with('+') ? 1 : 0);
  const auto [stop, failure] = std::from_chars(begin, end, number);
  if (failure != std::errc{} || stop != end || begin == end) {
    return invalid(fmt::format("\"{}\" is not {}", text, what));
  }
  return Value(number);
}

Result<Value> to_real(Arguments arguments) {
  if (auto right = expect_count(arguments, 1, 1); !right) return right.error();
  if (const auto number = arguments[0].number()) return Value(*number);
  const auto text = text_at(arguments, 0);
  return text ? parse_number<double>(*text, "a number") : Result<Value>(text.error());
}

void add_number_functions(TemplateFunctions& out) {
  out["add"] = arithmetic(checked<add_overflows>, [](double a, double b) { return a + b; });
  out["sub"] = arithmetic(checked<sub_overflows>, [](double a, double b) { return a - b; });
  out["mul"] = arithmetic(checked<mul_overflows>, [](double a, double b) { return a * b; });
  out["div"] = arithmetic(divide, [](double a, double b) { return a / b; });
  out["mod"] = arithmetic(remainder, nullptr);
  out["seq"] = sequence;
  out["toFloat64"] = to_real;
  out["atoi"] = of_text(
      [](const std::string& text) { return parse_number<std::int64_t>(text, "an integer"); });
  out["parseBool"] = of_text([](const std::string& text) -> Result<Value> {
    static const std::set<std::string, std::less<>> yes{"1", "t", "T", "true", "True", "TRUE"};
    static const std::set<std::string, std::less<>> no{"0", "f", "F", "false", "False", "FALSE"};
    if (yes.contains(text)) return Value(true);
    if (no.contains(text)) return Value(false);
    return invalid(fmt::format("\"{}\" is not a boolean", text));
  });
}

// --- texts

std::string mapped(std::string text, int (*f)(int)) {
  for (auto& c : text) c = static_cast<char>(f(static_cast<unsigned char>(c)));
  return text;
}

Value split(const std::string& text, const std::string& separator) {
  Value::List parts;
  if (separator.empty()) {
    for (const char c : text) parts.emplace_back(std::string(1, c));
    return parts;
  }
  std::size_t from = 0;
  for (std::size_t at; (at = text.find(separator, from)) != std::string::npos;) {
    parts.emplace_back(text.substr(from, at - from));
    from = at + separator.size();
  }
  parts.emplace_back(text.substr(from));
  return parts;
}

Result<Value> join(Arguments arguments) {
  if (auto right = expect_count(arguments, 2, 2); !right) return right.error();
  const auto* list = arguments[0].list();
  const auto separator = text_at(arguments, 1);
  if (list == nullptr) return invalid(fmt::format("needs a list, found {}", arguments[0].kind()));
  if (!separator) return separator.error();
  std::string out;
  for (std::size_t i = 0; i < list->size(); ++i) {
    if (i > 0) out += *separator;
    out += (*list)[i].print();
    if (out.size() > kMaxOutputBytes) return invalid("the text is too long");
  }
  return Value(std::move(out));
}

// replace TEXT OLD NEW COUNT; a negative count replaces all.
Result<Value> replace(Arguments arguments) {
  if (auto right = expect_count(arguments, 4, 4); !right) return right.error();
  const auto text = text_at(arguments, 0);
  const auto old_part = text_at(arguments, 1);
  const auto new_part = text_at(arguments, 2);
  const auto count = integer_at(arguments, 3);
  for (const auto* part : {&text, &old_part, &new_part}) {
    if (!*part) return part->error();
  }
  if (!count) return count.error();
  if (old_part->empty()) return invalid("the text to replace is empty");
  std::string out;
  std::size_t from = 0;
  auto left = *count;
  for (std::size_t at; left != 0 && (at = text->find(*old_part, from)) != std::string::npos;
       --left) {
    out.append(*text, from, at - from).append(*new_part);
    from = at + old_part->size();
    if (out.size() > kMaxOutputBytes) return invalid("the text is too long");
  }
  return Value(out.append(*text, from));
}

// As path.Clean: no double slashes, no ".", ".." resolved where that is possible.
std::string clean_path(const std::string& path) {
  std::vector<std::string> parts;
  const bool rooted = path.starts_with('/');
  const auto pieces = split(path, "/");
  for (const auto& piece : *pieces.list()) {
    const auto& name = *piece.text();
    if (name.empty() || name == ".") continue;
    if (name != "..") {
      parts.push_back(name);
    } else if (!parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (!rooted) {
      parts.push_back(name);
    }
  }
  auto out = fmt::format("{}{}", rooted ? "/" : "", fmt::join(parts, "/"));
  return out.empty() ? "." : out;
}

std::string base_name(std::string path) {
  if (path.empty()) return ".";
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  const auto slash = path.rfind('/');
  return slash == std::string::npos || path == "/" ? path : path.substr(slash + 1);
}

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : clean_path(path.substr(0, slash + 1));
}

Result<Value> join_path(Arguments arguments) {
  std::string out;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto part = text_at(arguments, i);
    if (!part) return part.error();
    if (part->empty()) continue;
    if (!out.empty()) out += '/';
    out += *part;
  }
  return Value(out.empty() ? out : clean_path(out));
}

// One % directive of printf, `spec` being its flags, width and precision.
Result<std::string> format_one(const std::string& spec, char verb, const Value& value) {
  char buffer[kMaxPrintfWidth + 400];
  const auto with = [&](const char* conversion, auto argument) {
    const auto pattern = "%" + spec + conversion;
    const auto size = std::snprintf(buffer, sizeof buffer, pattern.c_str(), argument);
    return std::string(
        buffer, static_cast<std::size_t>(std::clamp(size, 0, static_cast<int>(sizeof buffer) - 1)));
  };
  const auto* whole = value.integer();
  switch (verb) {
    case 'd':
      if (whole) return with("lld", static_cast<long long>(*whole));
      break;
    case 'x':
    case 'X':
    case 'o':
      if (whole)
        return with(verb == 'x'   ? "llx"
                    : verb == 'X' ? "llX"
                                  : "llo",
                    static_cast<long long>(*whole));
      break;
    case 'f':
    case 'e':
    case 'g':
      if (const auto number = value.number()) {
        return with(verb == 'f' ? "f" : verb == 'e' ? "e" : "g", *number);
      }
      break;
    case 't':
      if (value.boolean()) return with("s", value.print().c_str());
      break;
    case 'q':
      return json::serialize(json::string(value.print()));
    case 's':
    case 'v':
      if (spec.empty()) return value.print();
      return with("s", value.print().c_str());
    default:
      break;
  }
  return invalid(fmt::format("%{}{} does not fit {}", spec, verb, value.kind()));
}

Result<Value> print_formatted(Arguments arguments) {
  if (arguments.empty()) return invalid("needs a format");
  const auto format = text_at(arguments, 0);
  if (!format) return format.error();
  std::string out;
  std::size_t used = 1;
  for (std::size_t at = 0; at < format->size(); ++at) {
    if ((*format)[at] != '%') {
      out += (*format)[at];
      continue;
    }
    const auto end = format->find_first_not_of("+-# 0123456789.", at + 1);
    if (end == std::string::npos) return invalid("the format ends within a directive");
    const auto spec = format->substr(at + 1, end - at - 1);
    at = end;
    if ((*format)[end] == '%') {
      out += '%';
      continue;
    }
    const auto digits = spec.find_first_of("123456789");
    if (spec.size() > 8 ||
        (digits != std::string::npos && std::atoi(spec.c_str() + digits) > kMaxPrintfWidth)) {
      return invalid("the width is too large");
    }
    if (used >= arguments.size()) return invalid("there are fewer arguments than directives");
    auto part = format_one(spec, (*format)[end], arguments[used++]);
    if (!part) return part.error();
    out += *part;
  }
  if (used < arguments.size()) return invalid("there are more arguments than directives");
  return Value(std::move(out));
}

Result<Value> print_all(Arguments arguments) {
  // As fmt.Print: a space between two operands when neither is a text.
  std::string out;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (i > 0 && !arguments[i].text() && !arguments[i - 1].text()) out += ' ';
    out += arguments[i].print();
  }
  return Value(std::move(out));
}

Result<Value> print_line(Arguments arguments) {
  std::string out;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    out += (i > 0 ? " " : "") + arguments[i].print();
  }
  return Value(out + "\n");
}

void add_text_functions(TemplateFunctions& out) {
  out["split"] =
      of_texts([](const std::string& text, const std::string& separator) -> Result<Value> {
        return split(text, separator);
      });
  out["join"] = join;
  out["replace"] = replace;
  out["contains"] = of_texts([](const std::string& text, const std::string& part) -> Result<Value> {
    return Value(text.find(part) != std::string::npos);
  });
  out["toUpper"] = of_text(
      [](const std::string& text) -> Result<Value> { return Value(mapped(text, std::toupper)); });
  out["toLower"] = of_text(
      [](const std::string& text) -> Result<Value> { return Value(mapped(text, std::tolower)); });
  out["trimSuffix"] =
      of_texts([](const std::string& text, const std::string& suffix) -> Result<Value> {
        return Value(text.ends_with(suffix) ? text.substr(0, text.size() - suffix.size()) : text);
      });
  out["base"] =
      of_text([](const std::string& path) -> Result<Value> { return Value(base_name(path)); });
  out["dir"] =
      of_text([](const std::string& path) -> Result<Value> { return Value(directory_of(path)); });
  out["filePathJoin"] = join_path;
  out["printf"] = print_formatted;
  out["print"] = print_all;
  out["println"] = print_line;
}

// --- collections

Value from_json(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return {};
    case json::kind::bool_:
      return value.get_bool();
    case json::kind::int64:
      return value.get_int64();
    case json::kind::uint64:
      return static_cast<double>(value.get_uint64());
    case json::kind::double_:
      return value.get_double();
    case json::kind::string:
      return std::string(value.get_string());
    case json::kind::array: {
      Value::List list;
      for (const auto& item : value.get_array()) list.push_back(from_json(item));
      return list;
    }
    case json::kind::object: {
      Value::Map map;
      for (const auto& [key, item] : value.get_object()) map.emplace(key, from_json(item));
      return map;
    }
  }
  return {};
}

TemplateFunction parse_json(json::kind kind, std::string_view what) {
  return of_text([kind, what](const std::string& text) -> Result<Value> {
    boost::system::error_code failure;
    const auto value = json::parse(text, failure);
    if (failure || value.kind() != kind) return invalid(fmt::format("the text is not {}", what));
    return from_json(value);
  });
}

Result<Value> make_map(Arguments arguments) {
  if (arguments.size() % 2 != 0) return invalid("needs keys and values in turn");
  Value::Map map;
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    const auto key = text_at(arguments, i);
    if (!key) return key.error();
    map.insert_or_assign(*key, arguments[i + 1]);
  }
  return Value(std::move(map));
}

TemplateFunction of_list(std::function<void(Value::List&)> change) {
  return [change = std::move(change)](Arguments arguments) -> Result<Value> {
    if (auto right = expect_count(arguments, 1, 1); !right) return right.error();
    if (arguments[0].list() == nullptr) {
      return invalid(fmt::format("needs a list, found {}", arguments[0].kind()));
    }
    auto list = *arguments[0].list();
    change(list);
    return Value(std::move(list));
  };
}

Result<Value> length(Arguments arguments) {
  if (auto right = expect_count(arguments, 1, 1); !right) return right.error();
  const auto& value = arguments[0];
  if (const auto* text = value.text()) return Value(static_cast<std::int64_t>(text->size()));
  if (const auto* list = value.list()) return Value(static_cast<std::int64_t>(list->size()));
  if (const auto* map = value.map()) return Value(static_cast<std::int64_t>(map->size()));
  return invalid(fmt::format("{} has no length", value.kind()));
}

Result<Value> index(Arguments arguments) {
  if (arguments.empty()) return invalid("needs a list or a map");
  Value value = arguments[0];
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    Value next;
    if (const auto* list = value.list()) {
      const auto at = integer_at(arguments, i);
      if (!at) return at.error();
      if (*at < 0 || *at >= static_cast<std::int64_t>(list->size())) {
        return invalid(fmt::format("there is no item {} in a list of {}", *at, list->size()));
      }
      next = (*list)[static_cast<std::size_t>(*at)];
    } else if (const auto* map = value.map()) {
      const auto key = text_at(arguments, i);
      if (!key) return key.error();
      if (const auto found = map->find(*key); found != map->end()) next = found->second;
    } else {
      return invalid(fmt::format("{} has no items", value.kind()));
    }
    value = std::move(next);
  }
  return value;
}

void add_collection_functions(TemplateFunctions& out) {
  out["json"] = parse_json(json::kind::object, "a JSON object");
  out["jsonArray"] = parse_json(json::kind::array, "a JSON array");
  out["map"] = make_map;
  out["reverse"] = of_list([](Value::List& list) { std::reverse(list.begin(), list.end()); });
  out["sortByLength"] = of_list([](Value::List& list) {
    std::stable_sort(list.begin(), list.end(), [](const Value& a, const Value& b) {
      return a.print().size() < b.print().size();
    });
  });
  out["len"] = length;
  out["index"] = index;
}

// --- logic

using Ordering = std::partial_ordering;

TemplateFunction comparison(bool (*holds)(Ordering)) {
  return [holds](Arguments arguments) -> Result<Value> {
    if (auto right = expect_count(arguments, 2, 2); !right) return right.error();
    const auto order = tmpl::compare(arguments[0], arguments[1]);
    if (!order) return order.error();
    return Value(holds(*order));
  };
}

// eq A B...: A equals one of the others.
Result<Value> equal_to_any(Arguments arguments) {
  if (arguments.size() < 2) return invalid("needs at least two values");
  for (const auto& other : arguments.subspan(1)) {
    if (arguments[0].is_nil() && other.is_nil()) return Value(true);
    const auto order = tmpl::compare(arguments[0], other);
    if (!order) return order.error();
    if (*order == 0) return Value(true);
  }
  return Value(false);
}

void add_logic_functions(TemplateFunctions& out) {
  out["eq"] = equal_to_any;
  out["ne"] = comparison([](Ordering order) { return order != 0; });
  out["lt"] = comparison([](Ordering order) { return order < 0; });
  out["le"] = comparison([](Ordering order) { return order <= 0; });
  out["gt"] = comparison([](Ordering order) { return order > 0; });
  out["ge"] = comparison([](Ordering order) { return order >= 0; });
  out["not"] = [](Arguments arguments) -> Result<Value> {
    if (auto right = expect_count(arguments, 1, 1); !right) return right.error();
    return Value(!arguments[0].truth());
  };
}

}  // namespace

TemplateFunctions pure_template_functions(const FlatValues& values) {
  TemplateFunctions out;
  add_key_functions(out, values);
  add_number_functions(out);
  add_text_functions(out);
  add_collection_functions(out);
  add_logic_functions(out);
  return out;
}

}  // namespace troupe::agent
