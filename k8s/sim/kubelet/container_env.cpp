#include "k8s/sim/kubelet/container_env.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cctype>

#include "k8s/sim/controllers/amounts.hpp"
#include "k8s/sim/controllers/json_access.hpp"

namespace troupe::sim {
namespace {

namespace json = boost::json;

constexpr std::string_view kConfigMaps = "configmaps";
constexpr std::string_view kSecrets = "secrets";

Result<std::string> decode_base64(std::string_view encoded) {
  std::string decoded(encoded.size() / 4 * 3, '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(decoded.data()),
                                     reinterpret_cast<const unsigned char*>(encoded.data()),
                                     static_cast<int>(encoded.size()));
  if (length < 0) return error(Code::Invalid, "data of a Secret is not base64");
  const auto padding =
      std::count(encoded.end() - std::min<std::ptrdiff_t>(2, encoded.size()), encoded.end(), '=');
  decoded.resize(static_cast<std::size_t>(length - padding));
  return decoded;
}

// The bytes behind `key`, or NotFound.
Result<std::string> value_of_key(std::string_view resource, const json::value& object,
                                 std::string_view key) {
  if (const json::value* plain = find(object, {"data", key})) {
    if (resource == kConfigMaps) return scalar_text(*plain);
    return decode_base64(text(object, {"data", key}));
  }
  if (find(object, {"binaryData", key}) != nullptr) {
    return decode_base64(text(object, {"binaryData", key}));
  }
  return error(Code::NotFound, fmt::format("couldn't find key {} in {} {}/{}", key,
                                           resource == kConfigMaps ? "ConfigMap" : "Secret",
                                           namespace_of(object), name_of(object)));
}

Error no_object(std::string_view resource, std::string_view name) {
  return error(Code::NotFound, fmt::format("{} \"{}\" not found",
                                           resource == kConfigMaps ? "configmap" : "secret", name));
}

// `metadata.labels['x']` and `metadata.annotations['x']`: the name in the brackets.
std::optional<std::string_view> subscript(std::string_view path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return std::nullopt;
  path.remove_prefix(prefix.size());
  if (path.size() < 4 || !path.starts_with("['") || !path.ends_with("']")) return std::nullopt;
  return path.substr(2, path.size() - 4);
}

// All labels or annotations, as the downward API writes them: key="value" lines.
std::string lines_of(const json::object& map) {
  std::vector<std::string> lines;
  for (const auto& [key, value] : map) {
    lines.push_back(fmt::format("{}={}", std::string_view(key), json::serialize(value)));
  }
  std::sort(lines.begin(), lines.end());
  return fmt::format("{}", fmt::join(lines, "\n"));
}

Result<std::string> field_value(const PodFacts& facts, std::string_view path) {
  const json::value& pod = *facts.pod;
  if (const auto label = subscript(path, "metadata.labels")) {
    return std::string(text(pod, {"metadata", "labels", *label}));
  }
  if (const auto annotation = subscript(path, "metadata.annotations")) {
    return std::string(text(pod, {"metadata", "annotations", *annotation}));
  }
  if (path == "metadata.name") return std::string(name_of(pod));
  if (path == "metadata.namespace") return std::string(namespace_of(pod));
  if (path == "metadata.uid") return std::string(uid_of(pod));
  if (path == "metadata.labels") return lines_of(fields(pod, {"metadata", "labels"}));
  if (path == "metadata.annotations") return lines_of(fields(pod, {"metadata", "annotations"}));
  if (path == "spec.nodeName") return std::string(text(pod, {"spec", "nodeName"}));
  if (path == "spec.serviceAccountName") {
    return std::string(text(pod, {"spec", "serviceAccountName"}, "default"));
  }
  if (path == "status.podIP" || path == "status.podIPs") return facts.pod_ip;
  if (path == "status.hostIP" || path == "status.hostIPs") return facts.host_ip;
  return error(Code::Invalid, fmt::format("fieldPath \"{}\" is not supported", path));
}

// resourceFieldRef: an amount in units of `divisor`, rounded up.
Result<std::string> resource_value(const PodFacts& facts, const json::value& ref,
                                   const json::value* own_container) {
  const std::string_view named = text(ref, {"containerName"});
  const json::value* container = own_container;
  if (!named.empty()) container = find_named(items(*facts.pod, {"spec", "containers"}), named);
  if (container == nullptr) {
    return error(Code::Invalid, fmt::format("container {} of a resourceFieldRef not found", named));
  }
  const std::string_view path = text(ref, {"resource"});
  const auto dot = path.find('.');
  if (dot == path.npos) {
    return error(Code::Invalid, fmt::format("resource \"{}\" is not supported", path));
  }
  const std::int64_t amount =
      milli_amount(find(*container, {"resources", path.substr(0, dot), path.substr(dot + 1)}));
  std::int64_t divisor = milli_amount(find(ref, {"divisor"}));
  if (divisor == 0) divisor = 1000;
  return std::to_string(amount / divisor + (amount % divisor > 0 ? 1 : 0));
}

Result<std::optional<std::string>> key_ref(const PodFacts& facts, std::string_view resource,
                                           const json::value& ref) {
  const bool optional = flag(ref, {"optional"});
  const json::value* object = facts.lookup(resource, text(ref, {"name"}));
  if (object == nullptr) {
    if (optional) return std::optional<std::string>();
    return no_object(resource, text(ref, {"name"}));
  }
  auto value = value_of_key(resource, *object, text(ref, {"key"}));
  if (value) return std::optional<std::string>(std::move(*value));
  if (optional && value.error().code == Code::NotFound) return std::optional<std::string>();
  return value.error();
}

Result<std::optional<std::string>> referenced_value(const PodFacts& facts, const json::value& from,
                                                    const json::value& container) {
  if (const json::value* ref = find(from, {"configMapKeyRef"})) {
    return key_ref(facts, kConfigMaps, *ref);
  }
  if (const json::value* ref = find(from, {"secretKeyRef"})) return key_ref(facts, kSecrets, *ref);
  Result<std::string> value = error(Code::Invalid, "valueFrom names no known source");
  if (const json::value* ref = find(from, {"fieldRef"})) {
    value = field_value(facts, text(*ref, {"fieldPath"}));
  } else if (const json::value* resource = find(from, {"resourceFieldRef"})) {
    value = resource_value(facts, *resource, &container);
  }
  if (!value) return value.error();
  return std::optional<std::string>(std::move(*value));
}

Result<void> add_env_from(Environment& environment, const PodFacts& facts,
                          const json::value& source) {
  const bool secret = find(source, {"secretRef"}) != nullptr;
  const std::string_view resource = secret ? kSecrets : kConfigMaps;
  const json::value* ref = find(source, {secret ? "secretRef" : "configMapRef"});
  if (ref == nullptr) return {};
  const json::value* object = facts.lookup(resource, text(*ref, {"name"}));
  if (object == nullptr) {
    if (flag(*ref, {"optional"})) return {};
    return no_object(resource, text(*ref, {"name"}));
  }
  for (const auto& [key, unused] : fields(*object, {"data"})) {
    auto value = value_of_key(resource, *object, key);
    if (!value) return value.error();
    environment.set(std::string(text(source, {"prefix"})) + std::string(key), std::move(*value));
  }
  return {};
}

int mode_of(const json::value& holder, std::string_view member, int fallback) {
  return static_cast<int>(number(holder, {member}, fallback));
}

// configMap and secret sources: all keys, or those listed under `items`.
Result<void> add_keys(VolumeFiles& files, const PodFacts& facts, std::string_view resource,
                      std::string_view name, const json::value& source, int default_mode) {
  const bool optional = flag(source, {"optional"});
  const json::value* object = facts.lookup(resource, name);
  if (object == nullptr) {
    if (optional) return {};
    return no_object(resource, name);
  }
  const json::array& listed = items(source, {"items"});
  for (const json::value& item : listed) {
    auto value = value_of_key(resource, *object, text(item, {"key"}));
    if (!value && optional && value.error().code == Code::NotFound) continue;
    if (!value) return value.error();
    files[std::string(text(item, {"path"}))] = {std::move(*value),
                                                mode_of(item, "mode", default_mode)};
  }
  if (!listed.empty()) return {};
  for (const std::string_view member : {"data", "binaryData"}) {
    for (const auto& [key, unused] : fields(*object, {member})) {
      auto value = value_of_key(resource, *object, key);
      if (!value) return value.error();
      files[std::string(key)] = {std::move(*value), default_mode};
    }
  }
  return {};
}

Result<void> add_downward(VolumeFiles& files, const PodFacts& facts, const json::value& source,
                          int default_mode) {
  for (const json::value& item : items(source, {"items"})) {
    Result<std::string> value = error(Code::Invalid, "downwardAPI item without a source");
    if (const json::value* ref = find(item, {"fieldRef"})) {
      value = field_value(facts, text(*ref, {"fieldPath"}));
    } else if (const json::value* resource = find(item, {"resourceFieldRef"})) {
      value = resource_value(facts, *resource, nullptr);
    }
    if (!value) return value.error();
    files[std::string(text(item, {"path"}))] = {std::move(*value),
                                                mode_of(item, "mode", default_mode)};
  }
  return {};
}

Result<void> add_token(VolumeFiles& files, const PodFacts& facts, const json::value& source) {
  if (!facts.token) return error(Code::Invalid, "service account tokens are not available");
  auto token = facts.token(
      {std::string(text(source, {"audience"})), number(source, {"expirationSeconds"}, 3607)});
  if (!token) return token.error();
  files[std::string(text(source, {"path"}))] = {std::move(*token), 0644};
  return {};
}

Result<void> add_projected(VolumeFiles& files, const PodFacts& facts,
                           const json::value& projected) {
  const int mode = mode_of(projected, "defaultMode", 0644);
  for (const json::value& source : items(projected, {"sources"})) {
    Result<void> added;
    if (const json::value* map = find(source, {"configMap"})) {
      added = add_keys(files, facts, kConfigMaps, text(*map, {"name"}), *map, mode);
    } else if (const json::value* secret = find(source, {"secret"})) {
      added = add_keys(files, facts, kSecrets, text(*secret, {"name"}), *secret, mode);
    } else if (const json::value* downward = find(source, {"downwardAPI"})) {
      added = add_downward(files, facts, *downward, mode);
    } else if (const json::value* token = find(source, {"serviceAccountToken"})) {
      added = add_token(files, facts, *token);
    }
    if (!added) return added;
  }
  return {};
}

}  // namespace

void Environment::set(std::string name, std::string value) {
  for (auto& [known, current] : entries_) {
    if (known != name) continue;
    current = std::move(value);
    return;
  }
  entries_.emplace_back(std::move(name), std::move(value));
}

const std::string* Environment::find(std::string_view name) const {
  for (const auto& [known, value] : entries_) {
    if (known == name) return &value;
  }
  return nullptr;
}

std::string expand_variables(std::string_view text, const Environment& environment) {
  std::string expanded;
  while (!text.empty()) {
    const auto dollar = text.find('$');
    expanded.append(text.substr(0, dollar));
    if (dollar == text.npos) break;
    text.remove_prefix(dollar);
    const auto close = text.starts_with("$(") ? text.find(')') : text.npos;
    if (text.starts_with("$$")) {
      expanded.push_back('$');
      text.remove_prefix(2);
    } else if (close != text.npos) {
      const std::string* value = environment.find(text.substr(2, close - 2));
      expanded.append(value == nullptr ? text.substr(0, close + 1) : std::string_view(*value));
      text.remove_prefix(close + 1);
    } else {
      expanded.push_back('$');
      text.remove_prefix(1);
    }
  }
  return expanded;
}

Result<void> add_container_environment(Environment& environment, const PodFacts& facts,
                                       const json::value& container) {
  for (const json::value& source : items(container, {"envFrom"})) {
    if (auto added = add_env_from(environment, facts, source); !added) return added;
  }
  for (const json::value& variable : items(container, {"env"})) {
    const std::string name(text(variable, {"name"}));
    const json::value* from = find(variable, {"valueFrom"});
    if (from == nullptr) {
      environment.set(name, expand_variables(text(variable, {"value"}), environment));
      continue;
    }
    auto value = referenced_value(facts, *from, container);
    if (!value) return value.error();
    if (*value) environment.set(name, std::move(**value));
  }
  return {};
}

void add_service_environment(Environment& environment, const json::value& service) {
  const std::string_view address = text(service, {"spec", "clusterIP"});
  const json::array& ports = items(service, {"spec", "ports"});
  if (address.empty() || address == "None" || ports.empty()) return;
  std::string name(name_of(service));
  for (char& c : name) {
    c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  environment.set(name + "_SERVICE_HOST", std::string(address));
  environment.set(name + "_SERVICE_PORT", std::to_string(number(ports[0], {"port"})));
}

bool is_file_volume(const json::value& volume) {
  for (const std::string_view kind : {"configMap", "secret", "downwardAPI", "projected"}) {
    if (find(volume, {kind}) != nullptr) return true;
  }
  return false;
}

Result<VolumeFiles> volume_files(const PodFacts& facts, const json::value& volume) {
  VolumeFiles files;
  Result<void> added;
  if (const json::value* map = find(volume, {"configMap"})) {
    added = add_keys(files, facts, kConfigMaps, text(*map, {"name"}), *map,
                     mode_of(*map, "defaultMode", 0644));
  } else if (const json::value* secret = find(volume, {"secret"})) {
    added = add_keys(files, facts, kSecrets, text(*secret, {"secretName"}), *secret,
                     mode_of(*secret, "defaultMode", 0644));
  } else if (const json::value* downward = find(volume, {"downwardAPI"})) {
    added = add_downward(files, facts, *downward, mode_of(*downward, "defaultMode", 0644));
  } else if (const json::value* projected = find(volume, {"projected"})) {
    added = add_projected(files, facts, *projected);
  }
  if (!added) return added.error();
  return files;
}

std::vector<std::pair<std::string, std::string>> objects_of_volume(const json::value& volume) {
  std::vector<std::pair<std::string, std::string>> objects;
  const auto add = [&](std::string_view resource, const json::value& holder, JsonPath path) {
    const std::string_view name = text(holder, path);
    if (!name.empty()) objects.emplace_back(resource, name);
  };
  add(kConfigMaps, volume, {"configMap", "name"});
  add(kSecrets, volume, {"secret", "secretName"});
  for (const json::value& source : items(volume, {"projected", "sources"})) {
    add(kConfigMaps, source, {"configMap", "name"});
    add(kSecrets, source, {"secret", "name"});
  }
  return objects;
}

}  // namespace troupe::sim
