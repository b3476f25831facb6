#include "actors/model/ensure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "actors/model/json.hpp"

namespace troupe::actors {

boost::json::object owner_reference(std::string_view api_version, std::string_view kind,
                                    std::string_view name, std::string_view uid) {
  return {{"apiVersion", api_version},
          {"kind", kind},
          {"name", name},
          {"uid", uid},
          {"controller", true},
          {"blockOwnerDeletion", true}};
}

boost::json::object to_json(const k8s::TextMap& map) {
  boost::json::object out;
  for (const auto& [key, value] : map) out[key.view()] = value.view();
  return out;
}

std::string applied_annotation(std::string_view manager) {
  return fmt::format("troupe.dev/applied-by-{}", manager);
}

namespace {

// FNV-1a, the same in every build, of the text that boost::json::serialize() makes of a value; the
// text itself, which is most of the price, is not made.
class TextHash {
 public:
  std::string hex() const { return fmt::format("{:016x}", hash_); }

  void add(const boost::json::value& v) {
    if (const auto* object = v.if_object())
      add(*object);
    else if (const auto* array = v.if_array())
      add(*array);
    else if (const auto* text = v.if_string())
      add_text(*text);
    else if (const auto* flag = v.if_bool())
      add_bytes(*flag ? "true" : "false");
    else if (const auto* number = v.if_int64())
      add_bytes(fmt::format_int(*number).str());
    else
      add_bytes(boost::json::serialize(v));
  }

  void add(const boost::json::object& object) {
    char before = '{';
    for (const auto& [key, value] : object) {
      add_byte(std::exchange(before, ','));
      add_text(key);
      add_byte(':');
      add(value);
    }
    add_bytes(object.empty() ? "{}" : "}");
  }

 private:
  void add_byte(char c) { hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 1099511628211ULL; }
  void add_bytes(std::string_view bytes) {
    for (const char c : bytes) add_byte(c);
  }

  void add(const boost::json::array& array) {
    char before = '[';
    for (const auto& item : array) {
      add_byte(std::exchange(before, ','));
      add(item);
    }
    add_bytes(array.empty() ? "[]" : "]");
  }

  void add_text(std::string_view text) {
    add_byte('"');
    for (const char c : text) {
      if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\')
        add_byte(c);
      else
        add_escaped(c);
    }
    add_byte('"');
  }

  void add_escaped(char c) {
    const auto quoted = boost::json::serialize(boost::json::string_view(&c, 1));
    add_bytes(std::string_view(quoted).substr(1, quoted.size() - 2));
  }

  std::uint64_t hash_ = 14695981039346656037ULL;
};

}  // namespace

std::string applied_hash(const boost::json::object& body) {
  TextHash hash;
  hash.add(body);
  return hash.hex();
}

namespace {

bool holds(const k8s::TextMap& live, const boost::json::value* wanted) {
  if (!wanted || !wanted->is_object()) return true;
  const auto& all = wanted->as_object();
  return std::all_of(all.begin(), all.end(), [&live](const auto& pair) {
    return pair.value().is_string() && live.get(pair.key()) == pair.value().as_string();
  });
}

// Labels and annotations are what people remove by hand, and what others select by.
bool has_lost_labels(const boost::json::object& body, const k8s::ObjectMeta& live) {
  const auto* metadata = body.if_contains("metadata");
  if (!metadata || !metadata->is_object()) return false;
  return !holds(live.labels, metadata->as_object().if_contains("labels")) ||
         !holds(live.annotations, metadata->as_object().if_contains("annotations"));
}

}  // namespace

void ensure(Decision& decision, std::string_view kind, const ObjectRef& object,
            std::string_view manager, boost::json::object body, const k8s::ObjectMeta* live,
            bool drifted) {
  const auto annotation = applied_annotation(manager);
  const auto hash = applied_hash(body);
  if (live && !drifted && live->annotations.get(annotation) == hash &&
      !has_lost_labels(body, *live))
    return;
  object_at(object_at(body, "metadata"), "annotations")[annotation] = hash;
  decision.add(apply_key(kind, object, manager),
               Apply{object, std::string(manager), boost::json::serialize(body)});
}

void patch_as_seen(Decision& decision, std::string key, const ObjectRef& object,
                   const k8s::ObjectMeta& live, boost::json::object patch) {
  object_at(patch, "metadata")["resourceVersion"] = std::to_string(live.resourceVersion.value);
  decision.add(std::move(key),
               MergePatch{object, boost::json::serialize(patch), live.resourceVersion});
}

void set_finalizer(Decision& decision, const ObjectRef& object, const k8s::ObjectMeta& live,
                   std::string_view finalizer, bool present) {
  boost::json::array wanted;
  for (const auto& f : live.finalizers)
    if (f != finalizer) wanted.emplace_back(f.view());
  if (present) wanted.emplace_back(finalizer);
  patch_as_seen(decision, present ? "add finalizer" : "remove finalizer", object, live,
                {{"metadata", {{"finalizers", std::move(wanted)}}}});
}

}  // namespace troupe::actors
