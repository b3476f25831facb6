#include "runtime/http_probes.hpp"

#include "runtime/metrics.hpp"

namespace troupe {
namespace {

http::Handler probe(const HealthChecks& checks) {
  return [&checks](const http::Request&, http::Responder responder) {
    auto verdict = checks.ask();
    responder.reply(http::text(verdict.ok ? 200 : 503, std::move(verdict.report)));
  };
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
    verdict.report +=
        wrong.empty() ? "[+]" + name + " ok\n" : "[-]" + name + " failed: " + wrong + "\n";
  }
  verdict.report += verdict.ok ? "ok\n" : "failed\n";
  return verdict;
}

void add_probes(http::Router& router, const HealthChecks& alive, const HealthChecks& ready,
                const Metrics& metrics) {
  router.add(http::Method::Get, "/healthz", http::Access::Open, probe(alive));
  router.add(http::Method::Get, "/readyz", http::Access::Open, probe(ready));
  router.add(http::Method::Get, "/metrics", http::Access::Open,
             [&metrics](const http::Request&, http::Responder responder) {
               auto response = http::text(200, metrics.text());
               response.content_type = "text/plain; version=0.0.4; charset=utf-8";
               responder.reply(std::move(response));
             });
}

}  // namespace troupe
