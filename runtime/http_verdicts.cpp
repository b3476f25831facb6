#include "runtime/http_verdicts.hpp"

#include <openssl/evp.h>

#include <optional>
#include <utility>

namespace troupe::http {
namespace {

std::string hash_of(const Secret& token) {
  const auto text = token.reveal();
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), &size,
             EVP_sha256(), nullptr);
  digest.resize(size);
  return digest;
}

}  // namespace

Verdicts::Verdicts(Authorizer ask, const Clock& clock, VerdictOptions options)
    : ask_(std::move(ask)), clock_(clock), options_(options) {}

Verdicts::Key Verdicts::key_of(const Credentials& credentials) {
  return {hash_of(credentials.token), credentials.method, credentials.path};
}

void Verdicts::decide(Credentials credentials, Done done) {
  auto key = key_of(credentials);
  std::optional<Decision> known;
  {
    const std::scoped_lock lock(mutex_);
    if (const auto kept = kept_.find(key); kept != kept_.end()) {
      if (clock_.now() < kept->second.until)
        known = kept->second.decision;
      else
        forget(kept);
    }
    if (!known) {
      if (const auto same = under_way_.find(key); same != under_way_.end()) {
        same->second.push_back(std::move(done));
        return;
      }
      if (under_way_.size() >= options_.max_under_way) {
        ++totals_.refused;
        known = Decision{Decision::Verdict::Unavailable, "Too many tokens are being checked"};
      }
    }
    if (known) {
      count(*known);
    } else {
      under_way_[key].push_back(std::move(done));
      ++totals_.asked;
    }
  }
  if (known) return done(*known);
  ask_(std::move(credentials), [this, key = std::move(key)](Decision d) { answer(key, d); });
}

void Verdicts::answer(const Key& key, const Decision& decision) {
  std::vector<Done> waiting;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = under_way_.find(key);
    if (found == under_way_.end()) return;  // answered before
    waiting = std::move(found->second);
    under_way_.erase(found);
    count(decision, waiting.size());
    keep(key, decision);
  }
  for (const auto& done : waiting) done(decision);
}

void Verdicts::keep(const Key& key, const Decision& decision) {
  if (decision.verdict == Decision::Verdict::Unavailable) return;
  const bool allowed = decision.verdict == Decision::Verdict::Allowed;
  if (const auto before = kept_.find(key); before != kept_.end()) forget(before);
  if (kept_.size() >= options_.max_kept) forget(kept_.find(ages_.front()));
  const auto age = ages_.insert(ages_.end(), key);
  const auto until = clock_.now() + (allowed ? options_.allowed_for : options_.refused_for);
  kept_.emplace(key, Kept{decision, until, age});
}

void Verdicts::forget(std::map<Key, Kept>::iterator kept) {
  ages_.erase(kept->second.age);
  kept_.erase(kept);
}

void Verdicts::count(const Decision& decision, std::size_t times) {
  totals_.decided[static_cast<std::size_t>(decision.verdict)] += times;
}

Verdicts::Totals Verdicts::totals() const {
  const std::scoped_lock lock(mutex_);
  auto out = totals_;
  out.under_way = under_way_.size();
  out.kept = kept_.size();
  return out;
}

}  // namespace troupe::http
