# cpack -G DEB: the programs, their manual and completion, and the documents that a package of Debian has.
set(CPACK_GENERATOR DEB TGZ)
set(CPACK_PACKAGE_NAME cordon)
set(CPACK_PACKAGE_VENDOR cordon)
# As Debian's own tools have it: who makes the package answers for it.
set(CPACK_PACKAGE_CONTACT "cordon maintainers <cordon@localhost>")
if(DEFINED ENV{DEBEMAIL})
  set(CPACK_PACKAGE_CONTACT "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
endif()
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "learn what a workload does, and hold it to that")
set(CPACK_PACKAGE_DESCRIPTION "cordon traces a workload once, without privilege, and writes a seccomp
profile and a SELinux module of what it saw, with a proof that they allow
it and a reason for every rule. Docker, Podman, Kubernetes and systemd
take them, and its own runtime holds programs to them with namespaces and
control groups.")
set(CPACK_PACKAGE_FILE_NAME cordon_${PROJECT_VERSION}_${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_STRIP_FILES ON)
set(CPACK_SOURCE_GENERATOR TGZ)
set(CPACK_SOURCE_PACKAGE_FILE_NAME cordon-${PROJECT_VERSION})
# Expressions for whole paths: a folder called build above the sources does not count.
string(REGEX REPLACE "([][+.*()^$?|\\])" "[\\1]" source_folder "${CMAKE_SOURCE_DIR}")
set(CPACK_SOURCE_IGNORE_FILES "^${source_folder}/build/" "^${source_folder}/[.]git/" "^${source_folder}/[.]git$" "^${source_folder}/[.]cache/")

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "uidmap, passt, nftables")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "docker.io | podman, checkpolicy, semodule-utils, policycoreutils")
include(CPack)

if(NOT CORDON_LEARN_ONLY)
  # Debian policy 12.7: the logs of changes are compressed.
  set(packed ${CMAKE_BINARY_DIR}/packaging)
  string(TIMESTAMP CORDON_PACKAGE_DATE "%a, %d %b %Y %H:%M:%S +0000" UTC)  # of SOURCE_DATE_EPOCH, where that is set
  configure_file(${CMAKE_SOURCE_DIR}/packaging/changelog.Debian.in ${packed}/changelog.Debian @ONLY)
  add_custom_command(OUTPUT ${packed}/changelog.gz
    COMMAND gzip -9nc ${CMAKE_SOURCE_DIR}/CHANGELOG.md > ${packed}/changelog.gz DEPENDS ${CMAKE_SOURCE_DIR}/CHANGELOG.md VERBATIM)
  add_custom_command(OUTPUT ${packed}/changelog.Debian.gz
    COMMAND gzip -9nc ${packed}/changelog.Debian > ${packed}/changelog.Debian.gz
    DEPENDS ${packed}/changelog.Debian VERBATIM)
  add_custom_target(packaging ALL DEPENDS ${packed}/changelog.gz ${packed}/changelog.Debian.gz)
  install(FILES ${packed}/changelog.gz ${packed}/changelog.Debian.gz DESTINATION ${CMAKE_INSTALL_DOCDIR})
  install(FILES packaging/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
  install(FILES packaging/lintian-overrides DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides RENAME cordon)
  install(FILES README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
endif()
