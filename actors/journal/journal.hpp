// What an actor saw and decided, run by run, so that it can be gone through again elsewhere
// (replay.hpp): for a failover in the field that is to be understood at a desk, and for tests.
//
// Text, a JSON object a line:
//   {"journal":1,"kind":...,"object":...,"settings":...}   the first line
//   {"memory":...}              what the actor remembered before the lines that follow
//   {"seen":7,"object":...}     something that was looked at, told once: object, agent or probe
//   {"run":...}                 results that came in, what was looked at, and the decision
// Of secrets there are only stand-ins ("secret-3"), the same for the same secret.
//
// Bounded: the oldest runs are forgotten, half of the room at a time. A journal belongs to one
// actor; one thread at a time.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/model/decision.hpp"
#include "actors/model/sight.hpp"
#include "runtime/model/described.hpp"

namespace troupe::actors {

inline constexpr int kJournalFormat = 1;

class Journal {
 public:
  Journal(std::string_view kind, const ObjectRef& self, const Settings& settings,
          std::size_t max_bytes);
  ~Journal();

  // The actor's memory as JSON, asked for whenever older runs are about to be forgotten.
  using Memory = std::function<boost::json::value(const Veil&)>;
  // Before the first run, and after each: never between a result and the run that it is for.
  void mark(const Memory& memory);
  // A result has come in.
  void folded(const EffectResult& result);
  // Between these the actor looks through sight().
  void begin_run(Sight& eyes, TimePoint now);
  Sight& sight();
  void end_run(const Decision& decision);
  void end_run(std::string_view fault);

  std::string text() const;
  std::size_t bytes() const { return bytes_; }

 private:
  class Notes;
  friend class Notes;
  using Line = std::string;
  static constexpr std::size_t kMaxSecrets = 1000;  // those beyond share one stand-in

  void add(const boost::json::value& line);
  void close_run(boost::json::object&& rest);
  std::string pseudonym(const Secret& secret);
  Veil veil();

  const Line head_;
  const std::size_t max_bytes_;
  std::deque<std::vector<Line>> segments_;  // each begins with the memory
  std::size_t segment_bytes_ = 0;           // of the last one
  std::size_t bytes_ = 0;
  std::vector<Secret> secrets_;  // in the order of their numbers
  std::unique_ptr<Notes> notes_;
};

}  // namespace troupe::actors
