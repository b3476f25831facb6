#include "tests/unit/actors/mysql_group/group.hpp"

#include <boost/algorithm/string/split.hpp>
#include <stdexcept>

namespace troupe::mysql_group::testing {
namespace {

using mysql::GroupState;

GroupState state_of(std::string_view word) {
  if (word == "PRIMARY") return GroupState::Online;
  for (const auto state : {GroupState::Offline, GroupState::Recovering, GroupState::Online,
                           GroupState::Error, GroupState::Unreachable})
    if (mysql::to_string(state) == word) return state;
  throw std::invalid_argument(std::string(word));
}

mysql::GroupPeer peer_of(std::string_view name, std::string_view word) {
  return {.server_uuid = uuid_of(name),
          .host = std::string(name) + ".db",
          .port = 3306,
          .state = state_of(word),
          .primary = word == "PRIMARY"};
}

}  // namespace

Group Group::fresh(int count) {
  Group g{Servers::fresh(count)};
  g.topology.mode = mysql_topology::Mode::Group;
  g.topology.new_group = kGroup;
  return g;
}

Group Group::lost(int count) {
  auto g = fresh(count);
  g.record() = {.epoch = Epoch{1}, .current = "db-0", .honored = "db-0"};
  g.record().group = kGroup;
  for (int i = 0; i < count; ++i) {
    g.record().quorum.members.push_back(g[i].name);
    g[i].agent.highest_epoch = Epoch{1};
    g.is_out(i).has("db-0:1-10");
  }
  return g;
}

Group Group::formed(int count) {
  auto g = lost(count);
  std::string seats = "db-0=PRIMARY";
  for (int i = 1; i < count; ++i) seats += " " + g[i].name + "=ONLINE";
  for (int i = 0; i < count; ++i) {
    g.seen_by({i}, "g:1", seats);
    g[i].seen.offline_mode = false;
    g[i].seen.read_only = g[i].seen.super_read_only = i != 0;
    g[i].has("db-0:1-10");
  }
  g[0].seen.seen += milliseconds(10);  // the primary was asked last
  return g;
}

void Group::seen_by(std::initializer_list<int> members, std::string_view view_id,
                    std::string_view seats) {
  std::vector<std::string> words;
  boost::algorithm::split(words, seats, [](char c) { return c == ' '; });
  for (const int i : members) {
    auto& status = (*this)[i].seen.group.emplace();
    status.group_name = kGroup;
    status.view_id = view_id;
    for (const auto& word : words) {
      const auto at = word.find('=');
      status.peers.push_back(peer_of(word.substr(0, at), word.substr(at + 1)));
      if (word.substr(0, at) == (*this)[i].name) status.state = status.peers.back().state;
    }
  }
}

Server& Group::is_out(int ordinal, std::string_view says) {
  auto& server = (*this)[ordinal].is_closed();
  auto& status = server.seen.group.emplace();
  status.group_name = kGroup;
  status.state = state_of(says);
  status.peers.push_back(peer_of(server.name, says));
  return server;
}

void Group::has_stopped(int ordinal, std::string_view executed, std::string_view received) {
  (*this)[ordinal].did(Verb::StopGroup, record().epoch.value, executed, received);
}

}  // namespace troupe::mysql_group::testing
