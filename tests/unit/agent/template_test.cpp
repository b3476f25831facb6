#include "engines/agent/model/template.hpp"

#include <gtest/gtest.h>

namespace troupe::agent {
namespace {

const FlatValues kValues{{"/mysqld/max_connections", "500"}, {"/mysqld/port", "3306"},
                         {"/mysqld/sub/deep", "x"},          {"/users/0/name", "ann"},
                         {"/users/1/name", "bob"},           {"/flag", "true"}};

Result<std::string> render(std::string_view text) {
  return render_template(text, pure_template_functions(kValues));
}

struct Case {
  const char* text;
  const char* expected;
};

void expect_all(std::initializer_list<Case> cases) {
  for (const auto& [text, expected] : cases) {
    const auto out = render(text);
    ASSERT_TRUE(out) << text << ": " << out.error().message;
    EXPECT_EQ(*out, expected) << text;
  }
}

void expect_error(std::string_view text, std::string_view part) {
  const auto out = render(text);
  ASSERT_FALSE(out) << text << " gave " << *out;
  EXPECT_EQ(out.error().code, Code::Invalid);
  EXPECT_NE(out.error().message.find(part), std::string::npos) << out.error().message;
}

TEST(Template, TextAndConstantsAndTrimming) {
  expect_all({{"plain", "plain"},
              {"a {{ 1 }} b", "a 1 b"},
              {"a {{- 1 -}} b", "a1b"},
              {"a\n  {{- \"x\" }}\n", "ax\n"},
              {"{{/* nothing */}}x", "x"},
              {"a {{- /* nothing */ -}} b", "ab"},
              {"{{ `raw \\n` }}", "raw \\n"},
              {"{{ \"}}\" }}", "}}"},
              {"{{ 1.5 }} {{ true }} {{ -3 }}", "1.5 true -3"}});
}

TEST(Template, ConditionsAndElseBranches) {
  expect_all({{"{{ if true }}a{{ else }}b{{ end }}", "a"},
              {"{{ if \"\" }}a{{ else }}b{{ end }}", "b"},
              {"{{ if 0 }}a{{ else if 1 }}b{{ else }}c{{ end }}", "b"},
              {"{{ if false }}a{{ else if 0 }}b{{ else }}c{{ end }}x", "cx"},
              {"{{ if and (eq 1 1) (not false) }}y{{ end }}", "y"},
              {"{{ if or false (exists \"/flag\") }}y{{ end }}", "y"},
              {"{{ with \"v\" }}{{ . }}{{ else }}none{{ end }}", "v"},
              {"{{ with \"\" }}{{ . }}{{ else }}none{{ end }}", "none"}});
}

TEST(Template, ConditionsStopEvaluatingWhenTheAnswerIsKnown) {
  expect_all({{"{{ if and (exists \"/none\") (getv \"/none\") }}a{{ else }}b{{ end }}", "b"},
              {"{{ or \"x\" (getv \"/none\") }}", "x"}});
}

TEST(Template, LoopsOverListsMapsAndNothing) {
  expect_all({{"{{ range seq 1 3 }}{{ . }},{{ end }}", "1,2,3,"},
              {"{{ range $i, $v := split \"a b\" \" \" }}{{ $i }}{{ $v }} {{ end }}", "0a 1b "},
              {"{{ range $k, $v := map \"x\" 1 \"y\" 2 }}{{ $k }}={{ $v }};{{ end }}", "x=1;y=2;"},
              {"{{ range split \"\" \",\" }}[{{ . }}]{{ end }}", "[]"},
              {"{{ range getvs \"/none/*\" }}x{{ else }}empty{{ end }}", "empty"},
              {"{{ range seq 1 9 }}{{ if eq . 3 }}{{ break }}{{ end }}{{ . }}{{ end }}", "12"},
              {"{{ range seq 1 3 }}{{ if eq . 2 }}{{ continue }}{{ end }}{{ . }}{{ end }}", "13"}});
}

TEST(Template, VariablesEndWithTheirBlockButAssignmentReachesOut) {
  expect_all({{"{{ $x := 1 }}{{ $x }}", "1"},
              {"{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ end }}{{ $x }}", "1"},
              {"{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}", "2"},
              {"{{ $m := map \"a\" (map \"b\" 7) }}{{ $m.a.b }}", "7"}});
  expect_error("{{ if true }}{{ $x := 2 }}{{ end }}{{ $x }}", "$x");
}

TEST(Template, PipelinesPassTheirResultAsLastArgument) {
  expect_all({{"{{ \"a,b\" | printf \"%s!\" | toUpper }}", "A,B!"},
              {"{{ \"5\" | atoi | add 1 }}", "6"},
              {"{{ (getv \"/mysqld/port\" | atoi) }}", "3306"}});
}

TEST(Template, KeysAreReadListedAndMatched) {
  expect_all({{"{{ getv \"/mysqld/max_connections\" }}", "500"},
              {"{{ getv \"/none\" \"7\" }}", "7"},
              {"{{ getv \"/none\" 7 }}", "7"},
              {"{{ (get \"/flag\").Key }}={{ (get \"/flag\").Value }}", "/flag=true"},
              {"{{ range gets \"/mysqld/*\" }}{{ base .Key }}={{ .Value }} {{ end }}",
               "max_connections=500 port=3306 "},
              {"{{ range getvs \"/users/*/name\" }}{{ . }} {{ end }}", "ann bob "},
              {"{{ range ls \"/mysqld\" }}{{ . }} {{ end }}", "max_connections port sub "},
              {"{{ range lsdir \"/mysqld\" }}{{ . }} {{ end }}", "sub "},
              {"{{ exists \"/none\" }}", "false"}});
  expect_error("line one\n{{ getv \"/none\" }}", "line 2: getv: there is no value \"/none\"");
}

TEST(Template, Arithmetic) {
  expect_all(
      {{"{{ add 2 3 }} {{ sub 2 3 }} {{ mul 2 3 }} {{ div 7 2 }} {{ mod 7 2 }}", "5 -1 6 3 1"},
       {"{{ div (mul (atoi \"8192\") 75) 100 }}", "6144"},
       {"{{ mul (toFloat64 \"1.5\") 2 }}", "3"},
       {"{{ printf \"%05d|%.2f|%-4s|%q|%v|%%\" 42 1.5 \"ab\" \"c\" true }}",
        "00042|1.50|ab  |\"c\"|true|%"}});
  expect_error("{{ div 1 0 }}", "division by zero");
  expect_error("{{ mul 9223372036854775807 2 }}", "too large");
  expect_error("{{ atoi \"4x\" }}", "not an integer");
  expect_error("{{ add \"1\" 2 }}", "two numbers");
}

TEST(Template, TextsPathsAndCollections) {
  expect_all({{"{{ replace \"a-b-c\" \"-\" \"_\" -1 }}", "a_b_c"},
              {"{{ join (split \"a,b\" \",\") \"+\" }}", "a+b"},
              {"{{ trimSuffix \"a.cnf\" \".cnf\" }}{{ contains \"abc\" \"b\" }}", "atrue"},
              {"{{ base \"/a/b.c\" }} {{ dir \"/a/b.c\" }} {{ filePathJoin \"/a/\" \"../b\" }}",
               "b.c /a /b"},
              {"{{ (json `{\"a\":{\"b\":[1,2]}}`).a.b }}", "[1 2]"},
              {"{{ index (jsonArray `[\"x\",\"y\"]`) 1 }} {{ len \"abc\" }}", "y 3"},
              {"{{ join (reverse (split \"a b\" \" \")) \"\" }}", "ba"},
              {"{{ join (sortByLength (split \"ccc a bb\" \" \")) \" \" }}", "a bb ccc"}});
}

TEST(Template, ComparisonsFollowGo) {
  expect_all({{"{{ eq 1 1 }} {{ ne \"a\" \"b\" }} {{ lt 1 2 }} {{ ge \"b\" \"a\" }}",
               "true true true true"},
              {"{{ eq \"c\" \"a\" \"b\" \"c\" }}", "true"}});
  expect_error("{{ eq 1 \"1\" }}", "cannot be compared");
}

TEST(Template, MistakesAreErrorsThatNameTheLine) {
  expect_error("{{ if true }}x", "not closed by {{end}}");
  expect_error("x\n\n{{ end }}", "line 3");
  expect_error("{{ nothing 1 }}", "no function \"nothing\"");
  expect_error("{{ 1", "not closed by }}");
  expect_error("{{ \"x }}", "not closed");
  expect_error("{{ template \"x\" }}", "not supported");
  expect_error("{{ .a }}", ".a is asked of nothing");
  expect_error("{{ break }}", "outside of");
}

TEST(Template, EndlessWorkAndOutputAreBounded) {
  expect_error("{{ range seq 1 99999 }}{{ range seq 1 99999 }}{{ end }}{{ end }}",
               "too many steps");
  expect_error("{{ $x := printf \"%1000d\" 1 }}{{ range seq 1 9999 }}{{ $x }}{{ end }}",
               "too long");
  expect_error("{{ seq 1 1000000000 }}", "at most");
  std::string deep;
  for (int i = 0; i < 200; ++i) deep += "{{ if true }}";
  expect_error(deep, "nested too deeply");
}

}  // namespace
}  // namespace troupe::agent
