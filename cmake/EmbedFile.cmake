# cmake -DNAME=… -DINPUT=… -DOUTPUT=… -P EmbedFile.cmake: writes INPUT's bytes as an array of char, 32 a line.
file(READ ${INPUT} hex HEX)
string(REGEX REPLACE "(................................................................)" "\\1\n" hex "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," hex "${hex}")
file(WRITE ${OUTPUT} "#include \"policies/embedded.h\"\n\nnamespace cordon::policies {\nnamespace {\nconstexpr char kBytes[] = {\n${hex}};\n}\nconst std::string_view ${NAME}{kBytes, sizeof kBytes};\n}  // namespace cordon::policies\n")
