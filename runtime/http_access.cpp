#include "runtime/http_access.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace troupe::http {
namespace {

namespace ip = boost::asio::ip;

constexpr std::string_view kHowToGetIn =
    "Reach this page through `kubectl port-forward`, or send `Authorization: Bearer TOKEN` with a "
    "token of a user who may get the nonResourceURLs /console/* and /api/*.";

std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find(':'));
}

bool names_this_machine(std::string_view host) {
  const auto name = without_port(host);
  return name == "localhost" || name == "127.0.0.1" || name == "::1";
}

bool origin_is_this_host(const Origin& o) {
  if (o.origin.empty()) return true;  // not a browser, or a link that was followed
  const auto url = boost::urls::parse_uri(o.origin);
  return url && std::string_view(url->encoded_host_and_port()) == o.host;
}

// A link to the console on somebody's page is a GET from another site without Origin, and welcome.
bool from_own_page(const Origin& o, Method method) {
  if (!origin_is_this_host(o)) return false;
  return method == Method::Get || o.fetch_site.empty() || o.fetch_site == "same-origin" ||
         o.fetch_site == "none";
}

// "Bearer TOKEN", the scheme in any case (RFC 9110, section 11.1); empty: there is no token.
std::string_view bearer_token(std::string_view authorization) {
  constexpr std::string_view kBearer = "bearer ";
  if (!boost::beast::iequals(authorization.substr(0, kBearer.size()), kBearer)) return {};
  authorization.remove_prefix(kBearer.size());
  const auto first = authorization.find_first_not_of(' ');
  return first == std::string_view::npos ? std::string_view() : authorization.substr(first);
}

Response challenge(std::string_view message) {
  auto response = failure(401, message);
  response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"troupe\"");
  return response;
}

Admission refused(unsigned status, std::string message) {
  return {Admission::Kind::Refused, {}, status, std::move(message)};
}

}  // namespace

bool is_trusted_loopback(std::string_view address) {
  boost::system::error_code ec;
  auto parsed = ip::make_address(std::string(address), ec);
  if (ec) return false;
  if (parsed.is_v6() && parsed.to_v6().is_v4_mapped())
    parsed = ip::make_address_v4(ip::v4_mapped, parsed.to_v6());
  return parsed == ip::address_v4::loopback() || parsed == ip::address_v6::loopback();
}

Admission admit(const Origin& o, Method method) {
  if (const auto token = bearer_token(o.authorization); !token.empty())
    return {Admission::Kind::AskAuthorizer, Secret(std::string(token)), 0, {}};
  const bool local =
      is_trusted_loopback(o.peer) && names_this_machine(o.host) && o.forwarded.empty();
  if (!local)
    return refused(401, "Expected a bearer token, found none. " + std::string(kHowToGetIn));
  if (!from_own_page(o, method))
    return refused(403,
                   "Expected a request from the console's own page, found one from another "
                   "site. Open /console/ here and repeat it there.");
  return {Admission::Kind::Trusted, {}, 0, {}};
}

Response refusal(const Decision& decision) {
  const auto with_help = [&](std::string message) {
    return (decision.message.empty() ? std::move(message) : decision.message + ".") + " " +
           std::string(kHowToGetIn);
  };
  switch (decision.verdict) {
    case Decision::Verdict::Allowed:
      break;
    case Decision::Verdict::Unauthenticated:
      return challenge(with_help("The bearer token was not accepted."));
    case Decision::Verdict::Forbidden:
      return failure(403, with_help("The token's user may not do this."));
    case Decision::Verdict::Unavailable: {
      auto response = failure(503, with_help("The token could not be checked now; try again."));
      response.headers.emplace_back("Retry-After", "1");
      return response;
    }
  }
  return failure(500, "an allowed request was refused");
}

Response refusal(const Admission& admission) {
  if (admission.status == 401) return challenge(admission.message);
  return failure(admission.status, admission.message);
}

}  // namespace troupe::http
