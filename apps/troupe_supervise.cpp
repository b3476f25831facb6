// troupe-supervise: process 1 of a database's container. See engines/agent/supervise/server.hpp.
#include <getopt.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <exception>
#include <optional>
#include <string_view>

#include "engines/agent/supervise/install.hpp"
#include "engines/agent/supervise/server.hpp"

namespace {

namespace supervise = troupe::agent::supervise;

constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;

constexpr const char* kUsage =
    "usage: troupe-supervise install DIRECTORY\n"
    "       troupe-supervise run --socket PATH [--grace SECONDS] [--reserve SECONDS]\n"
    "\n"
    "install  copies this program into DIRECTORY\n"
    "run      starts, watches and stops a database as the agent at PATH orders\n"
    "  --grace    the Pod's terminationGracePeriodSeconds (30)\n"
    "  --reserve  what of it is kept for the database's own end (10)\n";

int wrong_usage() {
  std::fputs(kUsage, stderr);
  return kWrongUsage;
}

int unknown(std::string_view argument) {
  std::fprintf(stderr, "troupe-supervise: unknown argument %.*s (--help shows the usage)\n",
               static_cast<int>(argument.size()), argument.data());
  return kWrongUsage;
}

std::optional<std::chrono::milliseconds> seconds(std::string_view text) {
  unsigned value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return std::chrono::seconds(value);
}

void log_line(const std::string& line) {
  std::fprintf(stderr, "troupe-supervise: %s\n", line.c_str());
}

int run(int argc, char** argv) {
  supervise::ServerOptions options{.log = log_line};
  const option names[] = {{"socket", required_argument, nullptr, 's'},
                          {"grace", required_argument, nullptr, 'g'},
                          {"reserve", required_argument, nullptr, 'r'},
                          {nullptr, 0, nullptr, 0}};
  for (int name; (name = ::getopt_long(argc, argv, "", names, nullptr)) != -1;) {
    if (name == 's') {
      options.socket_path = optarg;
      continue;
    }
    if (name != 'g' && name != 'r') return wrong_usage();
    const auto value = seconds(optarg);
    if (!value) return wrong_usage();
    (name == 'g' ? options.grace : options.reserve) = *value;
  }
  if (options.socket_path.empty() || optind + 1 != argc)
    return wrong_usage();  // "run" itself is left
  return supervise::Server(options).run();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view verb = argc > 1 ? argv[1] : "";
  try {
    if (verb == "install" && argc == 3) {
      supervise::install_self(argv[2]);
      return 0;
    }
    if (verb == "run") return run(argc, argv);
    if (verb == "--help" || verb == "-h") {
      std::fputs(kUsage, stdout);
      return 0;
    }
    return verb.empty() || verb == "install" ? wrong_usage() : unknown(verb);
  } catch (const std::exception& failure) {
    log_line(failure.what());
    return kFailed;
  }
}
