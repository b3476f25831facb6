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

Result<FieldSet> FieldSet::from_fields_v1(const json::value& fields) {
  FieldSet out;
  if (!fields.is_object()) return error(Code::Invalid, "invalid fieldsV1: expected an object");
  for (const auto& member : fields.get_object()) {
    if (member.key() == ".") continue;
    const auto element = PathElement::parse(member.key());
    if (!element) return element.error();
    auto child = from_fields_v1(member.value());
    if (!child) return child.error();
    const auto& object = member.value().get_object();
    if (object.empty() || object.contains(".")) out.members_.insert(*element);
    out.set_child(*element, std::move(*child));
  }
  return out;
}

json::object FieldSet::to_fields_v1() const {
  json::object out;
  for (const auto& member : members_) out.emplace(member.text(), json::object());
  for (const auto& [element, child] : children_) {
    auto nested = child.to_fields_v1();
    if (!members_.contains(element)) {
      out.emplace(element.text(), std::move(nested));
      continue;
    }
    json::object with_self;
    with_self.emplace(".", json::object());
    for (auto& member : nested) with_self.emplace(member.key(), std::move(member.value()));
    out[element.text()] = std::move(with_self);
  }
  return out;
}

bool FieldSet::has(const FieldPath& path) const {
  const FieldSet* at = this;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    at = at->child(path[i]);
    if (!at) return false;
  }
  return !path.empty() && at->has_member(path.back());
}

const FieldSet* FieldSet::child(const PathElement& e) const {
  const auto it = children_.find(e);
  return it == children_.end() ? nullptr : &it->second;
}

void FieldSet::set_child(const PathElement& e, FieldSet set) {
  if (!set.empty()) children_.insert_or_assign(e, std::move(set));
}

void FieldSet::insert(const FieldPath& path) {
  if (!path.empty()) insert_at(path, 0);
}

void FieldSet::insert(PathElement e, bool is_member, FieldSet below) {
  if (is_member) members_.insert(e);
  if (below.empty()) return;
  const auto [at, is_new] = children_.try_emplace(std::move(e), std::move(below));
  if (!is_new) at->second = at->second.united(below);
}

void FieldSet::insert_at(const FieldPath& path, std::size_t depth) {
  if (depth + 1 == path.size()) {
    members_.insert(path[depth]);
  } else {
    children_[path[depth]].insert_at(path, depth + 1);
  }
}

FieldSet FieldSet::united(const FieldSet& other) const {
  FieldSet out = *this;
  out.members_.insert(other.members_.begin(), other.members_.end());
  for (const auto& [element, theirs] : other.children_) {
    const auto* ours = child(element);
    out.set_child(element, ours ? ours->united(theirs) : theirs);
  }
  return out;
}

FieldSet FieldSet::intersected(const FieldSet& other) const {
  FieldSet out;
  std::ranges::set_intersection(members_, other.members_,
                                std::inserter(out.members_, out.members_.end()));
  for (const auto& [element, ours] : children_) {
    if (const auto* theirs = other.child(element)) {
      out.set_child(element, ours.intersected(*theirs));
    }
  }
  return out;
}

FieldSet FieldSet::minus(const FieldSet& other) const {
  FieldSet out;
  std::ranges::set_difference(members_, other.members_,
                              std::inserter(out.members_, out.members_.end()));
  for (const auto& [element, ours] : children_) {
    const auto* theirs = other.child(element);
    out.set_child(element, theirs ? ours.minus(*theirs) : ours);
  }
  return out;
}

FieldSet FieldSet::minus_recursive(const FieldSet& other) const {
  FieldSet out;
  std::ranges::set_difference(members_, other.members_,
                              std::inserter(out.members_, out.members_.end()));
  for (const auto& [element, ours] : children_) {
    if (other.has_member(element)) continue;
    const auto* theirs = other.child(element);
    out.set_child(element, theirs ? ours.minus_recursive(*theirs) : ours);
  }
  return out;
}

FieldSet FieldSet::with_named_fields(const SchemaNode* schema) const {
  FieldSet out;
  out.members_ = members_;
  for (const auto& [element, ours] : children_) {
    const SchemaNode* below = nullptr;
    if (schema && element.is_field()) {
      if (schema->property(element.field_name())) out.members_.insert(element);
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
  for (const auto& member : members_) {
    prefix.push_back(member);
    f(prefix);
    prefix.pop_back();
  }
  for (const auto& [element, below] : children_) {
    prefix.push_back(element);
    below.visit(prefix, f);
    prefix.pop_back();
  }
}

bool operator==(const FieldSet& a, const FieldSet& b) {
  return a.members_ == b.members_ && a.children_ == b.children_;
}

}  // namespace troupe::sim
