// Between the agent's plain values and their wire form (proto/agent.proto). For the two .cpp files
// that speak gRPC only: the generated header is large.
//
// Reading never fails: an unknown enumerator becomes the value that means so, a missing part is its
// default, as protobuf has it; what a command needs is checked where it is carried out.
#pragma once

#include <optional>
#include <string>

#include "engines/agent/model/command.hpp"
#include "engines/agent/model/observation.hpp"
#include "proto/agent.pb.h"

namespace troupe::agent::wire {

namespace pb = troupe::agent::v1;

// Trailing metadata that carries an error's own code.
inline constexpr const char* kCodeKey = "troupe-code";
std::optional<Code> code_of(std::string_view text);

template <class Action>
struct Rpc;  // the request and reply types of a command

template <>
struct Rpc<Render> {
  using Request = pb::RenderRequest;
  using Reply = pb::RenderReply;
};
template <>
struct Rpc<EnsureInitialised> {
  using Request = pb::EnsureInitialisedRequest;
  using Reply = pb::EnsureInitialisedReply;
};
template <>
struct Rpc<StartProcess> {
  using Request = pb::StartProcessRequest;
  using Reply = pb::Acknowledgement;
};
template <>
struct Rpc<StopProcess> {
  using Request = pb::StopProcessRequest;
  using Reply = pb::Acknowledgement;
};
template <>
struct Rpc<KillProcess> {
  using Request = pb::KillProcessRequest;
  using Reply = pb::Acknowledgement;
};
template <>
struct Rpc<EnsureAccounts> {
  using Request = pb::EnsureAccountsRequest;
  using Reply = pb::EnsureAccountsReply;
};
template <>
struct Rpc<StopReceiver> {
  using Request = pb::StopReceiverRequest;
  using Reply = pb::StopReceiverReply;
};
template <>
struct Rpc<Drain> {
  using Request = pb::DrainRequest;
  using Reply = pb::DrainReply;
};
template <>
struct Rpc<Promote> {
  using Request = pb::PromoteRequest;
  using Reply = pb::PromoteReply;
};
template <>
struct Rpc<OpenForWrites> {
  using Request = pb::OpenForWritesRequest;
  using Reply = pb::OpenForWritesReply;
};
template <>
struct Rpc<Follow> {
  using Request = pb::FollowRequest;
  using Reply = pb::FollowReply;
};
template <>
struct Rpc<Close> {
  using Request = pb::CloseRequest;
  using Reply = pb::CloseReply;
};
template <>
struct Rpc<SaveTransactions> {
  using Request = pb::SaveTransactionsRequest;
  using Reply = pb::SaveTransactionsReply;
};
template <>
struct Rpc<Clone> {
  using Request = pb::CloneRequest;
  using Reply = pb::CloneReply;
};
template <>
struct Rpc<ResetBinlogs> {
  using Request = pb::ResetBinlogsRequest;
  using Reply = pb::Acknowledgement;
};
template <>
struct Rpc<StartGroup> {
  using Request = pb::StartGroupRequest;
  using Reply = pb::StartGroupReply;
};
template <>
struct Rpc<StopGroup> {
  using Request = pb::StopGroupRequest;
  using Reply = pb::StopGroupReply;
};
template <>
struct Rpc<SetGroupPrimary> {
  using Request = pb::SetGroupPrimaryRequest;
  using Reply = pb::SetGroupPrimaryReply;
};
template <>
struct Rpc<InspectSource> {
  using Request = pb::InspectSourceRequest;
  using Reply = pb::InspectSourceReply;
};

template <class Action>
typename Rpc<Action>::Request request_of(const CommandHeader& header, const Action& action);
// The header's time_limit stays at its default: the deadline is the call's own.
template <class Action>
Command command_of(const typename Rpc<Action>::Request& request);

template <class Action>
typename Rpc<Action>::Reply reply_to_wire(const Reply& reply);
template <class Action>
Reply reply_of(const typename Rpc<Action>::Reply& reply);

pb::State state_to_wire(std::uint64_t sequence, const AgentObservation& state);
// Everything but what only the receiving end knows (stream, since, seen).
void read_state(const pb::State& in, AgentObservation& out);

}  // namespace troupe::agent::wire
