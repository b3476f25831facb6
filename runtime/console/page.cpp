#include "runtime/console/page.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace troupe::console {
namespace {

constexpr std::string_view kRoot = "/console/";
constexpr std::string_view kIndex = "index.html";

constexpr std::string_view kNotBuilt = R"(<!doctype html>
<html lang="en"><title>Troupe console</title>
<h1>The console is not part of this binary</h1>
<p>It was built without the page. Run <code>tools/build-console</code> (it needs Node.js 18 or newer
and npm), then build again. The API under <a href="/api/summary">/api/</a> works.</p>
)";

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kContentTypes{
    {{".html", "text/html; charset=utf-8"},
     {".js", "text/javascript; charset=utf-8"},
     {".css", "text/css; charset=utf-8"},
     {".svg", "image/svg+xml"},
     {".json", "application/json"}}};

http::Response not_built() {
  auto response = http::text(200, {});
  response.content_type = "text/html; charset=utf-8";
  response.fixed_body = kNotBuilt;
  return response;
}

// Vite puts a hash of their content into the names of what lies in assets/.
std::string_view cache_control_of(std::string_view path) {
  return path.starts_with("assets/") ? "public, max-age=31536000, immutable" : "no-cache";
}

http::Response serve(const Asset& asset, const http::Request& request) {
  http::Response response;
  response.content_type = content_type_of(asset.path);
  response.cache_control = cache_control_of(asset.path);
  response.etag = asset.etag;
  if (http::etag_matches(request.if_none_match, asset.etag))
    response.status = 304;
  else
    response.fixed_body = asset.content;
  return response;
}

http::Response redirect_to_root() {
  auto response = http::text(302, {});
  response.headers.emplace_back("Location", kRoot);
  return response;
}

}  // namespace

std::string_view content_type_of(std::string_view path) {
  const auto found = std::find_if(kContentTypes.begin(), kContentTypes.end(),
                                  [&](const auto& t) { return path.ends_with(t.first); });
  return found == kContentTypes.end() ? "application/octet-stream" : found->second;
}

void add_page(http::Router& router, std::span<const Asset> assets) {
  for (const char* path : {"/", "/console"})
    router.add(
        http::Method::Get, path, http::Access::Open,
        [](const http::Request&, const http::Responder& to) { to.reply(redirect_to_root()); });
  router.add(http::Method::Get, std::string(kRoot), http::Access::Guarded,
             [assets](const http::Request& request, const http::Responder& to) {
               if (assets.empty()) return to.reply(not_built());
               auto path = std::string_view(request.path).substr(kRoot.size());
               if (path.empty()) path = kIndex;
               const auto found = std::find_if(assets.begin(), assets.end(),
                                               [&](const Asset& a) { return a.path == path; });
               to.reply(found == assets.end()
                            ? http::failure(404, "the console has no " + std::string(path) +
                                                     "; it begins at /console/")
                            : serve(*found, request));
             });
}

}  // namespace troupe::console
