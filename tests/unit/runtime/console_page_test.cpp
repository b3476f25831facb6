#include "runtime/console/page.hpp"

#include <gtest/gtest.h>

#include <array>

#include "tests/unit/runtime/fake_exchange.hpp"

namespace troupe::console {
namespace {

constexpr std::array<Asset, 2> kAssets{
    {{"index.html", "\"1\"", "<!doctype html>"}, {"assets/main-abc.js", "\"2\"", "run()"}}};

http::Router router_with(std::span<const Asset> assets) {
  http::Router router;
  add_page(router, assets);
  return router;
}

TEST(ConsolePage, ServesTheIndexAndItsAssets) {
  const auto router = router_with(kAssets);
  EXPECT_EQ(test::ask(router, "/console/").content(), "<!doctype html>");
  const auto script = test::ask(router, "/console/assets/main-abc.js");
  EXPECT_EQ(script.content(), "run()");
  EXPECT_EQ(script.content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(test::ask(router, "/console/nothing.js").status, 404u);
}

TEST(ConsolePage, OnlyFilesNamedByTheirContentAreCachedUnchecked) {
  const auto router = router_with(kAssets);
  EXPECT_EQ(test::ask(router, "/console/").cache_control, "no-cache");
  EXPECT_NE(test::ask(router, "/console/assets/main-abc.js").cache_control.find("immutable"),
            std::string::npos);
}

TEST(ConsolePage, AKnownEtagIs304WithoutContent) {
  const auto router = router_with(kAssets);
  const auto exchange = test::begin(router, "/console/", http::Method::Get, "\"1\"");
  EXPECT_EQ(exchange->response->status, 304u);
  EXPECT_EQ(exchange->response->content(), "");
}

TEST(ConsolePage, ShortAddressesLeadToIt) {
  const auto router = router_with(kAssets);
  for (const char* path : {"/", "/console"}) {
    const auto response = test::ask(router, path);
    EXPECT_EQ(response.status, 302u);
    EXPECT_EQ(response.headers.at(0).second, "/console/");
  }
  EXPECT_EQ(router.find(http::Method::Get, "/elsewhere").route, nullptr);
}

TEST(ConsolePage, WithoutAssetsItSaysHowToBuildThem) {
  const auto router = router_with({});
  const auto response = test::ask(router, "/console/");
  EXPECT_NE(response.content().find("tools/build-console"), std::string_view::npos);
}

}  // namespace
}  // namespace troupe::console
