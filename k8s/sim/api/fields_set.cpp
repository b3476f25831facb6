#include "k8s/sim/api/fields_set.hpp"

#include <algorithm>

#include "k8s/sim/api/schema_error.hpp"

namespace troupe::sim {
namespace {

Error malformed(std::string_view text) {
  return error(Code::Invalid, "invalid fieldsV1: cannot read path element " + quoted(text));
}

}  // namespace

PathElement PathElement::field(std::string_view name) {
  return PathElement("f:" + std::string(name));
}

PathElement PathElement::key(Keys keys) {
  std::ranges::sort(keys, {}, &Keys::value_type::first);
  std::string text = "k:";
  for (const auto& [name, value] : keys) {
    text += text.size() == 2 ? '{' : ',';
    text.append(quoted(name)).append(":").append(show(*value));
  }
  return PathElement(text + (keys.empty() ? "{}" : "}"));
}

PathElement PathElement::value(const json::value& v) { return PathElement("v:" + show(v)); }

PathElement PathElement::index(std::size_t i) { return PathElement("i:" + std::to_string(i)); }

Result<PathElement> PathElement::parse(std::string_view text) {
  if (text.size() < 2 || text[1] != ':') return malformed(text);
  const auto rest = text.substr(2);
  boost::system::error_code ec;
  switch (text.front()) {
    case 'f':
      return field(rest);
    case 'v': {
      const auto parsed = json::parse(rest, ec);
      if (ec) return malformed(text);
      return value(parsed);
    }
    case 'k': {
      const auto parsed = json::parse(rest, ec);
      if (ec || !parsed.is_object()) return malformed(text);
      Keys keys;
      for (const auto& member : parsed.get_object())
        keys.emplace_back(member.key(), &member.value());
      return key(std::move(keys));
    }
    case 'i':
      if (rest.empty() || rest.find_first_not_of("0123456789") != rest.npos) return malformed(text);
      return PathElement(std::string(text));
    default:
      return malformed(text);
  }
}

std::string PathElement::display() const {
  const auto rest = std::string_view(text_).substr(2);
  switch (text_.front()) {
    case 'f':
      return "." + std::string(rest);
    case 'v':
      return "[=" + std::string(rest) + "]";
    case 'k': {
      const auto keys = json::parse(rest);
      std::string out = "[";
      for (const auto& member : keys.get_object()) {
        if (out.size() > 1) out += ',';
        out.append(member.key()).append("=").append(show(member.value()));
      }
      return out + "]";
    }
    default:
      return "[" + std::string(rest) + "]";
  }
}

std::string to_string(const FieldPath& path) {
  std::string out;
  for (const auto& element : path) out += element.display();
  return out;
}

bool FieldSet::empty() const {
  return !tree_ || (tree_->members.empty() && tree_->children.empty());
}

FieldSet::Tree& FieldSet::own() {
  if (!tree_)
    tree_ = std::make_shared<Tree>();
  else if (tree_.use_count() > 1)
    tree_ = std::make_shared<Tree>(*tree_);
  return *tree_;
}

Result<FieldSet> FieldSet::from_fields_v1(const json::value& fields) {
  FieldSet out;
  if (!fields.is_object()) return error(Code::Invalid, "invalid fieldsV1: expected an object");
  for (const auto& member : fields.get_object()) {
    if (member.key() == ".") continue;
    auto element = PathElement::parse(member.key());
    if (!element) return element.error();
    auto below = from_fields_v1(member.value());
    if (!below) return below.error();
    const auto& object = member.value().get_object();
    out.insert(std::move(*element), object.empty() || object.contains("."), std::move(*below));
  }
  return out;
}

json::object FieldSet::to_fields_v1() const {
  json::object out;
  encode(out);
  return out;
}

void FieldSet::encode(json::object& into) const {
  if (!tree_) return;
  into.reserve(into.size() + tree_->members.size() + tree_->children.size());
  for (const auto& member : tree_->members) into.emplace(member.text(), json::object());
  for (const auto& [element, below] : tree_->children) {
    auto& nested = into[element.text()].emplace_object();
    if (has_member(element)) nested.emplace(".", json::object());
    below.encode(nested);
  }
}

bool FieldSet::has(const FieldPath& path) const {
  const FieldSet* at = this;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    at = at->child(path[i]);
    if (!at) return false;
  }
  return !path.empty() && at->has_member(path.back());
}

bool FieldSet::has_member(const PathElement& e) const {
  return tree_ && tree_->members.contains(e);
}

