#include "k8s/sim/api/cel.hpp"

#include <gtest/gtest.h>

#include "tests/unit/sim/schema_testing.hpp"

namespace troupe::sim::cel {
namespace {

TypePtr object(std::map<std::string, TypePtr, std::less<>> fields) {
  auto type = std::make_shared<Type>();
  type->kind = Kind::Object;
  type->fields = std::move(fields);
  return type;
}

// The type of `self` in these tests, and a value of it.
TypePtr self_type() {
  const auto text = simple(Kind::String);
  const auto flags = object({{"enabled", simple(Kind::Bool)}, {"size", simple(Kind::Int)}});
  return object({{"name", text},
                 {"__namespace__", text},
                 {"my__dash__key", text},
                 {"replicas", simple(Kind::Int)},
                 {"ratio", simple(Kind::Double)},
                 {"port", simple(Kind::Dyn)},
                 {"tags", list_of(text)},
                 {"numbers", list_of(simple(Kind::Int))},
                 {"limits", map_of(text, text)},
                 {"proxy", flags},
                 {"backup", flags},
                 {"at", simple(Kind::Timestamp)},
                 {"grace", simple(Kind::Duration)},
                 {"items", list_of(flags)}});
}

json::value self_value() {
  return yaml(R"(
name: orders
namespace: prod
my-key: dashed
replicas: 3
ratio: 0.5
port: 5432
tags: [a, b, c]
numbers: [1, 2, 3]
limits: {cpu: "2", memory: 1Gi}
proxy: {enabled: true, size: 2}
at: "2026-01-31T12:00:00Z"
grace: 1m30s
items: [{enabled: true, size: 1}, {size: 5}]
)");
}

Environment environment() { return {{"self", self_type()}, {"oldSelf", optional_of(self_type())}}; }

Result<json::value> evaluate(std::string_view source) {
  const auto program = Program::compile(source, environment());
  if (!program) return program.error();
  const auto self = self_value();
  return (*program)->evaluate({{"self", &self}, {"oldSelf", nullptr}});
}

struct Case {
  std::string_view source;
  json::value expected;
};

void expect_all(const std::vector<Case>& cases) {
  for (const auto& [source, expected] : cases) {
    const auto result = evaluate(source);
    ASSERT_TRUE(result) << source << "\n" << result.error().message;
    EXPECT_EQ(*result, expected) << source;
  }
}

TEST(Cel, OperatorsBindAsInC) {
  expect_all({
      {"1 + 2 * 3 - 4 / 2", 5},
      {"(1 + 2) * 3", 9},
      {"-2 - -3", 1},
      {"7 % 4", 3},
      {"true || false && false", true},
      {"!true || true", true},
      {"1 < 2 == true", true},
      {"true ? 1 : false ? 2 : 3", 1},
      {"false ? 1 : false ? 2 : 3", 3},
      {"'a' + 'b' == 'ab'", true},
      {"[1] + [2, 3] == [1, 2, 3]", true},
      {"-9223372036854775808 < 0", true},
  });
}

TEST(Cel, LiteralsHaveTheirEscapesAndForms) {
  expect_all({
      {"'a\\n\\x41\\u00e9' == \"a\\nA\u00e9\"", true},
      {"r'\\d+' == '\\\\d+'", true},
      {"'''two\nlines'''.size()", 9},
      {"0x1F", 31},
      {"1e3", 1000.0},
      {"size({'a': 1, 'b': 2})", 2},
      {"1u + 2u == 3u", true},
      {"null == null", true},
      {"size(b'abc')", 3},
  });
}

TEST(Cel, FieldsAreReadByTheirEscapedNames) {
  expect_all({
      {"self.name", "orders"},
      {"self.__namespace__", "prod"},
      {"self.my__dash__key", "dashed"},
      {"self.limits.cpu", "2"},
      {"self.limits['memory']", "1Gi"},
      {"self.tags[1]", "b"},
      {"self.port == 5432", true},
  });
}

TEST(Cel, HasTellsPresentFieldsFromAbsentOnes) {
  expect_all({
      {"has(self.proxy)", true},
      {"has(self.backup)", false},
      {"has(self.limits.cpu)", true},
      {"has(self.limits.disk)", false},
      {"has(self.proxy.enabled) && self.proxy.enabled", true},
      {"!has(self.backup) || self.backup.size > 0", true},
  });
}

TEST(Cel, AndAndOrAbsorbErrorsOfTheOtherOperand) {
  expect_all({
      {"self.backup.enabled || true", true},
      {"true || self.backup.enabled", true},
      {"self.backup.enabled && false", false},
      {"[self.tags[0] == 'a', true].all(x, x)", true},
      {"self.items.exists(i, i.enabled)", true},
      {"self.items.all(i, i.enabled && false)", false},
  });
  EXPECT_EQ(evaluate("self.backup.enabled && true").error().message, "no such key: backup");
}

TEST(Cel, MacrosWalkListsAndTheKeysOfMaps) {
  expect_all({
      {"self.tags.all(t, t.size() == 1)", true},
      {"self.limits.exists(k, k.startsWith('mem'))", true},
      {"self.numbers.exists_one(n, n > 2)", true},
      {"self.numbers.filter(n, n > 1)", json::array{2, 3}},
      {"self.numbers.map(n, n * 2)", json::array{2, 4, 6}},
      {"self.numbers.map(n, n > 1, n * 2)", json::array{4, 6}},
      {"self.numbers.map(n, self.tags.filter(t, n == 1).size())", json::array{3, 0, 0}},
      {"[].all(x, false)", true},
      {"[].exists(x, true)", false},
  });
}

TEST(Cel, MembershipLooksIntoListsAndMaps) {
  expect_all({
      {"'a' in self.tags", true},
      {"'z' in self.tags", false},
      {"'cpu' in self.limits", true},
      {"self.name in ['orders', 'users']", true},
  });
}

TEST(Cel, StringFunctionsCountCodePoints) {
  expect_all({
      {"'héllo'.size()", 5},
      {"'héllo'.substring(1, 3)", "él"},
      {"'héllo'.indexOf('l')", 2},
      {"'a,b,c'.split(',')", json::array{"a", "b", "c"}},
      {"'a,b,c'.split(',', 2)", json::array{"a", "b,c"}},
      {"['a', 'b'].join('-')", "a-b"},
      {"'Hello'.lowerAscii() + 'x'.upperAscii()", "helloX"},
      {"'  x '.trim()", "x"},
      {"'aaa'.replace('a', 'b', 2)", "bba"},
      {"'abc'.charAt(1)", "b"},
      {"'abc'.contains('bc') && 'abc'.endsWith('c')", true},
      {"'1.2.3'.matches('^[0-9]+\\\\.[0-9]+\\\\.[0-9]+$')", true},
      {"'a1b22'.findAll('[0-9]+')", json::array{"1", "22"}},
  });
}

TEST(Cel, NumbersOfDifferentTypesCompareByValue) {
  expect_all({
      {"1 < 1.5", true},
      {"2u > 1", true},
      {"dyn(1) == 1.0", true},
      {"int('42') + int(1.9)", 43},
      {"double('1.5') * 2.0", 3.0},
      {"string(12) + string(true) + string(1.5)", "12true1.5"},
      {"bool('true')", true},
      {"type(self.port) == int", true},
      {"type(self.name) == string", true},
  });
}

TEST(Cel, TimesAndDurationsHaveArithmetic) {
  expect_all({
      {"self.at < timestamp('2026-02-01T00:00:00Z')", true},
      {"self.at + duration('12h') == timestamp('2026-02-01T00:00:00Z')", true},
      {"self.grace == duration('90s')", true},
      {"(self.at - timestamp('2026-01-31T11:00:00Z')).getMinutes()", 60},
      {"self.at.getFullYear()", 2026},
      {"self.at.getMonth()", 0},
      {"self.at.getDayOfWeek()", 6},
      {"string(self.grace)", "90s"},
  });
}

TEST(Cel, ListsHaveAggregates) {
  expect_all({
      {"self.numbers.sum()", 6},
      {"self.numbers.max() - self.numbers.min()", 2},
      {"self.tags.isSorted()", true},
      {"self.tags.indexOf('c')", 2},
      {"sets.contains(self.tags, ['a', 'b'])", true},
      {"sets.intersects(self.tags, ['z'])", false},
  });
  EXPECT_EQ(evaluate("[1].filter(x, false).min() > 0").error().message, "min called on empty list");
}

TEST(Cel, OptionalsChainOverAbsentFields) {
  expect_all({
      {"self.?proxy.?size.orValue(7)", 2},
      {"self.?backup.?size.orValue(7)", 7},
      {"self.?backup.?enabled.hasValue()", false},
      {"self.?backup.size.hasValue()", false},
      {"self.tags[?9].orValue('none')", "none"},
      {"optional.of(1).hasValue() && !optional.none().hasValue()", true},
      {"self.?proxy.optMap(p, p.size + 1).value()", 3},
      {"oldSelf.hasValue()", false},
  });
}

TEST(Cel, QuantitiesCompareByAmount) {
  expect_all({
      {"isQuantity('10Gi') && !isQuantity('ten')", true},
      {"sign(quantity('-1m')) == -1", true},
      {"quantity('1000m').compareTo(quantity('1'))", 0},
      {"quantity('2Gi').isGreaterThan(quantity('2G'))", true},
      {"quantity('1').add(quantity('500m')).sub(1).asApproximateFloat()", 0.5},
      {"quantity(self.limits.memory).asInteger()", 1073741824},
  });
}

TEST(Cel, UrlsAreTakenApart) {
  expect_all({
      {"isURL('https://vault:8200/v1?x=1')", true},
      {"isURL('not a url')", false},
      {"url('https://[::1]:8200/v1').getPort()", "8200"},
      {"url('https://vault:8200/v1').getHostname()", "vault"},
      {"url('/path').getEscapedPath()", "/path"},
  });
}

struct Refusal {
  std::string_view source;
  std::string_view message;
};

TEST(Cel, TheCheckerRefusesWhatCannotRun) {
  const std::vector<Refusal> cases = {
      {"self.nope > 1", "undefined field 'nope'"},
      {"other.name == 'x'", "undeclared reference to 'other' (in container '')"},
      {"self.name.frobnicate()", "undeclared reference to 'frobnicate' (in container '')"},
      {"ip('1.2.3.4')", "undeclared reference to 'ip' (in container '')"},
      {"self.name + 1", "found no matching overload for '_+_' applied to '(string, int)'"},
      {"self.name > 1", "found no matching overload for '_>_' applied to '(string, int)'"},
      {"self.name == 1", "found no matching overload for '_==_' applied to '(string, int)'"},
      {"self.name && true", "found no matching overload for '_&&_' applied to '(string, bool)'"},
      {"self.name.startsWith(1)",
       "found no matching overload for 'startsWith' applied to 'string.(int)'"},
      {"self.replicas.all(x, true)",
       "expression of type 'int' cannot be range of a comprehension (must be list, map, or "
       "dynamic)"},
      {"has(self)", "invalid argument to has() macro"},
      {"self.replicas.x", "type 'int' does not support field selection"},
      {"[1, 'a'].size()", "expected type 'int' but found 'string'"},
      {"self.name.matches('(')", "invalid matches argument"},
      {"1 +", "Syntax error: mismatched input '<EOF>' expecting IDENTIFIER"},
      {"'open", "Syntax error: unterminated string literal"},
      {"self.name @ 1", "Syntax error: token recognition error at: '@'"},
      {"package", "reserved identifier: package"},
  };
  for (const auto& [source, message] : cases) {
    const auto program = Program::compile(source, environment());
    ASSERT_FALSE(program) << source;
    EXPECT_NE(program.error().message.find(message), std::string::npos) << source << "\n"
                                                                        << program.error().message;
  }
}

TEST(Cel, CompileErrorsPointAtTheirPlace) {
  const auto program = Program::compile("self.name == 'x' &&\n  self.nope", environment());
  EXPECT_EQ(program.error().message,
            "ERROR: <input>:2:7: undefined field 'nope'\n |   self.nope\n | ......^");
}

TEST(Cel, EvaluationErrorsSayWhatWasMissing) {
  const std::vector<Refusal> cases = {
      {"self.backup.size > 0", "no such key: backup"},
      {"self.tags[7] == ''", "index out of bounds: 7"},
      {"self.limits['disk'] == ''", "no such key: disk"},
      {"1 / (self.replicas - 3) > 0", "division by zero"},
      {"9223372036854775807 + self.replicas > 0", "integer overflow"},
      {"self.port.startsWith('x')", "no such overload"},
      {"int('x') > 0", "type conversion error from 'string' to 'int'"},
  };
  for (const auto& [source, message] : cases) {
    const auto result = evaluate(source);
    ASSERT_FALSE(result) << source;
    EXPECT_EQ(result.error().message, message) << source;
  }
}

TEST(Cel, AnExpressionThatTakesTooLongIsCut) {
  const std::string ten = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]";
  std::string source = "true";
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g"}) {
    source = ten + ".all(" + name + ", " + source + ")";
  }
  const auto result = evaluate(source);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "operation cancelled: actual cost limit exceeded");
}

