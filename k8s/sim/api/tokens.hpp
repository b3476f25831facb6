// Who a request is from: the admin's token, and the tokens of service accounts.
//
// Service account tokens are JWTs signed with HMAC-SHA256 by a key of the server's own, so that
// they can be checked without being stored. There is no authorization: who is known may do
// everything.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "k8s/sim/api/options.hpp"
#include "k8s/sim/api/resource_type.hpp"

namespace troupe::sim {

struct Identity {
  std::string user;
  std::string uid;
  std::vector<std::string> groups;
};

json::object to_user_info(const Identity& identity);

struct TokenClaims {
  std::string ns;
  std::string service_account;
  std::string service_account_uid;
  std::vector<std::string> audiences;
  std::int64_t issued = 0;  // seconds since 1970
  std::int64_t expires = 0;
};

class Tokens {
 public:
  Tokens(const ApiServerOptions& options, std::string fallback_key);

  Secret issue(const TokenClaims& claims) const;
  // Who bears this token; nothing for a token that is unknown, forged or expired.
  std::optional<Identity> identify(std::string_view token, WallTime now) const;
  // Who sends a request with this Authorization header.
  std::optional<Identity> authenticate(std::string_view authorization, WallTime now) const;

 private:
  std::string sign(std::string_view text) const;

  Secret admin_;
  Secret key_;
  bool required_;
};

// A token for a service account that exists; no audiences: the API server.
ApiResult<Secret> issue_token(const Core& core, const std::string& ns, const std::string& name,
                              std::vector<std::string> audiences, std::chrono::seconds lifetime,
                              WallTime now);

// serviceaccounts/NAME/token
ApiResult<Response> request_token(SubresourceCall& call);

}  // namespace troupe::sim
