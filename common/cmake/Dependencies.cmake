# Every third-party package, all from Debian 12 (names for apt: tests/packages.txt).
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(cpprestsdk REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(LibArchive REQUIRED)  # the tests' readers
find_package(ZLIB REQUIRED)
find_package(tl-expected REQUIRED)
pkg_check_modules(HS REQUIRED IMPORTED_TARGET libhs)  # Hyperscan, or Vectorscan under the same name
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
# -pthread, which glibc does not need: a precompiled header that was made without it would be refused.
set_target_properties(PkgConfig::RE2 PROPERTIES INTERFACE_COMPILE_OPTIONS "")
pkg_check_modules(PROMETHEUS REQUIRED IMPORTED_TARGET prometheus-cpp-core)

# Of libarchive the agent uses the tar writer and the readers of common/archive. The shared library needs libxml2, ICU and more, which
# cost each agent about 2 MB of memory (measured). So libarchive and its compressors are linked statically: only what is used is linked,
# and code that is not called takes no memory.
find_path(TREBUCHET_ARCHIVE_INCLUDE archive.h REQUIRED)
add_library(trebuchet_libarchive INTERFACE)
foreach(name archive bz2 lzma zstd lz4 nettle)
  find_library(TREBUCHET_STATIC_${name} NAMES lib${name}.a REQUIRED)
  target_link_libraries(trebuchet_libarchive INTERFACE ${TREBUCHET_STATIC_${name}})
endforeach()
target_include_directories(trebuchet_libarchive SYSTEM INTERFACE ${TREBUCHET_ARCHIVE_INCLUDE})
# In every build type: the unused parts of libarchive need libraries that are not linked.
target_link_options(trebuchet_libarchive INTERFACE -Wl,--gc-sections)
target_link_libraries(trebuchet_libarchive INTERFACE ZLIB::ZLIB)
