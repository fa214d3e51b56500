"""compare_answers.py ANSWERS GOT CONTROL ALL: what a probe got is what the policy says, call by call.

ANSWERS has "CALL NAME ANSWER" a line ("allow" or an errno), the others "CALL ERRNO", in one order. A refused call got its errno. An allowed
one got what it gets in the same sandbox without the policy (CONTROL). A refusal is only shown where the call gets something else in CONTROL,
or with every capability there is (ALL): so many have to be, and the others are named.
"""
import errno
import sys

# What gives the refusing errno to everybody: the kernel has no such call, or a capability that root has not here comes first.
MOST_NOT_SHOWN = 0.2


def read(path):
    with open(path, encoding="ascii") as file:
        return [line.split() for line in file]


def main(*paths):
    wrong, shown, not_shown = [], 0, []
    for (call, name, answer), (_, got), (_, control), (_, everything) in zip(*map(read, paths), strict=True):
        said = f"{name} ({call})"
        if answer == "allow":
            if got != control:
                wrong.append(f"{said}: allowed, but got {errno.errorcode.get(int(got), 'ok')} "
                             f"and without the policy {errno.errorcode.get(int(control), 'ok')}")
        elif got != answer:
            wrong.append(f"{said}: should get {errno.errorcode[int(answer)]}, got {errno.errorcode.get(int(got), 'ok')}")
        elif answer in (control, everything) and control == everything:
            not_shown.append(name if "," not in call else said)
        else:
            shown += 1
    refused = shown + len(not_shown)
    if wrong:
        print("; ".join(wrong))
        return 1
    if shown == 0 or len(not_shown) > MOST_NOT_SHOWN * refused:
        print(f"too little is shown: {len(not_shown)} of {refused} refused calls get the same errno without the policy: {' '.join(not_shown)}")
        return 1
    print(f"{refused} refused calls got their errno, {shown} of them get something else without the policy; not shown for {' '.join(not_shown)}")
    return 0


sys.exit(main(*sys.argv[1:]))
