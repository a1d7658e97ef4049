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
find_package(LibArchive REQUIRED)
find_package(tl-expected REQUIRED)
pkg_check_modules(HS REQUIRED IMPORTED_TARGET libhs)  # Hyperscan, or Vectorscan under the same name
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)
