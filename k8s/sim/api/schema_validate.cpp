#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cmath>

#include "k8s/sim/api/object.hpp"
#include "k8s/sim/api/schema.hpp"
#include "k8s/sim/api/schema_cel.hpp"
#include "k8s/sim/api/schema_formats.hpp"
#include "k8s/sim/api/schema_lists.hpp"
#include "k8s/sim/api/schema_path.hpp"

namespace troupe::sim {
namespace {

// Errors of a value, and how many checks it passed: among failed alternatives of anyOf and oneOf
// the one that got furthest explains itself.
struct Findings {
  std::vector<FieldError> errors;
  int passed = 0;

  void merge(Findings other) {
    std::ranges::move(other.errors, std::back_inserter(errors));
    passed += other.passed;
  }
  bool valid() const { return errors.empty(); }
};

std::string_view json_type(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "boolean";
    case json::kind::int64:
    case json::kind::uint64:
      return "integer";
    case json::kind::double_:
      return "number";
    case json::kind::string:
      return "string";
    case json::kind::array:
      return "array";
    case json::kind::object:
      return "object";
  }
  return "null";
}

std::string_view type_name(const SchemaNode& schema) {
  if (schema.int_or_string) return "integer,string";
  return to_string(schema.type);
}

bool is_whole(const json::value& value) {
  return value.is_double() && std::trunc(value.get_double()) == value.get_double();
}

bool type_matches(const SchemaNode& schema, const json::value& value) {
  const auto kind = json_type(value);
  if (schema.quantity) return kind == "string" || kind == "integer" || kind == "number";
  if (schema.int_or_string) return kind == "string" || kind == "integer" || is_whole(value);
  switch (schema.type) {
    case SchemaType::Any:
      return true;
    case SchemaType::Integer:
      return kind == "integer" || is_whole(value);
    case SchemaType::Number:
      return kind == "integer" || kind == "number";
    default:
      return kind == type_name(schema);
  }
}

// Go's %v of a number in a message about a bound.
std::string bound_text(double bound) {
  if (std::trunc(bound) == bound && std::fabs(bound) < 1e15) {
    return std::to_string(static_cast<std::int64_t>(bound));
  }
  return fmt::format("{}", bound);
}

std::size_t runes(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

class Validator {
 public:
  // `old` is the value that this one replaces; null when there is none or it cannot be told.
  Findings check(const json::value& value, const SchemaNode& schema, const json::value* old) {
    // Ratcheting: what was stored already may stay as it is.
    if (old && same(*old, value)) return {};
    return check_fresh(value, schema, old);
  }

 private:
  Findings check_fresh(const json::value& value, const SchemaNode& schema, const json::value* old) {
    Findings found;
    check_type(value, schema, found);
    if (value.is_null()) {
      check_enum(value, schema.rules, found);
      return found;
    }
    check_junctors(value, schema.rules, found);
    if (const auto* text = value.if_string()) check_string(*text, schema.rules, found);
    if (value.is_number()) check_number(value, schema, found);
    if (const auto* array = value.if_array()) check_array(*array, schema, old, found);
    check_enum(value, schema.rules, found);
    if (const auto* object = value.if_object()) check_object(*object, schema, old, found);
    return found;
  }

  void check_type(const json::value& value, const SchemaNode& schema, Findings& found) {
    const bool typed = schema.int_or_string || schema.type != SchemaType::Any;
    if (!typed || (value.is_null() ? schema.nullable : type_matches(schema, value))) {
      ++found.passed;
      return;
    }
    const auto& format = schema.rules.format;
    std::string_view expected = type_name(schema);
    std::string_view actual = json_type(value);
    // A number or an object where a format is set is named by formats, not by types.
    if (!format.empty() && !value.is_string() && !value.is_array() && !value.is_null()) {
      expected = format;
      actual = value.is_double() ? "float64" : value.is_number() ? "int64" : "";
    }
    found.errors.push_back(type_invalid(
        path_.text(), quoted(actual),
        fmt::format("{} in body must be of type {}: \"{}\"", path_.text(), expected, actual)));
  }

  void check_enum(const json::value& value, const ValueRules& rules, Findings& found) {
    if (rules.enum_values.empty()) return;
    if (!value.is_null() &&
        std::ranges::find(rules.enum_values, value) != rules.enum_values.end()) {
      ++found.passed;
      return;
    }
    std::vector<std::string> supported;
    for (const auto& allowed : rules.enum_values) {
      supported.push_back(allowed.is_string() ? std::string(allowed.get_string()) : show(allowed));
    }
    found.errors.push_back(not_supported(path_.text(), show(value), supported));
  }

  void check_string(std::string_view text, const ValueRules& rules, Findings& found) {
    const auto length = static_cast<std::int64_t>(runes(text));
    if (rules.max_length && length > *rules.max_length) {
      found.errors.push_back(too_long(path_.text(), *rules.max_length));
    } else if (rules.min_length && length < *rules.min_length) {
      found.errors.push_back(invalid(path_.text(), quoted(text),
                                     fmt::format("{} in body should be at least {} chars long",
                                                 path_.text(), *rules.min_length)));
    } else if (rules.pattern_regex && !RE2::PartialMatch(re2::StringPiece(text.data(), text.size()),
                                                         *rules.pattern_regex)) {
      found.errors.push_back(
          invalid(path_.text(), quoted(text),
                  fmt::format("{} in body should match '{}'", path_.text(), rules.pattern)));
    } else {
      ++found.passed;
    }
    if (!rules.format.empty() && !matches_format(rules.format, text)) {
      found.errors.push_back(type_invalid(path_.text(), quoted(text),
                                          fmt::format("{} in body must be of type {}: {}",
                                                      path_.text(), rules.format, quoted(text))));
    }
  }

  void check_number(const json::value& value, const SchemaNode& schema, Findings& found) {
    check_range(value, schema, found);
    const auto n = value.to_number<double>();
    const auto& rules = schema.rules;
    const auto refuse = [&](std::string_view what, double bound) {
      found.errors.push_back(invalid(
          path_.text(), show(value),
          fmt::format("{} in body should be {} {}", path_.text(), what, bound_text(bound))));
    };
    if (rules.multiple_of && std::fmod(n, *rules.multiple_of) != 0) {
      refuse("a multiple of", *rules.multiple_of);
    }
    if (rules.minimum) {
      if (rules.exclusive_minimum && n <= *rules.minimum) {
        refuse("greater than", *rules.minimum);
      } else if (n < *rules.minimum) {
        refuse("greater than or equal to", *rules.minimum);
      }
    }
    if (rules.maximum) {
      if (rules.exclusive_maximum && n >= *rules.maximum) {
        refuse("less than", *rules.maximum);
      } else if (n > *rules.maximum) {
        refuse("less than or equal to", *rules.maximum);
      }
    }
    ++found.passed;
  }

  // The real server's check of the range of integers reports without a field.
  void check_range(const json::value& value, const SchemaNode& schema, Findings& found) {
    if (schema.int_or_string || schema.type != SchemaType::Integer) return;
    bool fits = value.is_int64() || (value.is_double() && is_whole(value));
    if (fits && schema.rules.format == "int32") {
      const auto n = value.to_number<double>();
      fits = n >= -2147483648.0 && n <= 2147483647.0;
    }
    if (fits) return;
    const auto type = schema.rules.format.empty()
                          ? std::string("integer (default format)")
                          : fmt::format("integer with format {}", schema.rules.format);
    found.errors.push_back(
        invalid("<nil>", "\"\"",
                fmt::format("Checked value must be of type {} in {}", type, path_.text())));
  }

  void check_array(const json::array& array, const SchemaNode& schema, const json::value* old,
                   Findings& found) {
    if (schema.items) {
      const OldItems old_items(schema, old);
      for (std::size_t i = 0; i < array.size(); ++i) {
        const auto step = path_.item(i);
        found.merge(check(array[i], *schema.items, old_items.find(array[i])));
      }
    }
    const auto& rules = schema.rules;
    const auto size = static_cast<std::int64_t>(array.size());
    if (rules.min_items && size < *rules.min_items) {
      found.errors.push_back(invalid(
          path_.text(), std::to_string(size),
          fmt::format("{} in body should have at least {} items", path_.text(), *rules.min_items)));
    }
    if (rules.max_items && size > *rules.max_items) {
      found.errors.push_back(too_many(path_.text(), size, *rules.max_items));
    }
    if (rules.unique_items) {
      for (auto it = array.begin(); it != array.end(); ++it) {
        if (std::find(array.begin(), it, *it) == it) continue;
        found.errors.push_back(
            invalid(path_.text(), "\"\"", path_.text() + " in body shouldn't contain duplicates"));
        break;
      }
    }
    ++found.passed;
  }

  void check_object(const json::object& object, const SchemaNode& schema, const json::value* old,
                    Findings& found) {
    const auto& rules = schema.rules;
    const auto size = static_cast<std::int64_t>(object.size());
    if (rules.min_properties && size < *rules.min_properties) {
      found.errors.push_back(invalid(path_.text(), std::to_string(size),
                                     fmt::format("{} in body should have at least {} properties",
                                                 path_.text(), *rules.min_properties)));
    }
    if (rules.max_properties && size > *rules.max_properties) {
      found.errors.push_back(too_many(path_.text(), size, *rules.max_properties));
    }
    const auto* old_object = old ? old->if_object() : nullptr;
    for (const auto& [name, member] : object) {
      const auto* child = schema.member(name);
      if (!child) continue;
      const bool is_type_meta = path_.empty() && (name == "kind" || name == "apiVersion");
      const json::value* old_member = nullptr;
      if (old_object && !is_type_meta) old_member = old_object->if_contains(name);
      const auto step = path_.member(name);
      found.merge(check(member, *child, old_member));
    }
    for (const auto& name : rules.required) {
      if (object.contains(name)) {
        ++found.passed;
      } else {
        const auto step = path_.member(name);
        found.errors.push_back(required(path_.text()));
      }
    }
  }

  // Messages about alternatives name no field but quote the path.
  static FieldError about_alternatives(std::string detail) {
    return invalid("<nil>", "\"\"", detail);
  }

  void check_junctors(const json::value& value, const ValueRules& rules, Findings& found) {
    if (!rules.any_of.empty()) check_any_of(value, rules, found);
    if (!rules.one_of.empty()) check_one_of(value, rules, found);
    if (!rules.all_of.empty()) check_all_of(value, rules, found);
    if (rules.negated && check(value, *rules.negated, nullptr).valid()) {
      found.errors.push_back(about_alternatives(
          fmt::format("\"{}\" must not validate the schema (not)", path_.text())));
    }
  }

  void check_any_of(const json::value& value, const ValueRules& rules, Findings& found) {
    std::optional<Findings> best;
    for (const auto& alternative : rules.any_of) {
      auto result = check(value, *alternative, nullptr);
      if (result.valid()) {
        found.passed += result.passed;
        return;
      }
      if (!best || result.passed > best->passed) best = std::move(result);
    }
    found.errors.push_back(about_alternatives(
        fmt::format("\"{}\" must validate at least one schema (anyOf)", path_.text())));
    found.merge(std::move(*best));
  }

  void check_one_of(const json::value& value, const ValueRules& rules, Findings& found) {
    std::optional<Findings> best;
    int valid = 0;
    for (const auto& alternative : rules.one_of) {
      auto result = check(value, *alternative, nullptr);
      if (result.valid()) {
        ++valid;
      } else if (valid == 0 && (!best || result.passed > best->passed)) {
        best = std::move(result);
      }
    }
    if (valid == 1) {
      ++found.passed;
      return;
    }
    const auto detail = valid == 0 ? std::string("Found none valid")
                                   : fmt::format("Found {} valid alternatives", valid);
    found.errors.push_back(about_alternatives(fmt::format(
        "\"{}\" must validate one and only one schema (oneOf). {}", path_.text(), detail)));
    if (valid == 0) found.merge(std::move(*best));
  }

  void check_all_of(const json::value& value, const ValueRules& rules, Findings& found) {
    std::size_t valid = 0;
    for (const auto& part : rules.all_of) {
      auto result = check(value, *part, nullptr);
      valid += result.valid() ? 1 : 0;
      found.merge(std::move(result));
    }
    if (valid == rules.all_of.size()) return;
    found.errors.push_back(
        about_alternatives(fmt::format("\"{}\" must validate all the schemas (allOf){}",
                                       path_.text(), valid == 0 ? ". None validated" : "")));
  }

  SchemaPath path_;
};

// Errors that leave it unclear whether CEL could run at all.
bool blocks_rules(const FieldError& error) {
  switch (error.reason) {
    case FieldReason::NotSupported:
    case FieldReason::Required:
    case FieldReason::TooLong:
    case FieldReason::TooMany:
    case FieldReason::TypeInvalid:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::vector<FieldError> Schema::validate(const json::value& object, const json::value* old) const {
  auto errors = Validator().check(object, *root_, old).errors;
  if (unique_lists_) {
    auto duplicates = find_duplicates(*root_, object);
    if (!duplicates.empty() && (!old || find_duplicates(*root_, *old).empty())) {
      std::ranges::move(duplicates, std::back_inserter(errors));
    }
  }
  if (root_->has_nested_validations) {
    if (std::ranges::any_of(errors, blocks_rules)) {
      errors.push_back(invalid("<nil>", "null",
                               "some validation rules were not checked because the object was "
                               "invalid; correct the existing errors to complete validation"));
    } else {
      std::ranges::move(validate_rules(*root_, object, old), std::back_inserter(errors));
    }
  }
  return errors;
}

}  // namespace troupe::sim
