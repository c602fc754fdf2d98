#!/usr/bin/env python3
# rights.py - what ketch-registry may do while it speaks with a server, as /proc shows it
#
#	rights.py KETCH DIR	(DIR is made and removed)
import os
import shutil
import subprocess
import sys
import threading
import time

from server import Image, Server

KETCH, DIR = os.path.abspath(sys.argv[1]), sys.argv[2]
ENV = {"PATH": os.environ["PATH"], "HOME": DIR, "KETCH_CONFIG": "", "KETCH_ROOT": DIR + "/store", "KETCH_RUN_ROOT": DIR + "/run",
       "REGISTRY_AUTH_FILE": DIR + "/none", "SECRET_OF_OURS": "x"}
registry, asked, go_on = Server(), threading.Event(), threading.Event()


def rule(h, kind, name):
    if kind == "manifest":
        asked.set()
        go_on.wait(20)


def child_of(pid):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        children = open(f"/proc/{pid}/task/{pid}/children").read().split()
        for child in children:
            if open(f"/proc/{child}/comm").read().startswith("ketch-registry"):
                return child
        time.sleep(0.02)
    sys.exit("ketch-registry was not found")


os.makedirs(DIR)
registry.put(Image({"a": b"x"}))
registry.rules.append(rule)
pull = subprocess.Popen([KETCH, "pull", f"{registry.host}/r:1"], env=ENV, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
asked.wait(20)
pid = child_of(pull.pid)
status = dict(line.split(":\t", 1) for line in open(f"/proc/{pid}/status").read().splitlines() if ":\t" in line)
environment = open(f"/proc/{pid}/environ").read()
wrong = []
for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
    if int(status[key], 16):
        wrong.append(f"{key} {status[key]}")
if "0" in status["Uid"].split() + status["Gid"].split():
    wrong.append(f"user {status['Uid']}, group {status['Gid']}")
if status["Groups"].strip():
    wrong.append(f"groups {status['Groups']}")
if status["NoNewPrivs"] != "1" or status["Seccomp"] != "2":
    wrong.append(f"no_new_privs {status['NoNewPrivs']}, seccomp {status['Seccomp']}")
if "SECRET_OF_OURS" in environment:
    wrong.append("our environment")
if "NSpid" in status and len(status["NSpid"].split()) < 2:
    wrong.append("our processes")
go_on.set()
if pull.wait(30):
    wrong.append("the pull has failed")
shutil.rmtree(DIR)
sys.exit("\n".join(wrong) or 0)
