#include <arpa/nameser.h>
#include <gtest/gtest.h>
#include <resolv.h>

#include <algorithm>

#include "k8s/sim/kubelet/address_plan.hpp"
#include "k8s/sim/kubelet/death_watch.hpp"
#include "k8s/sim/kubelet/dns_answer.hpp"
#include "k8s/sim/kubelet/service_table.hpp"

namespace troupe::sim {
namespace {

namespace json = boost::json;

const json::value kHeadless = json::parse(R"({"metadata": {"name": "db", "namespace": "ns"},
    "spec": {"clusterIP": "None", "ports": [{"name": "mysql", "port": 3306}]}})");
const json::value kService = json::parse(R"({"metadata": {"name": "web", "namespace": "ns"},
    "spec": {"clusterIP": "10.96.0.9", "ports": [{"name": "http", "port": 80, "nodePort": 30080}]},
    "status": {"loadBalancer": {"ingress": [{"ip": "10.128.0.1"}]}}})");
const json::value kSlice = json::parse(R"({"ports": [{"name": "mysql", "port": 3306},
      {"name": "http", "port": 8080}],
    "endpoints": [
      {"addresses": ["10.244.0.70"], "hostname": "db-0", "conditions": {"ready": true}},
      {"addresses": ["10.244.0.71"], "hostname": "db-1", "conditions": {"ready": false}}]})");

NameTable names() {
  NameTable table;
  table.add_service(kHeadless, {&kSlice});
  table.add_service(kService, {&kSlice});
  return table;
}

struct Answer {
  int code = -1;
  std::vector<std::string> records;  // as text: addresses, or "port host"
};

Answer ask(const NameTable& table, const std::string& name, int type) {
  unsigned char query[512];
  const int size =
      res_mkquery(ns_o_query, name.c_str(), ns_c_in, type, nullptr, 0, nullptr, query, 512);
  const std::string reply = answer_query(
      {reinterpret_cast<const char*>(query), static_cast<std::size_t>(size)}, table, kMaxUdpAnswer);
  ns_msg message;
  if (ns_initparse(reinterpret_cast<const unsigned char*>(reply.data()),
                   static_cast<int>(reply.size()), &message) != 0) {
    return {};
  }
  Answer answer{ns_msg_getflag(message, ns_f_rcode), {}};
  for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
    ns_rr record;
    if (ns_parserr(&message, ns_s_an, i, &record) != 0) return {};
    const unsigned char* data = ns_rr_rdata(record);
    if (ns_rr_type(record) == ns_t_a) {
      answer.records.push_back(to_string(Ipv4{static_cast<std::uint32_t>(ns_get32(data))}));
      continue;
    }
    char text[NS_MAXDNAME];
    const std::size_t skip = ns_rr_type(record) == ns_t_srv ? 6 : 0;
    ns_name_uncompress(ns_msg_base(message), ns_msg_end(message), data + skip, text, sizeof(text));
    const std::string port = skip == 0 ? "" : std::to_string(ns_get16(data + 4)) + " ";
    answer.records.push_back(port + text);
  }
  std::sort(answer.records.begin(), answer.records.end());
  return answer;
}

using Records = std::vector<std::string>;

TEST(ClusterNames, AServiceHasItsAddressAndAHeadlessOneThoseOfItsReadyPods) {
  EXPECT_EQ(ask(names(), "web.ns.svc.cluster.local", ns_t_a).records, Records{"10.96.0.9"});
  EXPECT_EQ(ask(names(), "DB.ns.svc.Cluster.local", ns_t_a).records, Records{"10.244.0.70"});
  EXPECT_EQ(ask(names(), "db-0.db.ns.svc.cluster.local", ns_t_a).records, Records{"10.244.0.70"});
  EXPECT_EQ(ask(names(), "_mysql._tcp.db.ns.svc.cluster.local", ns_t_srv).records,
            Records{"3306 db-0.db.ns.svc.cluster.local"});
  EXPECT_EQ(ask(names(), "70.0.244.10.in-addr.arpa", ns_t_ptr).records,
            Records{"db-0.db.ns.svc.cluster.local"});
}

TEST(ClusterNames, PublishingNotReadyAddressesNamesAllPods) {
  json::value service = kHeadless;
  service.at("spec").as_object()["publishNotReadyAddresses"] = true;
  NameTable table;
  table.add_service(service, {&kSlice});
  EXPECT_EQ(ask(table, "db.ns.svc.cluster.local", ns_t_a).records,
            (Records{"10.244.0.70", "10.244.0.71"}));
}

