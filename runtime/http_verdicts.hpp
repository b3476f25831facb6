// Remembers for a while what an Authorizer said, so that a page of the console, which asks for many
// things with one token, does not ask the same question again and again.
//
// A verdict is kept under a hash of the token with method and path, never under the token itself.
// Refusals are kept, too, for a shorter time: who repeats a wrong token must not keep the cluster's
// API server busy. "Unavailable" is not a verdict and is never kept. The same question asked while
// it is under way waits for that one's answer; questions under way are bounded, and beyond the
// bound the answer is Unavailable at once. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "runtime/http_access.hpp"
#include "runtime/model/time.hpp"

namespace troupe::http {

struct VerdictOptions {
  // How long a revoked permission may still be used.
  Duration allowed_for = std::chrono::seconds(30);
  Duration refused_for = std::chrono::seconds(5);
  // The oldest goes first.
  std::size_t max_kept = 1024;
  // What the API server is asked at a time; people at a console need one or two.
  std::size_t max_under_way = 16;
};

class Verdicts {
 public:
  using Done = std::function<void(Decision)>;

  // `ask` answers each question once; it outlives this, as the clock does. So does this what `ask`
  // still has to answer.
  Verdicts(Authorizer ask, const Clock& clock, VerdictOptions options = {});

  // An Authorizer.
  void decide(Credentials credentials, Done done);

  struct Totals {
    std::array<std::uint64_t, 4> decided{};  // by Decision::Verdict, kept verdicts included
    std::uint64_t asked = 0;
    std::uint64_t refused = 0;  // too many were under way
    std::size_t under_way = 0;
    std::size_t kept = 0;
  };
  Totals totals() const;
  const VerdictOptions& options() const { return options_; }

 private:
  using Key = std::tuple<std::string, Method, std::string>;  // the token's hash, method, path
  struct Kept {
    Decision decision;
    TimePoint until;
    std::list<Key>::iterator age;
  };

  static Key key_of(const Credentials& credentials);
  void answer(const Key& key, const Decision& decision);
  void keep(const Key& key, const Decision& decision);
  void forget(std::map<Key, Kept>::iterator kept);
  void count(const Decision& decision, std::size_t times = 1);

  const Authorizer ask_;
  const Clock& clock_;
  const VerdictOptions options_;
  mutable std::mutex mutex_;  // of what follows
  std::map<Key, Kept> kept_;
  std::list<Key> ages_;  // oldest first
  std::map<Key, std::vector<Done>> under_way_;
  Totals totals_;
};

}  // namespace troupe::http
