// Asks the API server whose a bearer token is (authentication.k8s.io/v1 TokenReview) and whether
// that user may use a path of the operator's own endpoint (authorization.k8s.io/v1
// SubjectAccessReview with nonResourceAttributes), as kube-rbac-proxy does.
//
// On the loop. Remembers nothing: http::Verdicts does. Both requests have a deadline. What keeps
// the API server from being asked is Verdict::Unavailable with what to do; no text holds the token.
#pragma once

#include <functional>

#include "k8s/client/transport.hpp"
#include "runtime/http_access.hpp"

namespace troupe::k8s {

class TokenReviewer {
 public:
  using Done = std::function<void(http::Decision)>;

  static constexpr Duration kDeadline = std::chrono::seconds(4);  // of each of the two requests

  // The transport outlives what is asked through it.
  explicit TokenReviewer(Transport& transport) : transport_(transport) {}

  void review(const http::Credentials& credentials, Done done);

 private:
  Transport& transport_;
};

}  // namespace troupe::k8s
