#include "actors/model/wording.hpp"

#include <algorithm>
#include <boost/algorithm/string/classification.hpp>
#include <boost/algorithm/string/join.hpp>
#include <boost/algorithm/string/split.hpp>
#include <string>
#include <vector>

namespace troupe::actors {
namespace {

// A number, a time or a set of GTIDs. Names end in digits, too, and do not begin with them.
bool is_number(std::string_view word) {
  constexpr std::size_t kUuid = 36;
  const auto first = std::find_if(word.begin(), word.end(), boost::algorithm::is_alnum());
  return (first != word.end() && boost::algorithm::is_digit()(*first)) ||
         (word.size() > kUuid && word[kUuid] == ':');
}

std::string without_numbers(std::string_view text) {
  std::vector<std::string> words;
  boost::algorithm::split(words, text, [](char c) { return c == ' '; });
  for (auto& word : words)
    if (is_number(word)) word = "#";
  return boost::algorithm::join(words, " ");
}

}  // namespace

bool same_but_for_numbers(std::string_view a, std::string_view b) {
  return a == b || without_numbers(a) == without_numbers(b);
}

}  // namespace troupe::actors
