#include "runtime/http.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace troupe::http {
namespace {

std::string_view without_weakness(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  return etag;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

std::string_view to_string(Method method) { return method == Method::Get ? "GET" : "POST"; }

std::string_view Request::param(std::string_view name) const {
  const auto found = std::find_if(query.begin(), query.end(),
                                  [name](const auto& pair) { return pair.first == name; });
  return found == query.end() ? std::string_view() : std::string_view(found->second);
}

bool Request::has_param(std::string_view name) const {
  return std::any_of(query.begin(), query.end(),
                     [name](const auto& pair) { return pair.first == name; });
}

bool parse_target(std::string_view target, Request& into) {
  const auto url = boost::urls::parse_origin_form(target);
  if (!url) return false;
  into.path = url->path();
  into.query.clear();
  boost::urls::encoding_opts form;
  form.space_as_plus = true;
  for (const auto& p : url->params(form)) into.query.emplace_back(p.key, p.value);
  return true;
}

Response text(unsigned status, std::string body) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

Response json(unsigned status, std::string body) {
  Response response;
  response.status = status;
  response.content_type = "application/json";
  response.body = std::move(body);
  return response;
}

Response failure(unsigned status, std::string_view message) {
  return json(status, boost::json::serialize(boost::json::object{{"error", message}}) + "\n");
}

Response method_not_allowed(std::string allow) {
  auto response = failure(405, "this path accepts " + allow);
  response.headers.emplace_back("Allow", std::move(allow));
  return response;
}

bool etag_matches(std::string_view if_none_match, std::string_view etag) {
  if (etag.empty()) return false;
  while (!if_none_match.empty()) {
    const auto comma = if_none_match.find(',');
    const auto one = trimmed(if_none_match.substr(0, comma));
    if (one == "*" || without_weakness(one) == without_weakness(etag)) return true;
    if (comma == std::string_view::npos) break;
    if_none_match.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace troupe::http
