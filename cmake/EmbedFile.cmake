# cmake -DNAME=… -DNAMESPACE=… -DHEADER=… -DINPUTS=FILE[|FILE…] -DOUTPUT=… -P EmbedFile.cmake: writes the bytes of INPUTS, one after the
# other, as an array of char, 32 a line.
string(REPLACE "|" ";" inputs "${INPUTS}")
set(hex "")
foreach(input ${inputs})
  file(READ ${input} bytes HEX)
  string(APPEND hex "${bytes}")
endforeach()
string(REGEX REPLACE "(................................................................)" "\\1\n" hex "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," hex "${hex}")
file(WRITE ${OUTPUT} "#include \"${HEADER}\"\n\nnamespace ${NAMESPACE} {\nnamespace {\nconstexpr char kBytes[] = {\n${hex}};\n}\nconst std::string_view ${NAME}{kBytes, sizeof kBytes};\n}  // namespace ${NAMESPACE}\n")
