"""launch_config.py BUNDLE ROOTFS: makes of a generated bundle what launch.sh runs: no file rules, limits, and beside it oci-full and
oci-plain, bundles for crun and runc of the same config.json with and without filter and limits.
launch_config.py --count BUNDLE: how many calls its filter allows.
"""
import json
import os
import sys


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def write(path, value):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file)


if sys.argv[1] == "--count":
    rules = read(sys.argv[2] + "/seccomp.json")["syscalls"]
    print(len({name for rule in rules if rule["action"] == "SCMP_ACT_ALLOW" for name in rule["names"]}))
    sys.exit()

bundle, rootfs = sys.argv[1:]
config = read(bundle + "/config.json")
config["annotations"].pop("dev.cordon.landlock", None)
config["annotations"]["dev.cordon.network"] = "none"
config["process"].pop("selinuxLabel", None)
config["linux"]["resources"] = {"memory": {"limit": 1 << 28}, "cpu": {"quota": 150000, "period": 100000}, "pids": {"limit": 100}}
kept = {"/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys"}
config["mounts"] = [mount for mount in config["mounts"] if mount["destination"] in kept]
if {"type": "network"} not in config["linux"]["namespaces"]:
    config["linux"]["namespaces"].append({"type": "network"})
write(bundle + "/config.json", config)

config["annotations"] = {}
config["root"] = {"path": rootfs, "readonly": True}
config["process"].update(args=["/bin/true"], cwd="/", env=["PATH=/bin"], terminal=False, rlimits=[])
for kind in ("full", "plain"):
    os.makedirs(f"oci-{kind}")
    if kind == "plain":
        del config["linux"]["resources"], config["linux"]["seccomp"]
    write(f"oci-{kind}/config.json", config)
