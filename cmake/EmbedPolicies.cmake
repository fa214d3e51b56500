# Turns data files of policies/ into C++ constants, so that the program needs no data directory at run time.

# cordon_embed(TARGET NAME FILE): adds to TARGET a source that defines `const std::string_view cordon::policies::NAME`
# with the bytes of FILE (declared by hand in policies/embedded.h).
function(cordon_embed target name file)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${name}.cc)
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DNAME=${name} -DINPUT=${CMAKE_CURRENT_SOURCE_DIR}/${file} -DOUTPUT=${out}
            -P ${CMAKE_SOURCE_DIR}/cmake/EmbedFile.cmake
    DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${file} ${CMAKE_SOURCE_DIR}/cmake/EmbedFile.cmake
    VERBATIM)
  target_sources(${target} PRIVATE ${out})
endfunction()
