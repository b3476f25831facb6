// The container's environment as stock images use it: what an operator of such an image sets to
// give the first account and database. The agent asks for it once, when it makes the data
// directory; the database never inherits the passwords.
//
// NAME_FILE gives the path of a file that holds NAME's value, as the stock images' own scripts have
// it.
#pragma once

#include <string>
#include <vector>

namespace troupe::agent::supervise {

// Name and value in turn, of those that are set; a NAME_FILE appears as NAME with the file's
// content (its last newline removed). A file that cannot be read appears as NAME_FILE with its
// path.
std::vector<std::string> stock_settings();

// This process's environment without the stock settings, then `extra` (NAME=value), later ones
// first in effect: a name appears once.
std::vector<std::string> child_environment(const std::vector<std::string>& extra);

}  // namespace troupe::agent::supervise
