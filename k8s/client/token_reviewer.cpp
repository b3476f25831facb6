#include "k8s/client/token_reviewer.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <boost/json.hpp>
#include <utility>

namespace troupe::k8s {
namespace {

namespace json = boost::json;
namespace ondemand = simdjson::ondemand;
using http::Decision;
using Verdict = Decision::Verdict;

constexpr const char* kTokenReviews = "/apis/authentication.k8s.io/v1/tokenreviews";
constexpr const char* kAccessReviews = "/apis/authorization.k8s.io/v1/subjectaccessreviews";

Request post(std::string target, const json::object& body) {
  Request request;
  request.method = Method::Post;
  request.target = std::move(target);
  request.content_type = "application/json";
  request.body = json::serialize(body);
  request.timeout = TokenReviewer::kDeadline;
  return request;
}

Decision unavailable(std::string_view what, std::string_view why) {
  return {Verdict::Unavailable,
          fmt::format("The API server could not be asked for a {}: {}", what, why)};
}

// Why there is no review in the answer; nothing if there is one.
std::optional<Decision> no_review(std::string_view what, const Reply& reply) {
  if (!reply) return unavailable(what, reply.error().error.message);
  if (reply->ok()) return std::nullopt;
  switch (reply->status) {
    case 401:
    case 403:
      return unavailable(what, "the operator may not create it; config/rbac has the rule");
    case 404:
      return unavailable(what, "it does not serve this API");
    default:
      return unavailable(what, fmt::format("HTTP {}", reply->status));
  }
}

// Calls `read` with the review's status; a review without one, or of another shape, is unreadable.
template <class Read>
Decision read_status(std::string_view what, const Response& response, const Read& read) {
  ondemand::parser parser;
  ondemand::document document;
  ondemand::object status;
  const simdjson::padded_string_view body(response.body.data(), response.body.size(),
                                          response.body.size() + kJsonPadding);
  if (parser.iterate(body).get(document) || document["status"].get_object().get(status))
    return unavailable(what, "its answer cannot be read");
  return read(status);
}

bool is_true(ondemand::object& object, std::string_view name) {
  bool value = false;
  return !object.find_field_unordered(name).get_bool().get(value) && value;
}

// A part that goes on as it came; null where there is none.
json::value raw_part(ondemand::object& object, std::string_view name) {
  ondemand::value part;
  std::string_view raw;
  if (object.find_field_unordered(name).get(part) || simdjson::to_json_string(part).get(raw))
    return nullptr;
  boost::system::error_code ec;
  auto parsed = json::parse(raw, ec);
  return ec ? json::value(nullptr) : parsed;
}

// The user of a TokenReview as the subject of a SubjectAccessReview: `username` is `user` there.
json::object subject_of(ondemand::object& status) {
  ondemand::object user;
  if (status.find_field_unordered("user").get_object().get(user)) return {};
  json::object subject;
  for (const auto& [from, to] :
       {std::pair{"username", "user"}, {"uid", "uid"}, {"groups", "groups"}, {"extra", "extra"}})
    if (auto part = raw_part(user, from); !part.is_null()) subject[to] = std::move(part);
  return subject;
}

json::object token_review(const Secret& token) {
  return {{"apiVersion", "authentication.k8s.io/v1"},
          {"kind", "TokenReview"},
          {"spec", {{"token", token.reveal()}}}};
}

json::object access_review(json::object subject, const http::Credentials& wanted) {
  const char* verb = wanted.method == http::Method::Get ? "get" : "post";
  subject["nonResourceAttributes"] = json::object{{"path", wanted.path}, {"verb", verb}};
  return {{"apiVersion", "authorization.k8s.io/v1"},
          {"kind", "SubjectAccessReview"},
          {"spec", std::move(subject)}};
}

Decision access_of(const Reply& reply) {
  constexpr auto kWhat = "SubjectAccessReview";
  if (auto none = no_review(kWhat, reply)) return std::move(*none);
  return read_status(kWhat, *reply, [](ondemand::object& status) -> Decision {
    return {is_true(status, "allowed") ? Verdict::Allowed : Verdict::Forbidden, {}};
  });
}

}  // namespace

void TokenReviewer::review(const http::Credentials& credentials, Done done) {
  auto request = post(kTokenReviews, token_review(credentials.token));
  http::Credentials wanted{{}, credentials.method, credentials.path};
  transport_.call(std::move(request), [&transport = transport_, wanted = std::move(wanted),
                                       done = std::move(done)](const Reply& reply) {
    constexpr auto kWhat = "TokenReview";
    if (auto none = no_review(kWhat, reply)) return done(std::move(*none));
    json::object subject;
    auto known = read_status(kWhat, *reply, [&](ondemand::object& status) -> Decision {
      if (!is_true(status, "authenticated")) return {Verdict::Unauthenticated, {}};
      subject = subject_of(status);
      return {Verdict::Allowed, {}};
    });
    if (known.verdict != Verdict::Allowed) return done(std::move(known));
    transport.call(post(kAccessReviews, access_review(std::move(subject), wanted)),
                   [done](const Reply& access) { done(access_of(access)); });
  });
}

}  // namespace troupe::k8s
