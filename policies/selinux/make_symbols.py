#!/usr/bin/python3
"""Writes the symbol table of a SELinux policy: the names that it declares, and nothing of its rules.

usage: make_symbols.py FOLDER_OF_CIL VERSION > refpolicy-debian12.symbols
       make_symbols.py POLICY_CONF VERSION > fedora-container.symbols

FOLDER_OF_CIL is what tests/selinux/debian-policy.sh makes of Debian's package selinux-policy-default (its `cil` folder). A test compares
the shipped table with the package again (tests/generator/selinux_debian_test.cc).

POLICY_CONF is what the build of a policy's sources makes of all modules, with modules.conf beside it in policy/. For Fedora's: in a tree of
github.com/fedora-selinux/selinux-policy with container.te, .if and .fc of github.com/containers/container-selinux in policy/modules/contrib,

    cp dist/targeted/modules.conf policy/; echo 'container = module' >>policy/modules.conf
    cp dist/targeted/booleans.conf dist/targeted/users policy/
    make NAME=targeted TYPE=mcs DISTRO=redhat UBAC=n DIRECT_INITRC=n MONOLITHIC=y MLS_CATS=1024 MCS_CATS=1024 policy.conf
"""
import pathlib
import re
import sys

STATEMENT = re.compile(r"^\s*\((type|typeattribute|role|class|common|classcommon|typealias) ([^\s()]+)(.*)$", re.MULTILINE)


class Names:
    """What a policy declares."""

    def __init__(self):
        self.kinds = {"attribute": set(), "module": set(), "role": set(), "type": set()}
        self.classes, self.commons, self.class_commons = {}, {}, {}

    def fold_commons(self):
        for name, common in self.class_commons.items():
            self.classes.setdefault(name, set()).update(self.commons[common])


def from_cil(folder):
    names = Names()
    for module in sorted(folder.glob("*.cil")):
        names.kinds["module"].add(module.stem)
        for kind, name, rest in STATEMENT.findall(module.read_text()):
            permissions = set(re.findall(r"[^\s()]+", rest))
            if kind == "class":
                names.classes.setdefault(name, set()).update(permissions)
            elif kind == "common":
                names.commons.setdefault(name, set()).update(permissions)
            elif kind == "classcommon":
                names.class_commons[name] = permissions.pop()
            elif kind == "typeattribute":
                names.kinds["attribute"].add(name)
            elif kind in ("type", "typealias"):
                names.kinds["type"].add(name)
            else:
                names.kinds["role"].add(name)
    return names


def from_policy_conf(path):
    names = Names()
    names.kinds["role"].add("object_r")  # built in
    text = re.sub(r"#.*", "", path.read_text())
    # What a block requires, another module declares, or none does.
    text = re.sub(r"\brequire\s*\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}", "", text)
    for name, permissions in re.findall(r"^common\s+(\w+)\s*\{([^}]*)\}", text, re.MULTILINE):
        names.commons[name] = set(permissions.split())
    for name, common, permissions in re.findall(r"^class\s+(\w+)[ \t]*\n?(?:inherits\s+(\w+)\s*)?(?:\{([^}]*)\})?", text, re.MULTILINE):
        names.classes.setdefault(name, set()).update(permissions.split())
        if common:
            names.class_commons[name] = common
    for kind, rest in re.findall(r"^\s*(type|typealias|attribute|role)\s+([^;]*);", text, re.MULTILINE):
        words = rest.split(",")[0].replace("{", " ").replace("}", " ").split()
        if kind == "attribute":
            names.kinds["attribute"].add(words[0])
        elif kind == "role" and len(words) == 1:
            names.kinds["role"].add(words[0])
        elif kind in ("type", "typealias"):
            names.kinds["type"].update(word for word in words if word != "alias")
    modules = (path.parent / "policy/modules.conf").read_text()
    names.kinds["module"].update(re.findall(r"^(\w+)\s*=\s*(?:base|module)\s*$", modules, re.MULTILINE))
    return names


def main():
    source, version = pathlib.Path(sys.argv[1]), sys.argv[2]
    policy = from_cil(source) if source.is_dir() else from_policy_conf(source)
    policy.fold_commons()
    names, classes = policy.kinds, policy.classes
    # Attributes that the module compiler made up have no meaning outside.
    names["attribute"] = {n for n in names["attribute"] if not re.match(r"base_typeattr_|cil_gen_require|.*_typeattr_\d", n)}
    whose = "the reference policy in Debian's selinux-policy-default" if source.is_dir() else "Fedora's policy,"
    print(f"# Names of {whose} {version}; made by make_symbols.py.")
    print(f"version {version}")
    for name in sorted(classes):
        print("class", name, *sorted(classes[name]))
    for kind in ("role", "attribute", "module", "type"):
        for name in sorted(names[kind]):
            print(kind, name)


main()
