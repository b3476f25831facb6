#include "actors/model/refusal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <type_traits>

#include "actors/model/decision.hpp"
#include "k8s/api/core.hpp"
#include "runtime/model/utf8.hpp"

namespace troupe::actors {
namespace {

// An event holds 1024 characters.
constexpr std::size_t kLongestAnswer = 700;
// One cause often refuses many writes; a few examples show it.
constexpr std::size_t kShown = 3;

// Without words that hold a digit.
std::string without_numbers(std::string_view text) {
  std::string out, word;
  const auto end_word = [&] {
    if (std::none_of(word.begin(), word.end(), [](unsigned char c) { return std::isdigit(c); }))
      out += word;
    word.clear();
  };
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c))) {
      word += c;
      continue;
    }
    end_word();
    out += c;
  }
  end_word();
  return out;
}

std::string cut(std::string text) {
  if (text.size() <= kLongestAnswer) return text;
  text.resize(end_of_character(text, kLongestAnswer));
  return text + "...";
}

bool writes_secret(const Action& action) {
  return std::visit(
      [](const auto& a) {
        using T = std::decay_t<decltype(a)>;
        if constexpr (std::is_same_v<T, Apply> || std::is_same_v<T, MergePatch>)
          return a.object.kind == k8s::kKindId<k8s::SecretObject>;
        else
          return !std::is_same_v<T, Delete>;
      },
      action);
}

std::string_view advice(Code code) {
  if (code == Code::Invalid) return ": correct the specification that it is made from";
  if (code == Code::Denied)
    return ": a quota, an admission rule or the operator's rights forbid it";
  return "";
}

std::string text_of(const Effect& effect, const Error& error) {
  // A server may repeat a value that it finds invalid.
  const auto said = error.code == Code::Invalid && writes_secret(effect.action)
                        ? fmt::format("{}: invalid", effect.key)
                        : cut(error.message);
  return fmt::format("refused: {}{}; it is tried again by itself", said, advice(error.code));
}

}  // namespace

bool is_final(Code code) { return code == Code::Invalid || code == Code::Denied; }

bool say_the_same(const Error& a, const Error& b) {
  return a.code == b.code &&
         (a.message == b.message || without_numbers(a.message) == without_numbers(b.message));
}

void hold_refused(std::span<const Refusal> refused, Decision& decision) {
  std::size_t found = 0;
  for (const auto& effect : decision.effects) {
    const auto r = std::find_if(refused.begin(), refused.end(),
                                [&effect](const Refusal& x) { return x.key == effect.key; });
    if (r == refused.end() || ++found > kShown) continue;
    Guard guard{std::string(kWriteRefused), text_of(effect, r->error), r->since};
    const auto& held = decision.guards;
    if (std::find(held.begin(), held.end(), guard) == held.end())
      decision.guards.push_back(std::move(guard));
  }
}

}  // namespace troupe::actors