TEST(ClusterNames, WhatIsNotThereDoesNotExistAndAnotherTypeIsEmpty) {
  EXPECT_EQ(ask(names(), "example.org", ns_t_a).code, ns_r_nxdomain);
  EXPECT_EQ(ask(names(), "db-1.db.ns.svc.cluster.local", ns_t_a).code, ns_r_nxdomain);
  const Answer v6 = ask(names(), "web.ns.svc.cluster.local", ns_t_aaaa);
  EXPECT_EQ(v6.code, ns_r_noerror);
  EXPECT_TRUE(v6.records.empty());
}

TEST(ClusterNames, AnAnswerThatDoesNotFitIsMarkedTruncated) {
  json::value slice = kSlice;
  for (int i = 0; i < 60; ++i) {
    json::object endpoint;
    endpoint["addresses"] = json::array{json::value("10.244.1." + std::to_string(i))};
    slice.at("endpoints").as_array().push_back(std::move(endpoint));
  }
  NameTable table;
  table.add_service(kHeadless, {&slice});
  unsigned char query[512];
  const int size = res_mkquery(ns_o_query, "db.ns.svc.cluster.local", ns_c_in, ns_t_a, nullptr, 0,
                               nullptr, query, 512);
  const std::string_view bytes(reinterpret_cast<const char*>(query),
                               static_cast<std::size_t>(size));
  const auto truncated = [](const std::string& reply) {
    return reinterpret_cast<const HEADER*>(reply.data())->tc == 1;
  };
  const std::string small = answer_query(bytes, table, kMaxUdpAnswer);
  EXPECT_LE(small.size(), kMaxUdpAnswer);
  EXPECT_TRUE(truncated(small));
  EXPECT_FALSE(truncated(answer_query(bytes, table, kMaxTcpAnswer)));
}

TEST(ClusterNames, GarbageGetsNoAnswer) {
  EXPECT_EQ(answer_query("", names(), kMaxUdpAnswer), "");
  EXPECT_EQ(answer_query(std::string(40, '\xff'), names(), kMaxUdpAnswer), "");
}

TEST(ServiceForwards, EveryAddressOfAServiceLeadsToItsReadyEndpoints) {
  ForwardTable table;
  add_forwards(table, kService, {&kSlice}, {"10.244.0.1", "127.0.0.1"});
  ASSERT_EQ(table.size(), 4U);
  for (const Frontend& frontend : {Frontend{"10.96.0.9", 80},
                                   {"10.128.0.1", 80},
                                   {"10.244.0.1", 30080},
                                   {"127.0.0.1", 30080}}) {
    ASSERT_TRUE(table.contains(frontend)) << frontend.address;
    EXPECT_EQ(table[frontend].backends, (std::vector<Backend>{{"10.244.0.70", 8080}}));
  }
}

TEST(AddressPlan, ClustersDoNotOverlapAndAPoolReusesLast) {
  for (int i = 0; i + 1 < AddressPlan::kClusters; ++i) {
    const AddressPlan plan{i}, next{i + 1};
    EXPECT_FALSE(plan.pods().contains(next.pods().base));
    EXPECT_FALSE(plan.services().contains(next.services().base));
  }
  AddressPool pool(Subnet{{0x0a000000}, 29}, 1);  // .1 to .6
  const auto first = pool.take();
  pool.give_back(*first);
  for (int i = 2; i <= 6; ++i) EXPECT_EQ(pool.take(), Ipv4{0x0a000000U + static_cast<unsigned>(i)});
  EXPECT_EQ(pool.take(), first);
  EXPECT_EQ(pool.take(), std::nullopt);
}

// A line as /proc/PID/stat has it, with what the watch looks at.
std::string stat_line(char state, unsigned flags, int threads, int exit_code) {
  std::string line = "42 (a name (with) brackets) ";
  line += state;
  for (int field = 4; field <= 52; ++field) {
    line += ' ';
    line += std::to_string(field == 9    ? static_cast<int>(flags)
                           : field == 20 ? threads
                           : field == 52 ? exit_code
                                         : 7);
  }
  return line + "\n";
}

TEST(DeathWatch, SeesAProcessThatIsExitingOrAZombie) {
  EXPECT_FALSE(dying_status(stat_line('S', 0x400000, 30, 0)));
  const auto killed = dying_status(stat_line('R', 0x400004, 30, 9));
  ASSERT_TRUE(killed);
  EXPECT_EQ(killed->code, 137);
  EXPECT_EQ(killed->signal, 9);
  EXPECT_EQ(dying_status(stat_line('Z', 0x400004, 1, 3 << 8))->code, 3);
}

TEST(DeathWatch, ALeaderThatEndedAloneIsNotTheEndOfItsProcess) {
  EXPECT_FALSE(dying_status(stat_line('Z', 0x400004, 5, 0)));
}

}  // namespace
}  // namespace troupe::sim
