# How every target of ours is compiled and linked: the flags are on `trebuchet_options`, which each of them links. No flag
# is global; CMakePresets.json has the flags of each build type.
include(GNUInstallDirs)

set(TREBUCHET_SANITIZE "" CACHE STRING "Sanitizers for our code: 'address,undefined', 'thread' or empty")
option(TREBUCHET_FUZZ "Build the libFuzzer targets (needs clang)" OFF)
set(TREBUCHET_UNITE "" CACHE STRING "Compile the files of a target in batches, in a third of the time: of 'tests', of 'all', or empty")
set(TREBUCHET_PRECOMPILE "" CACHE STRING "Precompile the headers that most files include, with clang: of 'tests', of 'all', or empty")

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_library(trebuchet_options INTERFACE)
target_compile_features(trebuchet_options INTERFACE cxx_std_20)
target_include_directories(trebuchet_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(trebuchet_options INTERFACE
  # In a batch, a local variable may have a name from another file's unnamed namespace.
  -Wall -Wextra -Wpedantic $<$<NOT:$<BOOL:$<TARGET_PROPERTY:UNITY_BUILD>>>:-Wshadow> -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast
  -Woverloaded-virtual -Wnull-dereference -Wformat=2 -Werror
  -fstack-protector-strong
  $<$<CONFIG:Release>:-ffunction-sections -fdata-sections>
  # g++ 12 warns of null dereferences and overlaps in inlined standard strings that do not exist (GCC bug 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-null-dereference -Wno-restrict>)
target_compile_definitions(trebuchet_options INTERFACE
  _TURN_OFF_PLATFORM_STRING  # cpprestsdk's U() macro breaks fmt
  $<$<CONFIG:Release,RelWithDebInfo>:_FORTIFY_SOURCE=2>
  _GLIBCXX_ASSERTIONS)

target_link_options(trebuchet_options INTERFACE $<$<CONFIG:Release>:-Wl,--gc-sections -Wl,--as-needed>)
# Resolve functions at the start: resolving one at its first call saves the vector registers on the stack, and in them
# what was copied just before (found: 64 bytes of a secret).
target_link_options(trebuchet_options INTERFACE -Wl,-z,relro,-z,now)

if(TREBUCHET_SANITIZE)
  target_compile_options(trebuchet_options INTERFACE
    -fsanitize=${TREBUCHET_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(trebuchet_options INTERFACE -fsanitize=${TREBUCHET_SANITIZE})
endif()

if(TREBUCHET_FUZZ)
  target_compile_options(trebuchet_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

find_program(TREBUCHET_CCACHE ccache)
if(TREBUCHET_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${TREBUCHET_CCACHE})
endif()

find_program(TREBUCHET_MOLD mold)
if(TREBUCHET_MOLD)
  target_link_options(trebuchet_options INTERFACE -fuse-ld=mold)
endif()

# trebuchet_precompiled(NAME FOR tests|all LINKS… HEADERS…): precompiled headers, for other targets to use by
# trebuchet_use_precompiled. (g++ 12 takes as long to load them as to read the headers.)
function(trebuchet_precompiled name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "FOR" "LINKS;HEADERS")
  if(TREBUCHET_PRECOMPILE STREQUAL "all" OR TREBUCHET_PRECOMPILE STREQUAL arg_FOR)
    add_library(${name} OBJECT ${PROJECT_SOURCE_DIR}/common/cmake/precompiled.cpp)
    target_link_libraries(${name} PRIVATE trebuchet_options ${arg_LINKS})
    target_precompile_headers(${name} PRIVATE ${arg_HEADERS})
    # Without this, each precompiled header differs for ccache.
    target_compile_options(${name} PRIVATE $<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>)
  endif()
endfunction()

function(trebuchet_use_precompiled name from)
  if(TARGET ${from})
    target_precompile_headers(${name} REUSE_FROM ${from})
  endif()
endfunction()

# trebuchet_unite(NAME KIND SOURCES…): with TREBUCHET_UNITE, compiles the sources of a target in batches. CMake chooses them
# when it configures: where a change to a file makes two of them clash, run it again.
function(trebuchet_unite name kind)
  if(NOT TREBUCHET_UNITE STREQUAL "all" AND NOT TREBUCHET_UNITE STREQUAL kind)
    return()
  endif()
  list(TRANSFORM ARGN PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ REGEX "^[^/]")
  execute_process(COMMAND ${PROJECT_SOURCE_DIR}/common/cmake/batches.py 8 ${ARGN}
    OUTPUT_VARIABLE batches COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[^\n]+" batches "${batches}")
  foreach(line IN LISTS batches)
    string(REGEX MATCH "^([0-9]+) (.*)$" line "${line}")
    set_source_files_properties(${CMAKE_MATCH_2} PROPERTIES UNITY_GROUP ${name}_${CMAKE_MATCH_1})
  endforeach()
  set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
endfunction()

# trebuchet_library(NAME SOURCES… LINKS… [REPLACEABLE]): one folder, one library; LINKS are public. REPLACEABLE: a program may
# bring something in place of one of its files, so each is compiled by itself.
function(trebuchet_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "REPLACEABLE" "" "SOURCES;LINKS;PRIVATE_LINKS")
  if(arg_SOURCES)
    add_library(${name} STATIC ${arg_SOURCES})
    target_link_libraries(${name} PUBLIC trebuchet_options ${arg_LINKS} PRIVATE ${arg_PRIVATE_LINKS})
    trebuchet_use_precompiled(${name} trebuchet_precompiled_standard)
    if(NOT arg_REPLACEABLE)
      trebuchet_unite(${name} all ${arg_SOURCES})
    endif()
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE trebuchet_options ${arg_LINKS})
  endif()
endfunction()

# trebuchet_program(NAME SOURCES… LINKS…)
function(trebuchet_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE trebuchet_options ${arg_LINKS})
endfunction()