TEST(Cel, NestingAndChainsAreBounded) {
  const std::string deep(300, '(');
  EXPECT_FALSE(Program::compile(deep + "1" + std::string(300, ')'), {}));
  std::string chain = "1";
  for (int i = 0; i < 5000; ++i) chain += "+1";
  EXPECT_FALSE(Program::compile(chain, {}));
}

TEST(Cel, KnowsWhichNamesARuleReads) {
  const auto program = Program::compile("self.name == 'x'", environment());
  EXPECT_TRUE((*program)->uses("self"));
  EXPECT_FALSE((*program)->uses("oldSelf"));
}

TEST(CelType, PropertyNamesAreEscapedAndBack) {
  const std::vector<std::pair<std::string, std::string>> cases = {{"plain", "plain"},
                                                                  {"my-key", "my__dash__key"},
                                                                  {"a.b/c", "a__dot__b__slash__c"},
                                                                  {"a__b", "a__underscores__b"},
                                                                  {"namespace", "__namespace__"},
                                                                  {"in", "__in__"}};
  for (const auto& [name, escaped] : cases) {
    EXPECT_EQ(escape_property(name), escaped);
    EXPECT_EQ(unescape_property(escaped), name);
  }
  EXPECT_EQ(escape_property("1st"), "");
  EXPECT_EQ(escape_property("a b"), "");
}

}  // namespace
}  // namespace troupe::sim::cel
