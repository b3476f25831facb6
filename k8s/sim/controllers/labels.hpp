// Matching of labels by the selectors that objects carry.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <utility>

namespace troupe::sim {

// A metav1.LabelSelector (matchLabels, matchExpressions); an empty one selects everything, a null
// one nothing.
bool label_selector_matches(const boost::json::value* selector, const boost::json::value& object);

// A plain map of labels, as Services have: all must be equal. An empty one selects nothing.
bool label_map_matches(const boost::json::object& selector, const boost::json::value& object);

// A label that every object selected must have, for looking candidates up; nothing when the
// selector is not of that kind.
std::optional<std::pair<std::string, std::string>> indexed_label(
    const boost::json::value* label_selector);

// A core/v1 NodeSelector: terms are alternatives, the requirements of one term must all hold.
bool node_selector_matches(const boost::json::value& node_selector, const boost::json::value& node);
// One term of it, as preferred affinities use.
bool node_term_matches(const boost::json::value& term, const boost::json::value& node);

}  // namespace troupe::sim