const FieldSet* FieldSet::child(const PathElement& e) const {
  if (!tree_) return nullptr;
  const auto it = tree_->children.find(e);
  return it == tree_->children.end() ? nullptr : &it->second;
}

void FieldSet::set_child(const PathElement& e, FieldSet set) {
  const auto* before = child(e);
  if (before ? before->shares(set) : set.empty()) return;
  if (set.empty())
    own().children.erase(e);
  else
    own().children.insert_or_assign(e, std::move(set));
}

void FieldSet::insert(const FieldPath& path) {
  if (!path.empty()) insert_at(path, 0);
}

void FieldSet::insert(PathElement e, bool is_member, FieldSet below) {
  if (below.empty()) {
    if (is_member) own().members.insert(std::move(e));
    return;
  }
  if (is_member) own().members.insert(e);
  const auto [at, is_new] = own().children.try_emplace(std::move(e), below);
  if (!is_new) at->second = at->second.united(below);
}

void FieldSet::insert_at(const FieldPath& path, std::size_t depth) {
  if (depth + 1 == path.size()) {
    own().members.insert(path[depth]);
  } else {
    own().children[path[depth]].insert_at(path, depth + 1);
  }
}

FieldSet FieldSet::united(const FieldSet& other) const {
  if (empty()) return other;
  if (other.empty() || shares(other)) return *this;
  FieldSet out = *this;
  for (const auto& member : other.tree_->members)
    if (!has_member(member)) out.own().members.insert(member);
  for (const auto& [element, theirs] : other.tree_->children) {
    const auto* ours = child(element);
    out.set_child(element, ours ? ours->united(theirs) : theirs);
  }
  return out;
}

FieldSet FieldSet::intersected(const FieldSet& other) const {
  if (shares(other)) return *this;
  FieldSet out;
  if (empty() || other.empty()) return out;
  for (const auto& member : tree_->members)
    if (other.has_member(member)) out.own().members.insert(member);
  for (const auto& [element, ours] : tree_->children)
    if (const auto* theirs = other.child(element))
      out.set_child(element, ours.intersected(*theirs));
  return out;
}

FieldSet FieldSet::minus(const FieldSet& other) const {
  if (empty() || other.empty()) return *this;
  if (shares(other)) return {};
  FieldSet out = *this;
  for (const auto& member : other.tree_->members)
    if (has_member(member)) out.own().members.erase(member);
  for (const auto& [element, theirs] : other.tree_->children)
    if (const auto* ours = child(element)) out.set_child(element, ours->minus(theirs));
  return out;
}

FieldSet FieldSet::minus_recursive(const FieldSet& other) const {
  if (empty() || other.empty()) return *this;
  if (shares(other)) return {};
  FieldSet out = *this;
  for (const auto& member : other.tree_->members) {
    if (has_member(member)) out.own().members.erase(member);
    out.set_child(member, {});
  }
  for (const auto& [element, theirs] : other.tree_->children) {
    const auto* ours = out.child(element);
    if (ours) out.set_child(element, ours->minus_recursive(theirs));
  }
  return out;
}

FieldSet FieldSet::with_named_fields(const SchemaNode* schema) const {
  if (!tree_) return {};
  FieldSet out = *this;
  for (const auto& [element, ours] : tree_->children) {
    const SchemaNode* below = nullptr;
    if (schema && element.is_field()) {
      if (schema->property(element.field_name()) && !has_member(element))
        out.own().members.insert(element);
      below = schema->member(element.field_name());
    } else if (schema) {
      below = schema->items.get();
    }
    out.set_child(element, ours.with_named_fields(below));
  }
  return out;
}

void FieldSet::for_each(const std::function<void(const FieldPath&)>& f) const {
  FieldPath prefix;
  visit(prefix, f);
}

void FieldSet::visit(FieldPath& prefix, const std::function<void(const FieldPath&)>& f) const {
  if (!tree_) return;
  for (const auto& member : tree_->members) {
    prefix.push_back(member);
    f(prefix);
    prefix.pop_back();
  }
  for (const auto& [element, below] : tree_->children) {
    prefix.push_back(element);
    below.visit(prefix, f);
    prefix.pop_back();
  }
}

bool operator==(const FieldSet& a, const FieldSet& b) {
  if (a.shares(b)) return true;
  if (a.empty() || b.empty()) return a.empty() == b.empty();
  return a.tree_->members == b.tree_->members && a.tree_->children == b.tree_->children;
}

}  // namespace troupe::sim
