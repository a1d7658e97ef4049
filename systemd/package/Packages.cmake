# Three Debian packages: `cd build/release && cpack` makes trebuchet, trebuchet-labserver and
# trebuchet-testflinger-compat.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME trebuchet)
set(CPACK_PACKAGE_VENDOR "The Trebuchet project")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "test-runner agent for hardware labs")
set(CPACK_PACKAGE_CONTACT "The Trebuchet project <trebuchet@example.org>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL trebuchet labserver compat)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_TREBUCHET_PACKAGE_NAME trebuchet)
set(CPACK_DEBIAN_TREBUCHET_PACKAGE_DEPENDS "adduser, systemd (>= 252)")
set(CPACK_DEBIAN_TREBUCHET_PACKAGE_RECOMMENDS "git, openssh-client, sshpass, curl")
set(CPACK_DEBIAN_TREBUCHET_PACKAGE_SUGGESTS "qemu-system-x86, trebuchet-testflinger-compat")
set(CPACK_DEBIAN_TREBUCHET_DESCRIPTION "The agent and the device connectors: polls a Testflinger server, provisions
and tests the device, masks secrets in every log before it leaves the host,
and delivers logs, results and artifacts across outages and crashes. One
systemd instance serves one device.")
set(CPACK_DEBIAN_LABSERVER_PACKAGE_NAME trebuchet-labserver)
set(CPACK_DEBIAN_LABSERVER_DESCRIPTION "A small server for tests and demos. It speaks the v1 API of the Testflinger
server for a handful of agents on a bench, keeps its data in one file, and
can be told to fail. Not for production.")
set(CPACK_DEBIAN_COMPAT_PACKAGE_NAME trebuchet-testflinger-compat)
set(CPACK_DEBIAN_COMPAT_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_COMPAT_PACKAGE_DEPENDS "trebuchet (>= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_COMPAT_PACKAGE_SHLIBDEPS OFF)
set(CPACK_DEBIAN_COMPAT_DESCRIPTION "The names of Testflinger's programs, testflinger-agent and
testflinger-device-connector, as links to those of Trebuchet, for hosts
whose scripts call them.")

set(package ${CMAKE_CURRENT_SOURCE_DIR}/package)
set(CPACK_DEBIAN_TREBUCHET_PACKAGE_CONTROL_EXTRA ${package}/postinst ${package}/prerm ${package}/postrm)
set(CPACK_DEBIAN_TREBUCHET_PACKAGE_CONTROL_STRICT_PERMISSION TRUE)

# CHANGELOG.md is the upstream's changelog; Debian wants one of the package beside it.
string(TIMESTAMP today "%a, %d %b %Y 00:00:00 +0000" UTC)
foreach(pair trebuchet:trebuchet labserver:trebuchet-labserver compat:trebuchet-testflinger-compat)
  string(REPLACE : ";" names ${pair})
  list(GET names 0 component)
  list(GET names 1 name)
  set(whole)
  if(NOT component STREQUAL "trebuchet")
    set(whole EXCLUDE_FROM_ALL)
  endif()
  set(documents ${CMAKE_CURRENT_BINARY_DIR}/documents/${name})
  file(WRITE ${documents}/changelog.Debian "${name} (${PROJECT_VERSION}-1) unstable; urgency=medium\n\n"
    "  * Version ${PROJECT_VERSION}: see changelog.gz.\n\n -- ${CPACK_PACKAGE_CONTACT}  ${today}\n")
  configure_file(${PROJECT_SOURCE_DIR}/CHANGELOG.md ${documents}/changelog COPYONLY)
  execute_process(COMMAND gzip -9nf ${documents}/changelog.Debian ${documents}/changelog COMMAND_ERROR_IS_FATAL ANY)
  install(FILES package/copyright ${documents}/changelog.Debian.gz ${documents}/changelog.gz
    DESTINATION share/doc/${name} COMPONENT ${component} ${whole})
endforeach()
install(FILES package/lintian-overrides DESTINATION share/lintian/overrides RENAME trebuchet COMPONENT trebuchet)
install(CODE "execute_process(COMMAND ${package}/make-sbom ${PROJECT_VERSION}
    ${PROJECT_BINARY_DIR}/bin/trebuchet-agent ${PROJECT_BINARY_DIR}/bin/trebuchet-provision
    OUTPUT_FILE \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/share/doc/trebuchet/sbom.spdx.json\" COMMAND_ERROR_IS_FATAL ANY)"
  COMPONENT trebuchet)

include(CPack)
