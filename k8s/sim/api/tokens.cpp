#include "k8s/sim/api/tokens.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "k8s/sim/api/base64.hpp"
#include "k8s/sim/api/core.hpp"
#include "k8s/sim/api/subresources.hpp"

namespace troupe::sim {
namespace {

constexpr std::int64_t kDefaultTokenSeconds = 3600;
constexpr std::int64_t kMinTokenSeconds = 600;
constexpr std::string_view kIssuer = "https://kubernetes.default.svc.cluster.local";
constexpr std::string_view kJwtHeader = R"({"alg":"HS256","typ":"JWT"})";

std::int64_t seconds_of(WallTime t) {
  return std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count();
}

bool equal_secrets(std::string_view left, std::string_view right) {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

Identity admin() { return {"kubernetes-admin", "", {"system:masters", "system:authenticated"}}; }

json::object claims_json(const TokenClaims& claims) {
  json::array audiences(claims.audiences.begin(), claims.audiences.end());
  return {{"iss", kIssuer},
          {"sub", fmt::format("system:serviceaccount:{}:{}", claims.ns, claims.service_account)},
          {"aud", std::move(audiences)},
          {"iat", claims.issued},
          {"nbf", claims.issued},
          {"exp", claims.expires},
          {"kubernetes.io",
           {{"namespace", claims.ns},
            {"serviceaccount",
             {{"name", claims.service_account}, {"uid", claims.service_account_uid}}}}}};
}

}  // namespace

json::object to_user_info(const Identity& identity) {
  json::object info{{"username", identity.user}};
  if (!identity.uid.empty()) info["uid"] = identity.uid;
  info["groups"] = json::array(identity.groups.begin(), identity.groups.end());
  return info;
}

Tokens::Tokens(const ApiServerOptions& options, std::string fallback_key)
    : admin_(options.admin_token),
      key_(options.token_key.empty() ? Secret(std::move(fallback_key)) : options.token_key),
      required_(options.require_token) {}

std::string Tokens::sign(std::string_view text) const {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  const auto key = key_.reveal();
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &length);
  return base64_url_encode({reinterpret_cast<const char*>(digest), length});
}

Secret Tokens::issue(const TokenClaims& claims) const {
  const auto text =
      base64_url_encode(kJwtHeader) + "." + base64_url_encode(json::serialize(claims_json(claims)));
  return Secret(text + "." + sign(text));
}

std::optional<Identity> Tokens::identify(std::string_view token, WallTime now) const {
  if (!admin_.empty() && equal_secrets(token, admin_.reveal())) return admin();
  const auto last = token.rfind('.');
  const auto first = token.find('.');
  if (last == std::string_view::npos || first == last) return std::nullopt;
  if (!equal_secrets(token.substr(last + 1), sign(token.substr(0, last)))) return std::nullopt;
  const auto payload = base64_url_decode(token.substr(first + 1, last - first - 1));
  if (!payload) return std::nullopt;
  boost::system::error_code failed;
  const auto claims = json::parse(*payload, failed);
  if (failed || int_at(claims, "exp").value_or(0) <= seconds_of(now)) return std::nullopt;
  const auto* bound = claims.get_object().if_contains("kubernetes.io");
  const auto* about = bound == nullptr ? nullptr : bound->if_object();
  if (about == nullptr) return std::nullopt;
  const auto ns = std::string(string_at(*about, "namespace"));
  return Identity{
      std::string(string_at(claims, "sub")),
      std::string(string_at(*about, "serviceaccount.uid")),
      {"system:serviceaccounts", "system:serviceaccounts:" + ns, "system:authenticated"}};
}

std::optional<Identity> Tokens::authenticate(std::string_view authorization, WallTime now) const {
  constexpr std::string_view kScheme = "Bearer ";
  if (authorization.starts_with(kScheme)) {
    auto identity = identify(authorization.substr(kScheme.size()), now);
    if (identity || required_) return identity;
  }
  if (required_) return std::nullopt;
  return admin();
}

ApiResult<Secret> issue_token(const Core& core, const std::string& ns, const std::string& name,
                              std::vector<std::string> audiences, std::chrono::seconds lifetime,
                              WallTime now) {
  const auto account = core.find("serviceaccounts", ns, name);
  if (account == nullptr) return not_found({"", "serviceaccounts"}, name);
  if (audiences.empty()) audiences.emplace_back(kIssuer);
  return core.tokens->issue({.ns = ns,
                             .service_account = name,
                             .service_account_uid = std::string(uid_of(account->object())),
                             .audiences = std::move(audiences),
                             .issued = seconds_of(now),
                             .expires = seconds_of(now) + lifetime.count()});
}

ApiResult<Response> request_token(SubresourceCall& call) {
  const auto* body = call.body.if_object();
  if (body == nullptr) return bad_request("the body of the request is not an object");
  const auto seconds = int_at(*body, "spec.expirationSeconds").value_or(kDefaultTokenSeconds);
  if (seconds < kMinTokenSeconds) {
    return invalid_object("authentication.k8s.io", "TokenRequest", "",
                          {invalid("spec.expirationSeconds", std::to_string(seconds),
                                   "may not specify a duration less than 10 minutes")});
  }
  std::vector<std::string> audiences;
  if (const auto* wanted = array_at(*body, "spec.audiences")) {
    for (const auto& audience : *wanted) {
      if (audience.is_string()) audiences.emplace_back(audience.get_string());
    }
  }
  const std::chrono::seconds lifetime(seconds);
  const auto token =
      issue_token(call.core, call.info.ns, call.info.name, audiences, lifetime, call.write.now);
  if (!token) return token.error();
  json::object answer{{"kind", "TokenRequest"}, {"apiVersion", "authentication.k8s.io/v1"}};
  answer["metadata"] = json::object{{"name", call.info.name}, {"namespace", call.info.ns}};
  answer["spec"] = json::object{{"audiences", json::array(audiences.begin(), audiences.end())},
                                {"expirationSeconds", seconds}};
  answer["status"] = json::object{{"token", token->reveal()},
                                  {"expirationTimestamp", to_rfc3339(call.write.now + lifetime)}};
  return json_response(201, json::value(std::move(answer)));
}

}  // namespace troupe::sim
