#include "runtime/http_probes.hpp"

#include "runtime/metrics.hpp"

namespace troupe {
namespace {

void add_probe(http::Router& router, const std::string& name, const HealthChecks& checks) {
  router.add(http::Method::Get, "/" + name, http::Access::Open,
             [&checks, name](const http::Request& request, const http::Responder& responder) {
               auto verdict = checks.ask();
               if (verdict.ok && !request.has_param("verbose"))
                 return responder.reply(http::text(200, "ok\n"));
               verdict.lines += name + " check " + (verdict.ok ? "passed\n" : "failed\n");
               responder.reply(http::text(verdict.ok ? 200 : 503, std::move(verdict.lines)));
             });
}

}  // namespace

void HealthChecks::add(std::string name, Check check) {
  const std::scoped_lock lock(mutex_);
  checks_.emplace_back(std::move(name), std::move(check));
}

HealthChecks::Verdict HealthChecks::ask() const {
  const std::scoped_lock lock(mutex_);
  Verdict verdict;
  for (const auto& [name, check] : checks_) {
    const auto wrong = check();
    verdict.ok = verdict.ok && wrong.empty();
    verdict.lines +=
        wrong.empty() ? "[+]" + name + " ok\n" : "[-]" + name + " failed: " + wrong + "\n";
  }
  return verdict;
}

void add_probes(http::Router& router, const HealthChecks& alive, const HealthChecks& ready,
                const Metrics& metrics) {
  add_probe(router, "healthz", alive);
  add_probe(router, "readyz", ready);
  router.add(http::Method::Get, "/metrics", http::Access::Open,
             [&metrics](const http::Request&, http::Responder responder) {
               auto response = http::text(200, metrics.text());
               response.content_type = "text/plain; version=0.0.4; charset=utf-8";
               responder.reply(std::move(response));
             });
}

}  // namespace troupe
