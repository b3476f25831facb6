#include "k8s/sim/api/reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "k8s/sim/api/base64.hpp"
#include "k8s/sim/api/render.hpp"
#include "k8s/sim/api/table.hpp"

namespace troupe::sim {
namespace {

// A watch without timeoutSeconds ends after 30 to 60 minutes, so that watches spread out.
constexpr std::int64_t kMinWatchSeconds = 1800;

std::string encode(const Continue& token) {
  return base64_url_encode(json::serialize(json::object{{"v", "meta.k8s.io/v1"},
                                                        {"rv", token.revision},
                                                        {"start", token.start},
                                                        {"left", token.left}}));
}

std::optional<Continue> decode_continue(std::string_view text) {
  const auto decoded = base64_url_decode(text);
  if (!decoded) return std::nullopt;
  boost::system::error_code failed;
  const auto value = json::parse(*decoded, failed);
  if (failed || string_at(value, "v") != "meta.k8s.io/v1") return std::nullopt;
  const auto revision = int_at(value, "rv");
  const auto start = string_at(value, "start");
  if (!revision || *revision == 0 || start.empty()) return std::nullopt;
  return Continue{*revision, std::string(start), int_at(value, "left").value_or(-1)};
}

ApiError expired_continue(const Continue& token) {
  auto error = resource_expired(
      "The provided continue parameter is too old to display a consistent list result. You can "
      "start a new list without the continue parameter, or use the continue token in this response "
      "to retrieve the remainder of the results. Continuing with the provided token results in an "
      "inconsistent list - objects that were created, modified, or deleted between the time the "
      "first chunk was returned and now may show up in the list.");
  error.continue_token = encode({-1, token.start});
  return error;
}

ApiResult<std::optional<std::uint64_t>> parse_version(const RequestInfo& info) {
  const auto text = info.param("resourceVersion");
  if (text.empty()) return std::optional<std::uint64_t>();
  std::uint64_t version = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (failure != std::errc{} || end != text.data() + text.size()) {
    return bad_request(
        fmt::format("Invalid value: {}: strconv.ParseUint: parsing {}: invalid syntax",
                    json::serialize(json::string(text)), json::serialize(json::string(text))));
  }
  return std::optional(version);
}

// The rules that tie resourceVersion, resourceVersionMatch, continue and sendInitialEvents.
ApiResult<void> check_list_options(const RequestInfo& info, bool watch) {
  std::vector<FieldError> errors;
  const auto match = info.param("resourceVersionMatch");
  const auto version = info.param("resourceVersion");
  const bool initial_events = info.query.contains("sendInitialEvents");
  if (initial_events && !watch) {
    errors.push_back(forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  } else if (initial_events && match != "NotOlderThan") {
    errors.push_back(forbidden("resourceVersionMatch",
                               "sendInitialEvents requires setting resourceVersionMatch to "
                               "NotOlderThan"));
  } else if (!match.empty() && watch && !initial_events) {
    errors.push_back(forbidden("resourceVersionMatch",
                               "resourceVersionMatch is forbidden for watch unless "
                               "sendInitialEvents is provided"));
  } else if (!match.empty() && !watch) {
    if (version.empty()) {
      errors.push_back(forbidden("resourceVersionMatch",
                                 "resourceVersionMatch is forbidden unless resourceVersion is "
                                 "provided"));
    }
    if (!info.param("continue").empty()) {
      errors.push_back(forbidden("resourceVersionMatch",
                                 "resourceVersionMatch is forbidden when continue is provided"));
    }
    if (match != "Exact" && match != "NotOlderThan") {
      errors.push_back(not_supported("resourceVersionMatch", json::serialize(json::string(match)),
                                     {"Exact", "NotOlderThan", ""}));
    }
    if (match == "Exact" && version == "0") {
      errors.push_back(forbidden("resourceVersionMatch",
                                 "resourceVersionMatch \"exact\" is forbidden for resourceVersion "
                                 "\"0\""));
    }
  }
  if (errors.empty()) return {};
  return invalid_object("meta.k8s.io", "ListOptions", "", errors);
}

IncludeObject include_object(const RequestInfo& info) {
  const auto wanted = info.param("includeObject");
  if (wanted == "Object") return IncludeObject::Object;
  return wanted == "None" ? IncludeObject::None : IncludeObject::Metadata;
}

json::object table_head(const ResourceType& type, json::object metadata) {
  return {{"kind", "Table"},
          {"apiVersion", "meta.k8s.io/v1"},
          {"metadata", std::move(metadata)},
          {"columnDefinitions", table_columns(type)}};
}

// Turns notices into the lines of one client's watch.
class LineWatcher : public Watcher {
 public:
  LineWatcher(TypePtr type, Representation as, IncludeObject include,
              std::shared_ptr<WatchSink> sink, const Core& core)
      : type_(std::move(type)), as_(as), include_(include), sink_(std::move(sink)), core_(core) {}

  bool notice(const WatchNotice& notice) override {
    auto line = std::make_shared<std::string>("{\"type\":\"");
    line->append(event_name(notice.kind)).append("\",\"object\":");
    if (notice.kind == WatchNotice::Kind::Expired) {
      line->append(json::serialize(to_status(resource_expired(
          fmt::format("too old resource version: ({})", notice.resource_version)))));
    } else if (notice.kind == WatchNotice::Kind::Bookmark) {
      line->append(json::serialize(bookmark(notice)));
    } else if (as_ == Representation::Object) {
      append_object_text(*line, *type_, notice.object);
    } else {
      line->append(json::serialize(represent(*notice.object)));
    }
    line->append("}\n");
    return sink_->line(std::move(line));
  }

  void closed() override { sink_->closed(); }

 private:
  static std::string_view event_name(WatchNotice::Kind kind) {
    switch (kind) {
      case WatchNotice::Kind::Added:
        return "ADDED";
      case WatchNotice::Kind::Modified:
        return "MODIFIED";
      case WatchNotice::Kind::Deleted:
        return "DELETED";
      case WatchNotice::Kind::Bookmark:
        return "BOOKMARK";
      case WatchNotice::Kind::Expired:
        return "ERROR";
    }
    return "ERROR";
  }

  json::object bookmark(const WatchNotice& notice) {
    json::object metadata{{"resourceVersion", std::to_string(notice.resource_version)},
                          {"creationTimestamp", nullptr}};
    if (notice.initial_events_end) {
      metadata["annotations"] = json::object{{"k8s.io/initial-events-end", "true"}};
    }
    json::object object{{"kind", type_->kind}, {"apiVersion", type_->api_version()}};
    if (as_ == Representation::PartialMetadata) object = partial_metadata({});
    object["metadata"] = std::move(metadata);
    return as_ == Representation::Table ? table_of(object) : object;
  }

  json::object represent(const StoredObject& object) {
    if (as_ == Representation::PartialMetadata) return partial_metadata(object.object());
    return table_of(object.object());
  }

  // Only the first table of a watch says what its columns are.
  json::object table_of(const json::object& object) {
    auto table =
        table_head(*type_, {{"resourceVersion", string_at(object, "metadata.resourceVersion")}});
    if (std::exchange(columns_sent_, true)) table["columnDefinitions"] = nullptr;
    table["rows"] = json::array{table_row(*type_, object, include_, core_.now)};
    return table;
  }

  TypePtr type_;
  Representation as_;
  IncludeObject include_;
  std::shared_ptr<WatchSink> sink_;
  const Core& core_;
  bool columns_sent_ = false;
};

}  // namespace

ApiResult<Selection> parse_selection(const ResourceType& type, const RequestInfo& info) {
  auto labels = LabelSelector::parse(info.param("labelSelector"));
  if (!labels) return labels.error();
  auto fields = FieldSelector::parse(info.param("fieldSelector"));
  if (!fields) return fields.error();
  for (const auto& r : fields->requirements()) {
    const bool known = r.field == "metadata.name" || r.field == "metadata.namespace" ||
                       std::find(type.selectable_fields.begin(), type.selectable_fields.end(),
                                 r.field) != type.selectable_fields.end();
    if (known) continue;
    if (type.custom || !type.selectable_fields.empty()) {
      return bad_request("field label not supported: " + r.field);
    }
    return bad_request(
        fmt::format("{} is not a known field selector: only \"metadata.name\", "
                    "\"metadata.namespace\"",
                    json::serialize(json::string(r.field))));
  }
  return Selection{info.ns, std::move(*labels), std::move(*fields)};
}

ApiResult<ObjectPtr> Reader::find(const TypePtr& type, const RequestInfo& info) const {
  const auto version = parse_version(info);
  if (!version) return version.error();
  if (*version && **version > core_.store.revision()) {
    return too_large_resource_version(**version, core_.store.revision());
  }
  auto found = view(type, core_.find(type->collection, info.ns, info.name));
  if (found == nullptr) return not_found(type->name(), info.name);
  return found;
}

std::string Reader::body(const ResourceType& type, const ObjectPtr& viewed, Representation as,
                         const RequestInfo& info, WallTime now) {
  switch (as) {
    case Representation::Object:
      return object_text(type, viewed);
    case Representation::PartialMetadata:
      return json::serialize(partial_metadata(viewed->object()));
    case Representation::Table: {
      auto table = table_head(
          type, {{"resourceVersion", string_at(viewed->object(), "metadata.resourceVersion")}});
      table["rows"] = json::array{table_row(type, viewed->object(), include_object(info), now)};
      return json::serialize(table);
    }
  }
  return {};
}

ApiResult<Response> Reader::get(const TypePtr& type, const RequestInfo& info, Representation as,
                                WallTime now) const {
  const auto found = find(type, info);
  if (!found) return found.error();
  return Response{.body = body(*type, *found, as, info, now)};
}

struct Reader::Page {
  std::vector<ObjectPtr> items;  // in the wanted version
  std::uint64_t revision = 0;
  std::string next;
  std::optional<std::int64_t> remaining;
};

// Where a page begins: after the last one, at the revision asked for, or now.
ApiResult<Continue> Reader::page_start(const RequestInfo& info, std::size_t limit) const {
  const auto current = core_.store.revision();
  const auto version = parse_version(info);
  if (!version) return version.error();
  if (const auto text = info.param("continue"); !text.empty()) {
    if (*version && **version != 0) {
      return bad_request("specifying resource version is not allowed when using continue");
    }
    auto token = decode_continue(text);
    if (!token) return bad_request("continue key is not valid");
    if (token->revision < 0) token->revision = static_cast<std::int64_t>(current);
    return *token;
  }
  Continue from{.revision = static_cast<std::int64_t>(current)};
  if (!*version) return from;
  if (**version > current) return too_large_resource_version(**version, current);
  const auto match = info.param("resourceVersionMatch");
  if (match == "Exact" || (match.empty() && limit > 0 && **version > 0)) {
    from.revision = static_cast<std::int64_t>(**version);
  }
  return from;
}

ApiResult<Reader::Page> Reader::page(const TypePtr& type, const RequestInfo& info) const {
  if (auto ok = check_list_options(info, false); !ok) return ok.error();
  auto selection = parse_selection(*type, info);
  if (!selection) return selection.error();
  const auto limit =
      static_cast<std::size_t>(std::max<std::int64_t>(info.number("limit").value_or(0), 0));
  const auto from = page_start(info, limit);
  if (!from) return from.error();
  Page result{.revision = static_cast<std::uint64_t>(from->revision)};
  // The first page counts what follows; the next ones look no further than they show.
  const bool counted = selection->empty() && from->left >= 0 && limit > 0;
  const auto objects = core_.store.collection(type->collection)
                           .snapshot(selection->ns, from->start, result.revision,
                                     counted ? limit + 1 : Collection::kNoLimit);
  if (!objects) {
    if (!from->start.empty()) return expired_continue(*from);
    return resource_expired("The resourceVersion for the provided list is too old.");
  }
  std::size_t at = 0;
  for (; at < objects->size() && (limit == 0 || result.items.size() < limit); ++at) {
    auto viewed = view(type, (*objects)[at]);
    if (selection->matches(viewed->object())) result.items.push_back(std::move(viewed));
  }
  if (at == objects->size()) return result;
  Continue next{from->revision, object_key((*objects)[at - 1]->object())};
  if (selection->empty()) {
    next.left = counted ? from->left - static_cast<std::int64_t>(at)
                        : static_cast<std::int64_t>(objects->size() - at);
    result.remaining = next.left;
  }
  result.next = encode(next);
  return result;
}

ApiResult<Response> Reader::list(const TypePtr& type, const RequestInfo& info, Representation as,
                                 WallTime now) const {
  auto listed = page(type, info);
  if (!listed) return listed.error();
  json::object metadata{{"resourceVersion", std::to_string(listed->revision)}};
  if (!listed->next.empty()) metadata["continue"] = listed->next;
  if (listed->remaining) metadata["remainingItemCount"] = *listed->remaining;
  if (as == Representation::Table) {
    auto table = table_head(*type, std::move(metadata));
    auto& rows = table["rows"].emplace_array();
    for (const auto& item : listed->items) {
      rows.push_back(table_row(*type, item->object(), include_object(info), now));
    }
    return Response{.body = json::serialize(table)};
  }
  const bool partial = as == Representation::PartialMetadata;
  std::string text =
      fmt::format(R"({{"kind":"{}","apiVersion":"{}","metadata":{},"items":[)",
                  partial ? "PartialObjectMetadataList" : type->kind + "List",
                  partial ? "meta.k8s.io/v1" : type->api_version(), json::serialize(metadata));
  bool first = true;
  for (const auto& item : listed->items) {
    if (!std::exchange(first, false)) text += ',';
    if (partial) {
      text += json::serialize(partial_metadata(item->object()));
    } else if (type->custom) {
      append_object_text(text, *type, item);
    } else {
      text += '{';
      text += *members_text(item);
    }
  }
  text += "]}";
  return Response{.body = std::move(text)};
}

ApiResult<std::unique_ptr<WatchSession>> Reader::watch(const TypePtr& type, const RequestInfo& info,
                                                       Representation as,
                                                       std::shared_ptr<WatchSink> sink,
                                                       WallTime now) {
  if (auto ok = check_list_options(info, true); !ok) return ok.error();
  RequestInfo selecting = info;
  if (!info.name.empty()) {
    selecting.query.emplace("fieldSelector", "metadata.name=" + info.name);
  }
  auto selection = parse_selection(*type, selecting);
  if (!selection) return selection.error();
  const auto version = parse_version(info);
  if (!version) return version.error();
  const bool initial_events = info.flag("sendInitialEvents");
  const bool suppressed = info.query.contains("sendInitialEvents") && !initial_events;
  WatchSpec spec{.type = type,
                 .ns = selection->ns,
                 .labels = std::move(selection->labels),
                 .fields = std::move(selection->fields),
                 .bookmarks = info.flag("allowWatchBookmarks")};
  if (initial_events && *version && **version > core_.store.revision()) {
    return too_large_resource_version(**version, core_.store.revision());
  }
  if (!initial_events && *version && **version > 0) spec.after = **version;
  if (suppressed && !spec.after) spec.after = core_.store.revision();
  spec.end_of_initial_bookmark = spec.bookmarks && (initial_events || !*version) && !spec.after;
  const auto seconds = info.number("timeoutSeconds")
                           .value_or(kMinWatchSeconds + static_cast<std::int64_t>(
                                                            core_.random.below(kMinWatchSeconds)));
  spec.deadline = now + std::chrono::seconds(seconds);
  auto watcher =
      std::make_shared<LineWatcher>(type, as, include_object(info), std::move(sink), core_);
  return core_.hub.open(std::move(spec), std::move(watcher), now);
}

}  // namespace troupe::sim
