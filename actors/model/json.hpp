// Ways into JSON that others wrote: Pod templates above all. Nothing here fails on a wrong shape.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

namespace troupe::actors {

// The member of that name, made an empty one if it is none yet.
boost::json::object& object_at(boost::json::object& parent, std::string_view key);
boost::json::array& array_at(boost::json::object& parent, std::string_view key);

// Null where there is none.
const boost::json::object* find_object(const boost::json::object& parent, std::string_view key);
const boost::json::array* find_array(const boost::json::object& parent, std::string_view key);
// Empty where there is none.
std::string text_at(const boost::json::object& parent, std::string_view key);

// The item whose "name" it is.
boost::json::object* find_named(boost::json::array& items, std::string_view name);
const boost::json::object* find_named(const boost::json::array& items, std::string_view name);

// The object that a text holds; an empty one if it holds none.
boost::json::object parse_object(std::string_view text);

}  // namespace troupe::actors
