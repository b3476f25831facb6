#include "k8s/sim/kubelet/dns_answer.hpp"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <fmt/format.h>
#include <resolv.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace troupe::sim {
namespace {

// As the cluster DNS of real clusters: short, for pods come and go.
constexpr std::uint32_t kTimeToLive = 5;
constexpr std::string_view kReverseDomain = ".in-addr.arpa";

struct Question {
  std::string name;  // lower case, no final dot
  int type = 0;
  std::size_t end = 0;  // offset behind it in the query
};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

// Appends a message's records behind its header and question.
class Response {
 public:
  Response(std::string_view query, const Question& question, std::size_t max_size)
      : bytes_(max_size) {
    std::memcpy(bytes_.data(), query.data(), question.end);
    at_ = question.end;
    auto* header = reinterpret_cast<HEADER*>(bytes_.data());
    header->qr = 1;
    header->aa = 1;
    header->ra = 1;
    header->tc = 0;
    header->ancount = header->nscount = header->arcount = 0;
    header->rcode = ns_r_noerror;
  }

  void set_code(int code) { reinterpret_cast<HEADER*>(bytes_.data())->rcode = code & 0xf; }

  void add_address(std::string_view owner, const std::string& address) {
    in_addr binary;
    if (inet_pton(AF_INET, address.c_str(), &binary) != 1) return;
    add(owner, ns_t_a, [&] { put(&binary, sizeof(binary)); });
  }
  void add_name(std::string_view owner, int type, const std::string& target) {
    add(owner, type, [&] { put_name(target); });
  }
  void add_service(std::string_view owner, const NameTable::Target& target) {
    add(owner, ns_t_srv, [&] {
      put16(0);  // priority
      put16(100);
      put16(target.port);
      put_name(target.host);
    });
  }

  std::string take() const { return {reinterpret_cast<const char*>(bytes_.data()), at_}; }

 private:
  template <class Data>
  void add(std::string_view owner, int type, const Data& data) {
    const std::size_t begin = at_;
    fits_ = true;
    put_name(std::string(owner));
    put16(static_cast<unsigned>(type));
    put16(ns_c_in);
    put16(kTimeToLive >> 16);
    put16(kTimeToLive & 0xffff);
    const std::size_t length_at = at_;
    put16(0);
    data();
    auto* header = reinterpret_cast<HEADER*>(bytes_.data());
    if (!fits_) {
      at_ = begin;
      header->tc = 1;
      return;
    }
    ns_put16(static_cast<unsigned>(at_ - length_at - 2), bytes_.data() + length_at);
    header->ancount = htons(static_cast<std::uint16_t>(ntohs(header->ancount) + 1));
  }

  void put(const void* data, std::size_t size) {
    fits_ = fits_ && at_ + size <= bytes_.size();
    if (!fits_) return;
    std::memcpy(bytes_.data() + at_, data, size);
    at_ += size;
  }
  void put16(unsigned value) {
    std::array<unsigned char, 2> bytes;
    ns_put16(value, bytes.data());
    put(bytes.data(), bytes.size());
  }
  void put_name(const std::string& name) {
    if (!fits_) return;
    const int n = dn_comp(name.c_str(), bytes_.data() + at_, static_cast<int>(bytes_.size() - at_),
                          nullptr, nullptr);
    if (n < 0) {
      fits_ = false;
    } else {
      at_ += static_cast<std::size_t>(n);
    }
  }

  std::vector<unsigned char> bytes_;
  std::size_t at_ = 0;
  bool fits_ = true;
};

// The address that a reverse name ("4.3.2.1.in-addr.arpa") is about.
std::string reversed_address(std::string_view name) {
  name.remove_suffix(kReverseDomain.size());
  in_addr binary;
  if (inet_pton(AF_INET, std::string(name).c_str(), &binary) != 1) return {};
  const auto* b = reinterpret_cast<const unsigned char*>(&binary);
  return fmt::format("{}.{}.{}.{}", b[3], b[2], b[1], b[0]);
}

void answer(Response& response, const Question& question, const NameTable& names) {
  const std::string& name = question.name;
  if (name.ends_with(kReverseDomain)) {
    const std::string target = names.name_of_address(reversed_address(name));
    if (target.empty()) return response.set_code(ns_r_nxdomain);
    if (question.type == ns_t_ptr) response.add_name(name, ns_t_ptr, target);
    return;
  }
  if (!names.knows(name)) return response.set_code(ns_r_nxdomain);
  const std::string alias = names.alias(name);
  if (!alias.empty()) {
    response.add_name(name, ns_t_cname, alias);
    if (question.type != ns_t_a) return;
    for (const std::string& address : names.addresses(lower(alias))) {
      response.add_address(alias, address);
    }
    return;
  }
  if (question.type == ns_t_a) {
    for (const std::string& address : names.addresses(name)) response.add_address(name, address);
  } else if (question.type == ns_t_srv) {
    for (const auto& target : names.services(name)) response.add_service(name, target);
  }
}

}  // namespace

std::string answer_query(std::string_view query, const NameTable& names, std::size_t max_size) {
  ns_msg message;
  ns_rr record;
  const auto* bytes = reinterpret_cast<const unsigned char*>(query.data());
  if (ns_initparse(bytes, static_cast<int>(query.size()), &message) != 0) return {};
  if (ns_msg_getflag(message, ns_f_qr) != 0 || ns_msg_count(message, ns_s_qd) != 1) return {};
  if (ns_parserr(&message, ns_s_qd, 0, &record) != 0) return {};
  const int name_size = dn_skipname(bytes + NS_HFIXEDSZ, bytes + query.size());
  if (name_size < 0) return {};
  const Question question{lower(ns_rr_name(record)), ns_rr_type(record),
                          NS_HFIXEDSZ + static_cast<std::size_t>(name_size) + NS_QFIXEDSZ};
  if (question.end > std::min(query.size(), max_size)) return {};
  Response response(query, question, max_size);
  if (ns_msg_getflag(message, ns_f_opcode) != ns_o_query) {
    response.set_code(ns_r_notimpl);
  } else {
    answer(response, question, names);
  }
  return response.take();
}

}  // namespace troupe::sim
