"""oci_config.py RUNTIME CONFIG POLICY NNP FOLDER COMMAND…: prints the config.json of a bundle for one cell of the matrix.

What is changed are the cell's own dimensions (no_new_privileges, the command, no seccomp for the control), and what makes the cells alike:
the host's network, the capabilities that Docker gives with two more, the folder writable. The seccomp part is the bundle's. RUNTIME
cordon gets no Landlock rules: the probe asks what the filter refuses, and they would not let it begin.
"""
import json
import os
import sys

CAPABILITIES = ["CAP_" + name for name in (
    "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID SYS_ADMIN SYS_CHROOT "
    "SYS_PTRACE").split()]


def main(runtime, path, policy, nnp, folder, *command):
    with open(path, encoding="utf-8") as file:
        config = json.load(file)
    process = config["process"]
    process["noNewPrivileges"] = nnp == "on"
    for kind in ("bounding", "effective", "permitted"):
        process["capabilities"][kind] = CAPABILITIES
    linux = config["linux"]
    if runtime == "cordon":
        config["annotations"].pop("dev.cordon.landlock", None)
    else:
        process["args"] = list(command)
        process["cwd"] = folder
        process["env"] = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"]
        process["terminal"] = False
        linux["namespaces"] = [one for one in linux["namespaces"] if one["type"] != "network"]
        # Of one network namespace there is one sysfs, and it is on /sys already.
        config["mounts"] = [one for one in config["mounts"] if one["destination"] != "/sys"]
        if not os.path.exists("/sys/fs/selinux/enforce"):  # both refuse a label where the kernel does not run SELinux
            process.pop("selinuxLabel", None)
            linux.pop("mountLabel", None)
        if policy == "none":
            linux.pop("seccomp", None)
    if folder not in {mount["destination"] for mount in config["mounts"]}:
        config["mounts"].append({"destination": folder, "type": "bind", "source": folder, "options": ["rbind", "rw"]})
    json.dump(config, sys.stdout)


main(*sys.argv[1:])
