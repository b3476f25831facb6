#include "runtime/http_router.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <stdexcept>

namespace troupe::http {
namespace {

bool matches(const Router::Route& route, std::string_view path) {
  const bool subtree = route.prefix.ends_with('/') && route.prefix != "/";
  return subtree ? path.starts_with(route.prefix) : path == route.prefix;
}

}  // namespace

void Router::add(Method method, std::string prefix, Access access, Handler handler) {
  const auto same = [&](const Route& r) { return r.method == method && r.prefix == prefix; };
  if (std::any_of(routes_.begin(), routes_.end(), same))
    throw std::logic_error("two handlers for " + std::string(to_string(method)) + " " + prefix);
  const auto place = std::find_if(routes_.begin(), routes_.end(),
                                  [&](const Route& r) { return r.prefix.size() < prefix.size(); });
  routes_.insert(place, Route{method, std::move(prefix), access, std::move(handler)});
}

Router::Match Router::find(Method method, std::string_view path) const {
  for (const auto& route : routes_)
    if (route.method == method && matches(route, path)) return {&route, {}};
  return {nullptr, allowed(path)};
}

std::string Router::allowed(std::string_view path) const {
  const auto accepts = [&](Method method) {
    return std::any_of(routes_.begin(), routes_.end(),
                       [&](const Route& r) { return r.method == method && matches(r, path); });
  };
  std::string out;
  if (accepts(Method::Get)) out = "GET, HEAD";
  if (accepts(Method::Post)) out += out.empty() ? "POST" : ", POST";
  return out;
}

std::string Router::prefixes() const {
  std::set<std::string_view> all;
  for (const auto& route : routes_) all.insert(route.prefix);
  return fmt::format("{}", fmt::join(all, ", "));
}

}  // namespace troupe::http
