#include "k8s/sim/api/schema_error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <stdexcept>

namespace troupe::sim {
namespace {

namespace json = boost::json;

std::string_view label(FieldReason reason) {
  switch (reason) {
    case FieldReason::Required:
      return "Required value";
    case FieldReason::Invalid:
    case FieldReason::TypeInvalid:
      return "Invalid value";
    case FieldReason::NotSupported:
      return "Unsupported value";
    case FieldReason::Duplicate:
      return "Duplicate value";
    case FieldReason::Forbidden:
      return "Forbidden";
    case FieldReason::TooLong:
      return "Too long";
    case FieldReason::TooMany:
      return "Too many";
    case FieldReason::Internal:
      return "Internal error";
  }
  return "Invalid value";
}

FieldError make(FieldReason reason, std::string field, std::string_view value,
                std::string_view detail) {
  std::string message{label(reason)};
  if (!value.empty()) message.append(": ").append(value);
  if (!detail.empty()) message.append(": ").append(detail);
  return {reason, std::move(field), std::move(message)};
}

// Maps in sorted order, as Go marshals them.
void append_json(std::string& out, const json::value& value) {
  if (const auto* object = value.if_object()) {
    std::vector<const json::key_value_pair*> members;
    for (const auto& member : *object) members.push_back(&member);
    std::ranges::sort(members, {}, [](const auto* m) { return std::string_view(m->key()); });
    out += '{';
    for (const auto* member : members) {
      if (out.back() != '{') out += ',';
      out += json::serialize(json::string(member->key()));
      out += ':';
      append_json(out, member->value());
    }
    out += '}';
  } else if (const auto* array = value.if_array()) {
    out += '[';
    for (const auto& item : *array) {
      if (out.back() != '[') out += ',';
      append_json(out, item);
    }
    out += ']';
  } else if (value.is_double()) {
    out += fmt::format("{}", value.get_double());
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

std::string_view cause_reason(FieldReason reason) {
  switch (reason) {
    case FieldReason::Required:
      return "FieldValueRequired";
    case FieldReason::Invalid:
      return "FieldValueInvalid";
    case FieldReason::NotSupported:
      return "FieldValueNotSupported";
    case FieldReason::TypeInvalid:
      return "FieldValueTypeInvalid";
    case FieldReason::Duplicate:
      return "FieldValueDuplicate";
    case FieldReason::Forbidden:
      return "FieldValueForbidden";
    case FieldReason::TooLong:
      return "FieldValueTooLong";
    case FieldReason::TooMany:
      return "FieldValueTooMany";
    case FieldReason::Internal:
      return "InternalError";
  }
  return "FieldValueInvalid";
}

std::string to_string(const FieldError& error) { return error.field + ": " + error.message; }

std::string to_string(const std::vector<FieldError>& errors) {
  // The real server joins distinct lines only.
  std::vector<std::string> lines;
  for (const auto& e : errors) {
    auto line = to_string(e);
    if (std::ranges::find(lines, line) == lines.end()) lines.push_back(std::move(line));
  }
  if (lines.size() == 1) return lines.front();
  return fmt::format("[{}]", fmt::join(lines, ", "));
}

void throw_exception_from_error(const std::vector<FieldError>& errors,
                                const boost::source_location&) {
  throw std::runtime_error(to_string(errors));
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (byte < 0x20 || byte == 0x7f) {
          out += fmt::format("\\x{:02x}", byte);
        } else {
          out += c;
        }
    }
  }
  return out + '"';
}

std::string show(const json::value& value) {
  if (const auto* text = value.if_string()) return quoted(*text);
  std::string out;
  append_json(out, value);
  return out;
}

FieldError required(std::string field, std::string_view detail) {
  return make(FieldReason::Required, std::move(field), {}, detail);
}

FieldError invalid(std::string field, std::string_view value, std::string_view detail) {
  return make(FieldReason::Invalid, std::move(field), value, detail);
}

FieldError type_invalid(std::string field, std::string_view value, std::string_view detail) {
  return make(FieldReason::TypeInvalid, std::move(field), value, detail);
}

FieldError duplicate(std::string field, std::string_view value) {
  return make(FieldReason::Duplicate, std::move(field), value, {});
}

FieldError forbidden(std::string field, std::string_view detail) {
  return make(FieldReason::Forbidden, std::move(field), {}, detail);
}

FieldError not_supported(std::string field, std::string_view value,
                         const std::vector<std::string>& supported) {
  std::vector<std::string> all;
  for (const auto& text : supported) all.push_back(quoted(text));
  return make(FieldReason::NotSupported, std::move(field), value,
              all.empty() ? "" : fmt::format("supported values: {}", fmt::join(all, ", ")));
}

FieldError too_long(std::string field, std::int64_t max_bytes) {
  return make(
      FieldReason::TooLong, std::move(field), {},
      fmt::format("may not be more than {} {}", max_bytes, max_bytes == 1 ? "byte" : "bytes"));
}

FieldError too_many(std::string field, std::int64_t actual, std::int64_t max_items) {
  return make(FieldReason::TooMany, std::move(field), std::to_string(actual),
              fmt::format("must have at most {} {}", max_items, max_items == 1 ? "item" : "items"));
}

}  // namespace troupe::sim
