// Command lines of the programs: --help and --version end with 0; wrong usage ends with 2 and a
// message on standard error that says what is wrong.
#pragma once

#include <CLI/CLI.hpp>
#include <iostream>
#include <optional>

namespace troupe::apps {

inline constexpr int kFailed = 1;
inline constexpr int kWrongUsage = 2;

// The status to end with; nothing: go on.
inline std::optional<int> parse_arguments(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);
    // CLI11 asks for what is missing before it looks at what it does not know.
    const auto unknown = app.remaining(true);
    const std::string what = unknown.empty() ? e.what() : "unknown argument " + unknown.front();
    std::cerr << app.get_name() << ": " << what << " (--help shows the usage)\n";
    return kWrongUsage;
  }
}

}  // namespace troupe::apps
