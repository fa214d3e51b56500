#!/usr/bin/python3
"""Writes the symbol table of a reference policy: the names that its modules declare, and nothing of its rules.

usage: make_symbols.py FOLDER_OF_CIL PACKAGE_VERSION > refpolicy-debian12.symbols

FOLDER_OF_CIL is what tests/selinux/debian-policy.sh makes of Debian's package selinux-policy-default (its `cil` folder). A test compares
the shipped table with the package again (tests/generator/selinux_debian_test.cc).
"""
import pathlib
import re
import sys

STATEMENT = re.compile(r"^\s*\((type|typeattribute|role|class|common|classcommon|typealias) ([^\s()]+)(.*)$", re.MULTILINE)


def main():
    folder, version = pathlib.Path(sys.argv[1]), sys.argv[2]
    names = {"attribute": set(), "module": set(), "role": set(), "type": set()}
    classes, commons, class_commons = {}, {}, {}
    for module in sorted(folder.glob("*.cil")):
        names["module"].add(module.stem)
        for kind, name, rest in STATEMENT.findall(module.read_text()):
            permissions = set(re.findall(r"[^\s()]+", rest))
            if kind == "class":
                classes.setdefault(name, set()).update(permissions)
            elif kind == "common":
                commons.setdefault(name, set()).update(permissions)
            elif kind == "classcommon":
                class_commons[name] = permissions.pop()
            elif kind == "typeattribute":
                names["attribute"].add(name)
            elif kind in ("type", "typealias"):
                names["type"].add(name)
            else:
                names["role"].add(name)
    for name, common in class_commons.items():
        classes[name] |= commons[common]
    # Attributes that the module compiler made up have no meaning outside.
    names["attribute"] = {n for n in names["attribute"] if not re.match(r"base_typeattr_|cil_gen_require|.*_typeattr_\d", n)}
    print(f"# Names of the reference policy in Debian's selinux-policy-default {version}; made by make_symbols.py.")
    print(f"version {version}")
    for name in sorted(classes):
        print("class", name, *sorted(classes[name]))
    for kind in ("role", "attribute", "module", "type"):
        for name in sorted(names[kind]):
            print(kind, name)


main()
