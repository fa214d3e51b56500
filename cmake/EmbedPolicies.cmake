# Turns data files into C++ constants, so that the program needs no data directory at run time.

# cordon_embed_as(TARGET NAMESPACE HEADER NAME FILE…): adds to TARGET a source that defines `const std::string_view NAMESPACE::NAME` with the
# bytes of the FILEs, one after the other (declared by hand in HEADER).
function(cordon_embed_as target namespace header name)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${name}.cc)
  list(TRANSFORM ARGN PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ OUTPUT_VARIABLE files)
  string(REPLACE ";" "|" inputs "${files}")
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DNAME=${name} -DNAMESPACE=${namespace} -DHEADER=${header} -DINPUTS=${inputs} -DOUTPUT=${out}
            -P ${CMAKE_SOURCE_DIR}/cmake/EmbedFile.cmake
    DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/EmbedFile.cmake
    VERBATIM)
  target_sources(${target} PRIVATE ${out})
endfunction()

# cordon_embed(TARGET NAME FILE): the same for policies/embedded.h.
function(cordon_embed target name file)
  cordon_embed_as(${target} cordon::policies policies/embedded.h ${name} ${file})
endfunction()
