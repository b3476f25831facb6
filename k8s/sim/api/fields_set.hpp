// Sets of field paths, and their wire form fieldsV1.
//
// What structured-merge-diff calls fieldpath.Set: a tree whose edges are path elements; an edge
// may be a member of the set itself ("."), have children, or both. Plain values, whose copies share
// their trees: what an operation does not change costs nothing.
#pragma once

#include <boost/container/flat_map.hpp>
#include <boost/container/flat_set.hpp>
#include <boost/json.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "k8s/sim/api/schema_node.hpp"
#include "runtime/model/result.hpp"

namespace troupe::sim {

// One step of a path, held as its fieldsV1 text, which is canonical: f:name, k:{"name":"x"},
// v:"x", i:3. Equality of elements is equality of texts.
class PathElement {
 public:
  static PathElement field(std::string_view name);
  // Of an item's keys and their values, in any order.
  using Keys = std::vector<std::pair<std::string_view, const json::value*>>;
  static PathElement key(Keys keys);
  static PathElement value(const json::value& v);
  static PathElement index(std::size_t i);
  static Result<PathElement> parse(std::string_view text);

  const std::string& text() const { return text_; }
  bool is_field() const { return text_.front() == 'f'; }
  std::string_view field_name() const { return std::string_view(text_).substr(2); }
  // ".name", "[name=\"x\"]", "[=\"x\"]", "[3]": as conflict messages show it.
  std::string display() const;

  friend auto operator<=>(const PathElement&, const PathElement&) = default;

 private:
  explicit PathElement(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

using FieldPath = std::vector<PathElement>;
std::string to_string(const FieldPath& path);

class FieldSet {
 public:
  FieldSet() = default;

  static Result<FieldSet> from_fields_v1(const json::value& fields);
  json::object to_fields_v1() const;

  bool empty() const;
  bool has(const FieldPath& path) const;
  bool has_member(const PathElement& e) const;
  // Null when nothing of the set lies below the element.
  const FieldSet* child(const PathElement& e) const;

  void insert(const FieldPath& path);
  // The element itself, if it is a member, and what lies below it.
  void insert(PathElement e, bool is_member, FieldSet below);
  FieldSet united(const FieldSet& other) const;
  FieldSet intersected(const FieldSet& other) const;
  FieldSet minus(const FieldSet& other) const;
  // minus(), and everything below a member of `other` goes too.
  FieldSet minus_recursive(const FieldSet& other) const;
  // Adds, for each child that is a declared field of its schema, the field itself.
  FieldSet with_named_fields(const SchemaNode* schema) const;

  void for_each(const std::function<void(const FieldPath&)>& visit) const;

  friend bool operator==(const FieldSet&, const FieldSet&);
  // Whether one is a copy of the other that nothing has changed.
  bool shares(const FieldSet& other) const { return tree_ == other.tree_; }

 private:
  struct Tree;
  Tree& own();
  void encode(json::object& into) const;
  void insert_at(const FieldPath& path, std::size_t depth);
  void visit(FieldPath& prefix, const std::function<void(const FieldPath&)>& f) const;
  void set_child(const PathElement& e, FieldSet set);

  std::shared_ptr<Tree> tree_;  // null: empty; changed only while no other set has it
};

// Sorted and in one piece: they are made for every write, most often in order, and walked.
struct FieldSet::Tree {
  boost::container::flat_set<PathElement> members;
  boost::container::flat_map<PathElement, FieldSet> children;  // never holds an empty set
};

}  // namespace troupe::sim
