#include "k8s/client/discovery.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <utility>

namespace troupe::k8s {
namespace {

namespace od = simdjson::ondemand;

constexpr Duration kTimeout = std::chrono::seconds(10);

Error unreadable(std::string_view what, simdjson::simdjson_error& e) {
  return error(Code::Retry, fmt::format("discovery: expected {}: {}", what, e.what()));
}

simdjson::padded_string_view padded(const std::string& body) {
  return simdjson::padded_string_view(body.data(), body.size(), body.size() + kJsonPadding);
}

std::string text(simdjson::simdjson_result<od::value> value) {
  std::string_view result;
  return value.get_string().get(result) ? std::string() : std::string(result);
}

std::string group_path(std::string_view group) {
  return group.empty() ? "/api" : fmt::format("/apis/{}", group);
}

Error refusal(const std::string& target, const Response& response) {
  const bool denied = response.status == 401 || response.status == 403;
  return error(denied ? Code::Denied : Code::Retry,
               fmt::format("discovery: GET {}: HTTP {}", target, response.status));
}

// Calls `done` with nothing on 404, and with what `parse` makes of a 200.
template <class T, class Parse>
void ask(Transport& transport, std::string target,
         std::function<void(Result<std::optional<T>>)> done, Parse parse) {
  Request request;
  request.target = target;
  request.timeout = kTimeout;
  transport.call(std::move(request), [target = std::move(target), done = std::move(done),
                                      parse = std::move(parse)](Reply reply) {
    if (!reply) return done(reply.error().error);
    if (reply->status == 404) return done(std::optional<T>());
    if (!reply->ok()) return done(refusal(target, *reply));
    done(parse(reply->body));
  });
}

}  // namespace

void Discovery::served(const KindTable& kind, Served done) {
  ask<ServedKind>(transport_, fmt::format("{}/{}", group_path(kind.group), kind.version),
                  std::move(done), [name = std::string(kind.kind)](const std::string& body) {
                    return find_in_resource_list(body, name);
                  });
}

void Discovery::versions(std::string_view group, Versions done) {
  ask<GroupVersions>(transport_, group_path(group), std::move(done),
                     [](const std::string& body) -> Result<std::optional<GroupVersions>> {
                       auto parsed = parse_group(body);
                       if (!parsed) return parsed.error();
                       return std::optional<GroupVersions>(std::move(*parsed));
                     });
}

Result<std::optional<ServedKind>> find_in_resource_list(const std::string& body,
                                                        std::string_view kind) {
  try {
    od::parser parser;
    auto document = parser.iterate(padded(body));
    std::optional<ServedKind> found;
    std::vector<std::string> with_status;
    for (auto resource : document["resources"].get_array()) {
      const auto name = text(resource["name"]);
      if (const auto slash = name.find('/'); slash != std::string::npos) {
        if (name.substr(slash) == "/status") with_status.push_back(name.substr(0, slash));
        continue;
      }
      if (text(resource["kind"]) != kind) continue;
      ServedKind served;
      served.plural = name;
      served.namespaced = resource["namespaced"].get_bool();
      for (auto verb : resource["verbs"].get_array()) {
        served.verbs.emplace_back(std::string_view(verb.get_string()));
      }
      found = std::move(served);
    }
    if (found) {
      for (const auto& each : with_status) found->has_status |= each == found->plural;
    }
    return found;
  } catch (simdjson::simdjson_error& e) {
    return unreadable("an APIResourceList", e);
  }
}

Result<GroupVersions> parse_group(const std::string& body) {
  try {
    od::parser parser;
    auto document = parser.iterate(padded(body));
    GroupVersions result;
    // The core group answers APIVersions (plain texts), the others APIGroup (objects).
    for (auto version : document["versions"].get_array()) {
      std::string_view name;
      if (od::json_type(version.type()) == od::json_type::string) {
        name = version.get_string();
      } else {
        name = version["version"].get_string();
      }
      result.versions.emplace_back(name);
    }
    result.preferred = text(document["preferredVersion"]["version"]);
    if (result.preferred.empty() && !result.versions.empty()) {
      result.preferred = result.versions.front();
    }
    return result;
  } catch (simdjson::simdjson_error& e) {
    return unreadable("an APIGroup", e);
  }
}

}  // namespace troupe::k8s
