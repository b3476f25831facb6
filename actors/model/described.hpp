// Effects, decisions and what a Sight shows, described for journals (runtime/model/described.hpp).
#pragma once

#include <boost/describe.hpp>

#include "actors/model/decision.hpp"
#include "actors/model/refusal.hpp"
#include "actors/model/sight.hpp"
#include "engines/agent/model/described.hpp"
#include "engines/mysql/model/described.hpp"
#include "k8s/api/kinds.hpp"
#include "runtime/model/described.hpp"

namespace troupe {

// "Pod.", "Unit.upm.syntropycloud.io".
template <>
struct TextForm<k8s::KindId> {
  static std::string write(k8s::KindId id) {
    const auto* kind = k8s::find_kind(id);
    return kind ? fmt::format("{}.{}", kind->table.kind, kind->table.group) : std::string();
  }
  static Result<k8s::KindId> read(std::string_view text) {
    const auto dot = std::min(text.find('.'), text.size());
    const auto group = dot < text.size() ? text.substr(dot + 1) : std::string_view();
    return k8s::kind_id(group, text.substr(0, dot));
  }
};

template <>
struct TextForm<k8s::ResourceVersion> {
  static std::string write(k8s::ResourceVersion version) { return std::to_string(version.value); }
  static Result<k8s::ResourceVersion> read(std::string_view text) {
    return k8s::parse_resource_version(text);
  }
};

}  // namespace troupe

namespace troupe::actors {

BOOST_DESCRIBE_STRUCT(Settings, (), (operator_namespace, image, cluster_domain))
BOOST_DESCRIBE_STRUCT(Refusal, (), (key, error, since))
BOOST_DESCRIBE_STRUCT(ObjectRef, (), (kind, ns, name))

BOOST_DESCRIBE_STRUCT(Apply, (), (object, manager, body, status, expected, urgent, dry_run))
BOOST_DESCRIBE_STRUCT(MergePatch, (), (object, body, expected))
BOOST_DESCRIBE_STRUCT(Delete, (), (object, uid, grace_seconds))
BOOST_DESCRIBE_STRUCT(EmitEvent, (), (about, uid, warning, reason, text, condition, before))
BOOST_DESCRIBE_STRUCT(AskAgent, (), (endpoint, action, epoch))
BOOST_DESCRIBE_STRUCT(ProbeNow, (), (endpoint))
BOOST_DESCRIBE_STRUCT(IssueCertificate, (), (secret, owner_references, dns_names))
BOOST_DESCRIBE_STRUCT(TrustAuthorities, (), (secret))
BOOST_DESCRIBE_STRUCT(StoreAuthority, (), (secret, trusted))
BOOST_DESCRIBE_STRUCT(AdvanceAuthority, (), (secret, step, expected))
BOOST_DESCRIBE_STRUCT(MakePasswords, (), (secret, owner_references, users, exists))
BOOST_DESCRIBE_STRUCT(Effect, (), (key, action, deadline))
BOOST_DESCRIBE_STRUCT(EffectResult, (),
                      (key, what, failed, refused, reply, endpoint, epoch, fingerprint, step,
                       finished, took))
BOOST_DESCRIBE_STRUCT(ServerTarget, (),
                      (id, label, ip, port, admin_port, user, password, ca_pem, tls_name))
BOOST_DESCRIBE_STRUCT(Decision, (), (effects, agents, servers, wake, guards, doing))

}  // namespace troupe::actors
