# Embeds the built page (TROUPE_CONSOLE_DIST) into the target `runtime` as read-only data.
#
# Works on a copy, so that building the page anew never pulls files from under a running build.
# Writes an assembler file that includes each asset's bytes and a table of their names; without a
# built page the table is empty and the binary says how to build it.
set(TROUPE_CONSOLE_DIST ${CMAKE_SOURCE_DIR}/build/console/dist
    CACHE PATH "The console's page, as tools/build-console leaves it")
enable_language(ASM)

function(troupe_embed_console target)
  # Vite names most files by their content, so a new page is a new list; index.html is watched.
  file(GLOB_RECURSE files CONFIGURE_DEPENDS RELATIVE ${TROUPE_CONSOLE_DIST} ${TROUPE_CONSOLE_DIST}/*)
  set(copy ${CMAKE_CURRENT_BINARY_DIR}/console_dist)
  file(REMOVE_RECURSE ${copy})
  set(assembler "    .section .rodata\n")
  set(symbols "")
  set(rows "")
  set(paths "")
  set(watched "")
  set(count 0)
  foreach(file ${files})
    get_filename_component(folder ${file} DIRECTORY)
    file(COPY ${TROUPE_CONSOLE_DIST}/${file} DESTINATION ${copy}/${folder})
    set(path ${copy}/${file})
    list(APPEND paths ${path})
    list(APPEND watched ${TROUPE_CONSOLE_DIST}/${file})
    file(SHA256 ${path} hash)
    string(SUBSTRING ${hash} 0 16 etag)
    set(begin troupe_console_asset_${count})
    string(APPEND assembler
      "    .global ${begin}, ${begin}_end\n${begin}:\n    .incbin \"${path}\"\n${begin}_end:\n    .byte 0\n")
    string(APPEND symbols "extern const char ${begin}[], ${begin}_end[];\n")
    string(APPEND rows
      "    {\"${file}\", \"\\\"${etag}\\\"\", {${begin}, static_cast<std::size_t>(${begin}_end - ${begin})}},\n")
    math(EXPR count "${count} + 1")
  endforeach()
  string(APPEND assembler "    .section .note.GNU-stack,\"\",%progbits\n")

  set(out ${CMAKE_CURRENT_BINARY_DIR}/console_assets)
  file(CONFIGURE OUTPUT ${out}.S CONTENT "${assembler}" @ONLY)
  file(CONFIGURE OUTPUT ${out}.cpp @ONLY CONTENT "// Made by runtime/console/embed.cmake.
#include <vector>

#include \"runtime/console/page.hpp\"

extern \"C\" {
${symbols}}

namespace troupe::console {

std::span<const Asset> embedded_assets() {
  static const std::vector<Asset> assets{
${rows}  };
  return assets;
}

}  // namespace troupe::console
")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${watched})
  set_source_files_properties(${out}.S PROPERTIES OBJECT_DEPENDS "${paths}")
  target_sources(${target} PRIVATE ${out}.S ${out}.cpp)
endfunction()
