#include "k8s/sim/api/request_info.hpp"

#include <fmt/format.h>

#include <boost/url.hpp>
#include <charconv>
#include <vector>

namespace troupe::sim {
namespace {

constexpr std::string_view kAccepted = "application/json";

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find(separator);
    auto part = text.substr(0, end);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    parts.push_back(part);
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// Members of /namespaces/NAME/ that are subresources of the namespace, not resources in it.
bool is_namespace_subresource(std::string_view name) {
  return name == "status" || name == "finalize";
}

// segments: what follows the version.
void parse_resource(const std::vector<std::string>& segments, RequestInfo& info) {
  std::size_t at = 0;
  const auto left = [&] { return segments.size() - at; };
  if (left() > 0 && segments[at] == "watch") {
    info.watch = true;
    ++at;
  }
  if (left() == 0) return;
  info.resource_request = true;
  if (segments[at] == "namespaces" && left() > 2 && !is_namespace_subresource(segments[at + 2])) {
    info.ns = segments[at + 1];
    at += 2;
  }
  info.resource = segments[at++];
  if (left() > 0) info.name = segments[at++];
  while (left() > 0) {
    if (!info.subresource.empty()) info.subresource += '/';
    info.subresource += segments[at++];
  }
}

}  // namespace

std::string_view RequestInfo::param(std::string_view key) const {
  const auto found = query.find(key);
  return found == query.end() ? std::string_view{} : std::string_view(found->second);
}

bool RequestInfo::flag(std::string_view key) const {
  const auto found = query.find(key);
  return found != query.end() && found->second != "false" && found->second != "0";
}

std::optional<std::int64_t> RequestInfo::number(std::string_view key) const {
  const auto text = param(key);
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failure != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

ApiResult<RequestInfo> parse_request(const Request& request) {
  const auto url = boost::urls::parse_origin_form(request.target);
  if (!url) return bad_request("the request's target is not a valid path");
  RequestInfo info;
  info.path = url->path();
  for (const auto& p : url->params()) info.query.emplace(p.key, p.has_value ? p.value : "");
  info.watch = info.flag("watch");

  std::vector<std::string> segments;
  for (const auto& segment : url->segments()) {
    if (!segment.empty()) segments.push_back(segment);
  }
  const bool core = !segments.empty() && segments[0] == "api";
  const bool grouped = !segments.empty() && segments[0] == "apis";
  if (!core && !grouped) return info;
  const std::size_t skip = core ? 2 : 3;
  if (grouped && segments.size() > 1) info.group = segments[1];
  if (segments.size() >= skip) info.version = segments[skip - 1];
  if (segments.size() > skip) {
    parse_resource({segments.begin() + static_cast<std::ptrdiff_t>(skip), segments.end()}, info);
  }
  return info;
}

ApiResult<Representation> parse_accept(std::string_view accept) {
  if (accept.empty()) return Representation::Object;
  for (const auto media : split(accept, ',')) {
    const auto parts = split(media, ';');
    if (parts[0] != "application/json" && parts[0] != "*/*" && parts[0] != "application/*")
      continue;
    std::string_view as;
    bool meta_v1 = true;
    for (const auto part : parts) {
      if (part.starts_with("as=")) as = part.substr(3);
      if (part.starts_with("v=")) meta_v1 &= part == "v=v1";
      if (part.starts_with("g=")) meta_v1 &= part == "g=meta.k8s.io";
    }
    if (as.empty()) return Representation::Object;
    if (as == "Table" && meta_v1) return Representation::Table;
    if ((as == "PartialObjectMetadata" || as == "PartialObjectMetadataList") && meta_v1) {
      return Representation::PartialMetadata;
    }
  }
  return not_acceptable(kAccepted);
}

bool wants_aggregated_discovery(std::string_view accept) {
  for (const auto media : split(accept, ',')) {
    if (media.find("as=APIGroupDiscoveryList") == std::string_view::npos) continue;
    if (media.starts_with("application/json") &&
        media.find("v=v2beta1") == std::string_view::npos) {
      return true;
    }
  }
  return false;
}

ApiResult<SwaggerForm> parse_swagger_accept(std::string_view accept) {
  // The name that clients ask for is an older one than the server answers with.
  constexpr std::string_view kAsked = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
  if (accept.empty()) return SwaggerForm::Json;
  for (const auto media : split(accept, ',')) {
    const auto type = split(media, ';')[0];
    if (type == "application/json" || type == "application/*" || type == "*/*") {
      return SwaggerForm::Json;
    }
    if (type == kAsked || type == kSwaggerProtobuf) return SwaggerForm::Protobuf;
  }
  return not_acceptable(fmt::format("{}, {}", kAccepted, kSwaggerProtobuf));
}

}  // namespace troupe::sim
