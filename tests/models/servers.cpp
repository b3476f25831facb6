#include "tests/models/servers.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::models {

using std::chrono::seconds;

std::string name_of(int server) {
  return server == kOutside ? "outside" : std::string(1, static_cast<char>('a' + server));
}

seconds patience(Verb verb) {
  switch (verb) {
    case Verb::Clone:
      return seconds(120);
    case Verb::StartGroup:
    case Verb::StopGroup:
    case Verb::SetGroupPrimary:
      return seconds(60);
    default:
      return seconds(5);
  }
}

Servers::Servers(std::string group) : group_(std::move(group)), names_{{group_, "the group"}} {}

void Servers::order(int member, Command command) {
  command.member = name_of(member);
  if (command.verb == Verb::StartGroup) command.group = group_;
  const auto ended = answer(member, command);
  lines_.push_back(fmt::format(
      "{} {}{} of epoch {}: {}", command.member, mysql_topology::to_string(command.verb),
      command.bootstrap ? " (bootstrap)" : "", command.epoch.value, ended));
}

void Servers::try_to(int member, Command command) { answer(member, command); }

void Servers::forms() {
  order(0, {.verb = Verb::Promote, .epoch = Epoch{1}, .acks = 1, .semi_sync = true});
  for (int replica : {1, 2})
    order(replica, {.verb = Verb::Follow, .epoch = Epoch{1}, .peer = "a", .semi_sync = true});
  order(0, {.verb = Verb::Open, .epoch = Epoch{1}, .acks = 1, .semi_sync = true});
  make_table(0);
  look();
}

void Servers::forms_group() {
  for (int i = 0; i < kMembers; ++i) order(i, {.verb = Verb::StopGroup, .epoch = Epoch{1}});
  for (int i = 0; i < kMembers; ++i)
    order(i, {.verb = Verb::StartGroup, .epoch = Epoch{1}, .bootstrap = i == 0});
  make_table(0);
  look();
}

void Servers::forms_fed_from_outside() {
  add_outside();
  has_outside_ = true;
  make_table(kOutside);
  order(0, {.verb = Verb::Follow, .epoch = Epoch{1}, .peer = name_of(kOutside)});
  for (int replica : {1, 2}) order(replica, {.verb = Verb::Follow, .epoch = Epoch{1}, .peer = "a"});
  look();
}

void Servers::look_after(Duration so_long) { lines_.push_back(picture(so_long)); }

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

std::string Servers::name_by(const mysql::Uuid& uuid) const {
  const auto found = names_.find(mysql::to_string(uuid));
  return found == names_.end() ? "?" : found->second;
}

std::string Servers::text_of(const mysql::GtidSet& set) const {
  std::vector<std::string> parts;
  for (const auto& entry : set.entries()) {
    std::uint64_t count = 0;
    for (const auto& interval : entry.intervals) count += interval.last - interval.first + 1;
    parts.push_back(fmt::format("{} of {}", count, name_by(entry.source.uuid)));
  }
  std::sort(parts.begin(), parts.end());
  return parts.empty() ? "nothing" : fmt::format("{}", fmt::join(parts, ", "));
}

// The number of the view counts what has become of the group; its prefix is by chance.
std::string Servers::text_of(const mysql::GroupStatus& group) const {
  using enum mysql::GroupState;
  if (group.state != Online && group.state != Recovering)
    return fmt::format("{} in its group", mysql::to_string(group.state));
  std::vector<std::string> peers;
  for (const auto& peer : group.peers)
    peers.push_back(fmt::format("{} {}{}", peer.server_uuid ? name_by(*peer.server_uuid) : "?",
                                mysql::to_string(peer.state), peer.primary ? " PRIMARY" : ""));
  std::sort(peers.begin(), peers.end());
  return fmt::format("view {} of {}", group.view_id.substr(group.view_id.find(':') + 1),
                     fmt::join(peers, ", "));
}

std::string Servers::draw(const Seen& seen, std::size_t told) {
  for (int i = 0; i < size(); ++i)
    if (const auto& o = seen[static_cast<std::size_t>(i)])
      name(i, mysql::to_string(o->server_uuid));
  auto out = fmt::format("{} writes acknowledged", told);
  for (int i = 0; i < size(); ++i) {
    out += fmt::format("\n    {}: ", name_of(i));
    const auto& o = seen[static_cast<std::size_t>(i)];
    if (!o) {
      out += "does not answer";
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
    const auto received = o->group     ? o->group->received
                          : o->replica ? o->replica->retrieved
                                       : mysql::GtidSet();
    const auto to_apply = subtract(received, o->gtid_executed);
    if (!to_apply.empty()) out += fmt::format(", {} to apply", text_of(to_apply));
    if (o->group) out += fmt::format("\n       {}", text_of(*o->group));
    if (!o->replica) continue;
    out += fmt::format(", from {}: receiver {}, applier {}", name_of(member_at(*o->replica)),
                       to_string(o->replica->io), to_string(o->replica->sql));
  }
  return out;
}

}  // namespace troupe::models
