// Static types of CEL expressions, as the checker sees them.
//
// Object types list the fields that a schema declares; Dyn is checked only when it runs. Types are
// immutable and shared.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::sim::cel {

enum class Kind {
  Dyn,
  Null,
  Bool,
  Int,
  Uint,
  Double,
  String,
  Bytes,
  Timestamp,
  Duration,
  List,      // element
  Map,       // key, element
  Object,    // fields
  Optional,  // element
  Quantity,
  Url,
  TypeOfType,
};

struct Type;
using TypePtr = std::shared_ptr<const Type>;

struct Type {
  Kind kind = Kind::Dyn;
  TypePtr element;
  TypePtr key;
  // Lists of type set and map: order says nothing when two are compared.
  bool unordered = false;
  // A Dyn with a name is a type variable of a function's signature.
  std::string variable;
  std::map<std::string, TypePtr, std::less<>> fields;
};

TypePtr simple(Kind kind);
TypePtr list_of(TypePtr element);
TypePtr map_of(TypePtr key, TypePtr element);
TypePtr optional_of(TypePtr element);

// As compile errors name it: "int", "list(string)", "map(string, dyn)".
std::string to_string(const Type& type);

// Whether a value of `from` may stand where `to` is asked for; Dyn fits everywhere, null where an
// object, a time or a duration does.
bool assignable(const Type& from, const Type& to);

// A property name as a CEL identifier: "my-field" is my__dash__field, "namespace" (a reserved
// word) is __namespace__. Empty when the name cannot be written in CEL at all.
std::string escape_property(std::string_view name);
// The inverse, for identifiers that escape_property() made.
std::string unescape_property(std::string_view identifier);

}  // namespace troupe::sim::cel
