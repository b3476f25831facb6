// Configuration templates: a database's option file from a template and values.
//
// The language is the part of Go's text/template that such templates use (template_syntax.hpp),
// with the key functions of confd over flattened values: getv, get, gets, getvs, exists, ls, lsdir,
// and helpers for numbers, texts, lists and JSON. What reaches outside (the environment, files,
// name resolution, Pod labels, secrets) is given by the caller as functions of its own, so that
// rendering stays pure. A key or label that is missing and has no default is an error that names
// it.
//
// Bounds: kMaxTemplateBytes of template, kMaxOutputBytes of output, kMaxSteps evaluated calls and
// nodes. Errors are Code::Invalid and say the line.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "engines/agent/model/template_value.hpp"
#include "runtime/model/result.hpp"

namespace troupe::agent {

inline constexpr std::size_t kMaxTemplateBytes = 1024 * 1024;  // a ConfigMap's own limit
inline constexpr std::size_t kMaxOutputBytes = 4 * 1024 * 1024;
inline constexpr std::size_t kMaxSteps = 1'000'000;

// "/mysqld/max_connections" -> "500".
using FlatValues = std::map<std::string, std::string, std::less<>>;

using TemplateFunction = std::function<Result<tmpl::Value>(std::span<const tmpl::Value>)>;
using TemplateFunctions = std::map<std::string, TemplateFunction, std::less<>>;

// The functions that need nothing from outside.
TemplateFunctions pure_template_functions(const FlatValues& values);

Result<std::string> render_template(std::string_view text, const TemplateFunctions& functions);

}  // namespace troupe::agent
