# cpack -G DEB: the programs, their manual and completion, and the documents that a package of Debian has.
set(CPACK_GENERATOR DEB TGZ)
set(CPACK_PACKAGE_NAME cordon)
set(CPACK_PACKAGE_VENDOR cordon)
set(CPACK_PACKAGE_CONTACT "cordon maintainers <cordon@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "learn what a workload does, and hold it to that")
set(CPACK_PACKAGE_DESCRIPTION "cordon traces a workload once, without privilege, and writes a seccomp profile and
a SELinux module of what it saw, with a proof that they allow it and a reason for
every rule. Docker, Podman, Kubernetes and systemd take them, and its own runtime
holds programs to them with namespaces and control groups.")
set(CPACK_PACKAGE_FILE_NAME cordon_${PROJECT_VERSION}_${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_SOURCE_GENERATOR TGZ)
set(CPACK_SOURCE_PACKAGE_FILE_NAME cordon-${PROJECT_VERSION})
set(CPACK_SOURCE_IGNORE_FILES /build/ /\\.git/)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "uidmap, passt, nftables")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "docker.io | podman, checkpolicy, semodule-utils, policycoreutils")
include(CPack)

if(NOT CORDON_LEARN_ONLY)
  # Debian policy 12.5 and 12.7, and 12.1: manual pages and the log of changes are compressed.
  set(packed ${CMAKE_BINARY_DIR}/packaging)
  file(MAKE_DIRECTORY ${packed})
  add_custom_command(OUTPUT ${packed}/changelog.gz
    COMMAND gzip -9nc ${CMAKE_SOURCE_DIR}/CHANGELOG.md > ${packed}/changelog.gz DEPENDS ${CMAKE_SOURCE_DIR}/CHANGELOG.md VERBATIM)
  add_custom_target(packaging ALL DEPENDS ${packed}/changelog.gz)
  install(FILES ${packed}/changelog.gz DESTINATION ${CMAKE_INSTALL_DOCDIR})
  install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)
  install(FILES README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
endif()
