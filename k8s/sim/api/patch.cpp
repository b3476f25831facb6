#include "k8s/sim/api/patch.hpp"

#include <fmt/format.h>

#include <charconv>

namespace troupe::sim {
namespace {

using Tokens = std::vector<std::string>;

ApiError cannot_apply() {
  return unprocessable("the server rejected our request due to an error in our request");
}

std::optional<Tokens> parse_pointer(std::string_view pointer) {
  Tokens tokens;
  if (pointer.empty()) return tokens;
  if (pointer.front() != '/') return std::nullopt;
  std::string token;
  for (std::size_t i = 1; i <= pointer.size(); ++i) {
    if (i == pointer.size() || pointer[i] == '/') {
      tokens.push_back(std::exchange(token, {}));
    } else if (pointer[i] == '~' && i + 1 < pointer.size()) {
      token += pointer[++i] == '1' ? '/' : '~';
    } else {
      token += pointer[i];
    }
  }
  return tokens;
}

std::optional<std::size_t> parse_index(std::string_view token, std::size_t size) {
  std::size_t index = 0;
  const auto [end, failure] = std::from_chars(token.data(), token.data() + token.size(), index);
  if (failure != std::errc{} || end != token.data() + token.size() || index >= size) {
    return std::nullopt;
  }
  return index;
}

json::value* walk(json::value& root, const Tokens& tokens, std::size_t count) {
  json::value* at = &root;
  for (std::size_t i = 0; i < count; ++i) {
    if (auto* object = at->if_object()) {
      at = object->if_contains(tokens[i]);
    } else if (auto* array = at->if_array()) {
      const auto index = parse_index(tokens[i], array->size());
      at = index ? &(*array)[*index] : nullptr;
    } else {
      at = nullptr;
    }
    if (at == nullptr) return nullptr;
  }
  return at;
}

bool add(json::value& root, const Tokens& path, json::value value) {
  if (path.empty()) {
    root = std::move(value);
    return true;
  }
  auto* parent = walk(root, path, path.size() - 1);
  if (parent == nullptr) return false;
  if (auto* object = parent->if_object()) {
    (*object)[path.back()] = std::move(value);
    return true;
  }
  auto* array = parent->if_array();
  if (array == nullptr) return false;
  if (path.back() == "-") {
    array->push_back(std::move(value));
    return true;
  }
  const auto index = parse_index(path.back(), array->size() + 1);
  if (!index) return false;
  array->insert(array->begin() + static_cast<std::ptrdiff_t>(*index), std::move(value));
  return true;
}

bool remove(json::value& root, const Tokens& path) {
  if (path.empty()) return false;
  auto* parent = walk(root, path, path.size() - 1);
  if (parent == nullptr) return false;
  if (auto* object = parent->if_object()) return object->erase(path.back()) == 1;
  auto* array = parent->if_array();
  if (array == nullptr) return false;
  const auto index = parse_index(path.back(), array->size());
  if (!index) return false;
  array->erase(array->begin() + static_cast<std::ptrdiff_t>(*index));
  return true;
}

bool apply_operation(json::value& root, const json::object& operation) {
  const auto op = string_at(operation, "op");
  const auto path = parse_pointer(string_at(operation, "path"));
  const auto from = parse_pointer(string_at(operation, "from"));
  const auto* value = operation.if_contains("value");
  if (!path || !from) return false;
  auto* target = walk(root, *path, path->size());
  auto* source = walk(root, *from, from->size());
  if (op == "add") return value != nullptr && add(root, *path, *value);
  if (op == "remove") return remove(root, *path);
  if (op == "test") {
    return target == nullptr ? value == nullptr || value->is_null()
                             : value != nullptr && *target == *value;
  }
  if (op == "replace") {
    if (target == nullptr || value == nullptr) return false;
    *target = *value;
    return true;
  }
  if (source == nullptr) return false;
  json::value moved = *source;
  if (op == "copy") return add(root, *path, std::move(moved));
  return op == "move" && remove(root, *from) && add(root, *path, std::move(moved));
}

}  // namespace

void merge_patch(json::value& target, const json::value& patch) {
  if (!patch.is_object()) {
    target = patch;
    return;
  }
  if (!target.is_object()) target.emplace_object();
  auto& object = target.get_object();
  for (const auto& [key, value] : patch.get_object()) {
    if (value.is_null()) {
      object.erase(key);
    } else {
      merge_patch(object[key], value);
    }
  }
}

ApiResult<json::value> json_patch(const json::value& target, const json::value& patch) {
  const auto* operations = patch.if_array();
  if (operations == nullptr) {
    return bad_request("error decoding patch: json: cannot unmarshal into a list of operations");
  }
  if (operations->size() > kMaxJsonPatchOperations) {
    auto error = request_too_large();
    error.message = fmt::format("The allowed maximum operations in a JSON patch is {}, got {}",
                                kMaxJsonPatchOperations, operations->size());
    return error;
  }
  json::value result = target;
  for (const auto& operation : *operations) {
    const auto* object = operation.if_object();
    if (object == nullptr || !apply_operation(result, *object)) return cannot_apply();
  }
  return result;
}

}  // namespace troupe::sim
