// The console's JSON API over the actors and their history; docs/console-api.md describes it.
//
// Everything runs on the HTTP server's thread. What costs with the size of the fleet is done only
// when somebody asks: one copy of the list serves all requests of a second and is dropped when
// nobody asks any more, and streams look for news only while somebody listens.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "runtime/http_router.hpp"
#include "runtime/http_server.hpp"
#include "runtime/model/time.hpp"

namespace troupe {
class Actors;
class History;
}  // namespace troupe

namespace troupe::console {

// The references must outlive the router's server.
struct ApiSources {
  Actors& actors;
  History& history;
  const Clock& clock;
  http::Schedule schedule;
  std::string version;
  std::function<std::optional<bool>()> leader = {};  // empty answer: no election takes place
};

void add_api(http::Router& router, ApiSources sources);

}  // namespace troupe::console
