// What a probe asks a server and how its answers become a MemberObservation.
//
// A new connection first asks who is there (hello); what it learns is the ProbeShape. Every probe
// after that is three statements: one row with all variables and states, the replica status, and
// the attached replicas. Names that depend on plugins (the two families of semi-sync) are read by
// name out of a JSON object, so that a plugin installed later just appears. Only the clone plugin's
// table must not be named while it is missing: a probe whose shape turned out to be wrong says so
// (ProbeAnswer::shape), and the next one uses the new shape.
//
// Measured on MySQL 9.7: 1.3 ms of the server's time for all three.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "engines/mysql/model/dialect.hpp"
#include "engines/mysql/model/observation.hpp"
#include "engines/mysql/model/result_set.hpp"
#include "engines/mysql/model/statement.hpp"

namespace troupe::mysql {

// What the text of a probe depends on.
struct ProbeShape {
  DialectId dialect = DialectId::Unsupported;
  bool clone = false;  // the clone plugin is active

  bool operator==(const ProbeShape&) const = default;
};

struct Hello {
  Detection detection;
  ProbeShape shape;
};

Statement hello_statement();
Result<Hello> decode_hello(const ResultSet& answer);

inline constexpr std::size_t kProbeStatements = 3;
std::array<Statement, kProbeStatements> probe_statements(const ProbeShape& shape);

struct ProbeAnswer {
  MemberObservation observation;
  ProbeShape shape;  // for the next probe
};

// The answers in the order of probe_statements(). When the observation was made is not in them: its
// `seen` and `took` are whoever asked's to fill in.
Result<ProbeAnswer> decode_probe(const EndpointId& endpoint, const ProbeShape& shape,
                                 std::span<const ResultSet> answers);

}  // namespace troupe::mysql
