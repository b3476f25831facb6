#include "actors/host/authority_store.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <future>
#include <thread>

#include "actors/model/ensure.hpp"
#include "engines/agent/model/digest.hpp"
#include "k8s/api/core.hpp"
#include "runtime/logging.hpp"

namespace troupe::actors {
namespace {

constexpr int kNotFound = 404;
constexpr int kConflict = 409;
constexpr auto kRetryAfter = std::chrono::seconds(1);
constexpr int kTries = 300;

k8s::Reply call(k8s::Loop& loop, k8s::Transport& transport, k8s::Request request) {
  auto promise = std::make_shared<std::promise<k8s::Reply>>();
  auto answer = promise->get_future();
  loop.post([&transport, request = std::move(request), promise]() mutable {
    transport.call(std::move(request),
                   [promise](k8s::Reply reply) { promise->set_value(std::move(reply)); });
  });
  return answer.get();
}

Result<Authority::Stored> stored_in(const std::string& body) {
  boost::system::error_code ec;
  const auto secret = boost::json::parse(body, ec);
  const auto* data = ec ? nullptr : secret.as_object().if_contains("data");
  Authority::Stored out;
  if (!data || !data->is_object()) return out;
  for (const auto& entry : data->as_object()) {
    auto text = agent::base64_decode(std::string_view(entry.value().as_string()));
    if (!text)
      return error(Code::Invalid, fmt::format("Secret {}: key {} is not base64", kAuthoritySecret,
                                              std::string_view(entry.key())));
    out.emplace_back(entry.key(), std::move(*text));
  }
  return out;
}

std::string body_of(const Authority::Stored& stored, std::string_view ns) {
  auto body = skeleton<k8s::SecretObject>(ns, kAuthoritySecret);
  boost::json::object data;
  for (const auto& [key, text] : stored) data[key] = agent::base64_encode(text);
  body["data"] = std::move(data);
  return boost::json::serialize(body);
}

// True once the authority is loaded and stored; false: try again.
Result<bool> attempt(Authority& authority, k8s::Loop& loop, k8s::Transport& transport,
                     std::string_view ns) {
  const auto& kind = k8s::kKind<k8s::SecretObject>;
  const auto found =
      call(loop, transport,
           {.method = k8s::Method::Get, .target = k8s::resource_path(kind, ns, kAuthoritySecret)});
  if (!found) return false;
  if (found->ok()) {
    auto stored = stored_in(found->body);
    if (!stored) return stored.error();
    if (auto loaded = authority.load(*stored); !loaded) return loaded.error();
    return true;
  }
  if (found->status != kNotFound) return false;
  if (auto made = authority.load({}); !made) return made.error();
  auto to_store = authority.to_store();
  if (!to_store) return to_store.error();
  const auto created = call(loop, transport,
                            {.method = k8s::Method::Post,
                             .target = k8s::resource_path(kind, ns),
                             .content_type = "application/json",
                             .body = body_of(*to_store, ns)});
  if (created && created->ok()) return true;
  if (created && created->status == kNotFound)
    return error(
        Code::NotFound,
        fmt::format("namespace {} does not exist: create it, or name the operator's own by "
                    "--operator-namespace",
                    ns));
  if (created && created->status != kConflict)
    log::warn("the authority's Secret cannot be written", {{"status", created->status}});
  return false;
}

}  // namespace

Result<void> load_authority(Authority& authority, k8s::Loop& loop, k8s::Transport& transport,
                            std::string_view ns) {
  for (int i = 0; i < kTries; ++i) {
    auto done = attempt(authority, loop, transport, ns);
    if (!done) return done.error();
    if (*done) return {};
    if (i == 0) log::warn("waiting for the API server", {{"namespace", std::string(ns)}});
    // At the start only, on the main thread.
    std::promise<void> pause;
    pause.get_future().wait_for(kRetryAfter);
  }
  return error(Code::Timeout, "the API server has not let us read or make the authority's Secret");
}

}  // namespace troupe::actors
