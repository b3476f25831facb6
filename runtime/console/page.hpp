// The console's page, embedded into the binary: /console/ and what it loads.
#pragma once

#include <span>
#include <string_view>

#include "runtime/http_router.hpp"

namespace troupe::console {

struct Asset {
  std::string_view path;  // below /console/, e.g. "index.html"
  std::string_view etag;  // quoted; a hash of the content
  std::string_view content;
};

// What tools/build-console made before this binary was built; empty when it was not run.
std::span<const Asset> embedded_assets();

std::string_view content_type_of(std::string_view path);

// Without assets, /console/ says how to build them.
void add_page(http::Router& router, std::span<const Asset> assets = embedded_assets());

}  // namespace troupe::console
