# Compiler, linker and warnings, the same for every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

# One compiler cache for every checkout and every build folder: paths below the tree count as
# relative. Precompiled headers need the sloppiness, says ccache's manual; they are 150 MB each, so it
# had better know them by their inode than read them for every file.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
    CCACHE_MAXSIZE=20G CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_INODECACHE=1 ${CCACHE})
  add_compile_options(-fpch-preprocess)
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# -pthread everywhere, as it defines a macro that a precompiled header may depend on.
add_compile_options(-pthread -Wall -Wextra -Wshadow -Wno-missing-field-initializers -fdiagnostics-color=auto)
if(CMAKE_BUILD_TYPE STREQUAL Release)
  # Line tables only: enough for a profile and a backtrace, and half of the link time of -g.
  add_compile_options(-g1)
endif()

set(TROUPE_SANITIZE "" CACHE STRING "Sanitizers for every target, as for -fsanitize=")
if(TROUPE_SANITIZE)
  add_compile_options(-fsanitize=${TROUPE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  # At a fixed address: the sanitizers' tables are full of pointers, and a program that may be loaded
  # anywhere is half as large again for relocating them.
  add_link_options(-fsanitize=${TROUPE_SANITIZE} -no-pie)
endif()

# Off where GCC 12 warns of what is not there: at -O2 (-Wrestrict on std::string) and with sanitizers
# (-Wmismatched-new-delete on coroutine frames).
option(TROUPE_WERROR "Warnings are errors" ON)
if(TROUPE_WERROR)
  add_compile_options(-Werror -Wno-error=deprecated-declarations)
endif()
