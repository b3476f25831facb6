#include "tests/models/servers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/uuid/uuid_io.hpp>

namespace troupe::models {

std::string name_of(int member) { return std::string(1, static_cast<char>('a' + member)); }

void Servers::order(int member, Command command) {
  command.member = name_of(member);
  const auto ended = answer(member, command);
  lines_.push_back(fmt::format("{} {} of epoch {}: {}", command.member,
                               mysql_topology::to_string(command.verb), command.epoch.value,
                               ended));
}

void Servers::forms() {
  order(0, {.verb = Verb::Promote, .epoch = Epoch{1}, .acks = 1, .semi_sync = true});
  for (int replica : {1, 2})
    order(replica, {.verb = Verb::Follow, .epoch = Epoch{1}, .peer = "a", .semi_sync = true});
  order(0, {.verb = Verb::Open, .epoch = Epoch{1}, .acks = 1, .semi_sync = true});
  make_table(0);
  look();
}

void Servers::look() { lines_.push_back(picture()); }

void Servers::name(int member, const std::string& uuid) {
  if (names_.contains(uuid)) return;
  auto name = name_of(member);
  const auto taken = [&] {
    return std::any_of(names_.begin(), names_.end(),
                       [&](const auto& n) { return n.second == name; });
  };
  while (taken()) name += '\'';
  names_[uuid] = name;
}

std::string Servers::text_of(const mysql::GtidSet& set) const {
  std::vector<std::string> parts;
  for (const auto& entry : set.entries()) {
    std::uint64_t count = 0;
    for (const auto& interval : entry.intervals) count += interval.last - interval.first + 1;
    const auto found = names_.find(boost::uuids::to_string(entry.source.uuid));
    parts.push_back(fmt::format("{} of {}", count, found == names_.end() ? "?" : found->second));
  }
  std::sort(parts.begin(), parts.end());
  return parts.empty() ? "nothing" : fmt::format("{}", fmt::join(parts, ", "));
}

std::string Servers::draw(const Seen& seen, std::size_t told) {
  for (int i = 0; i < kMembers; ++i)
    if (const auto& o = seen[static_cast<std::size_t>(i)])
      name(i, boost::uuids::to_string(o->server_uuid));
  auto out = fmt::format("{} writes acknowledged", told);
  for (int i = 0; i < kMembers; ++i) {
    out += fmt::format("\n    {}: ", name_of(i));
    const auto& o = seen[static_cast<std::size_t>(i)];
    if (!o) {
      out += "paused";
      continue;
    }
    out += fmt::format("{}, {}, has {}", o->offline_mode ? "offline" : "online",
                       o->super_read_only ? "super_read_only"
                       : o->read_only     ? "read_only"
                                          : "writable",
                       text_of(o->gtid_executed));
    const auto& source = o->semi_sync_source;
    if (source.wait_sessions > 0) out += fmt::format(", {} waiting", *source.wait_sessions);
    if (source.enabled && source.clients > 0) out += fmt::format(", {} attached", *source.clients);
    if (!o->replica) continue;
    const auto to_apply = subtract(o->replica->retrieved, o->gtid_executed);
    if (!to_apply.empty()) out += fmt::format(", {} to apply", text_of(to_apply));
    out += fmt::format(", from {}: receiver {}, applier {}", name_of(member_at(*o->replica)),
                       to_string(o->replica->io), to_string(o->replica->sql));
  }
  return out;
}

}  // namespace troupe::models
