#!/usr/bin/python3
"""hostile.py - drives each device of a jailed ketch-vmm by a test guest, well and badly

    hostile.py BUILD [-n ACTIONS] [-s SEED] [DEVICE...]

Speaks TAP.  The guest (guests/) does one piece of real work, ACTIONS random ones, and real work again; meanwhile the
control socket must answer, and the machine must be paused and go on.  In the end the guest powers off; ketch-vmm must have
seen that, and nothing outside may have changed.
"""
import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time

from vmm import (DEADLINE, DISK_BYTES, FILLED, FIRST_SECTOR, Failed, Machine, N_SECTORS, SECTOR, leave_network, pattern,
                 skip_reason)

DEVICES = {
    'rng': {},
    'vsock': {'vsock': True},
    'console': {'console': True},
    'balloon': {},
    'block': {'disks': 1},
    'block-ro': {'disks': 2, 'read_only': True},
    'net': {'net': True},
    'net-tap': {'tap': True},
    'fs': {'share': True},
}
# Of guests/virtio.c: device_start with one queue.
WRITES_TO_START = 19


def hash_of(path):
    with open(path, 'rb') as f:
        return hashlib.sha256(f.read()).hexdigest()


def check_disks(machine, before, read_only, actions):
    for i, path in enumerate(machine.disks):
        if os.stat(path).st_size != DISK_BYTES:
            raise Failed(f'disk {i} has another size')
    if read_only and hash_of(machine.disks[-1]) != before[-1]:
        raise Failed('a read-only disk has changed')
    if not actions and not read_only and machine.disks:
        with open(machine.disks[0], 'rb') as f:
            data = f.read()
        want = bytearray([FILLED]) * DISK_BYTES
        want[FIRST_SECTOR * SECTOR:(FIRST_SECTOR + N_SECTORS) * SECTOR] = pattern()
        if data != want:
            raise Failed('the disk was written elsewhere, or not')


def run(build, device, actions, seed):
    spec = DEVICES[device]
    read_only = spec.get('read_only', False)
    # its rings broken, virtiofsd may end: then there are no more files, and all else goes on
    mortal = int(spec.get('share', False))
    cmdline = (f'device={device.split("-")[0]} nth={1 if read_only else 0} actions={actions} seed={seed} '
               f'mortal={mortal}')
    with Machine(f'{build}/ketch-vmm', f'{build}/tests/vmm/guest', cmdline, **spec) as m:
        before = [hash_of(d) for d in m.disks]
        try:
            m.wait_ready()
            if 'gone' in m.lines:
                m.virtiofsd.wait(DEADLINE)
                print(f'# {device}: virtiofsd has ended')
            m.power_off()
            check_disks(m, before, read_only, actions)
        except (Failed, OSError, subprocess.SubprocessError) as e:
            raise Failed(f"{e} ({cmdline})") from e


def check_exits(build):
    """Only writes of registers reach the VMM, and of those neither kicks nor acknowledgements."""
    with Machine(f'{build}/ketch-vmm', f'{build}/tests/vmm/guest', 'device=rng nth=0 actions=0 seed=1 mortal=0') as m:
        m.wait_ready()
        exits = m.check_stats()['vcpus'][0].get('mmio', 0)
        if exits != WRITES_TO_START:
            raise Failed(f'{exits} exits, {WRITES_TO_START} are for writes')
        m.power_off()


def outside():
    """What must be the same before and after."""
    with open('/proc/self/mountinfo') as f:
        mounts = f.read()
    children = open(f'/proc/self/task/{os.getpid()}/children').read()
    with open('/proc/self/net/dev') as f:
        links = [line.split(':')[0] for line in f if ':' in line]
    return mounts, children, links, len(os.listdir('/proc/self/fd'))


def main():
    p = argparse.ArgumentParser()
    p.add_argument('build')
    p.add_argument('-n', type=int, default=0)
    p.add_argument('-s', type=int, default=1)
    p.add_argument('devices', nargs='*', default=[])
    a = p.parse_intermixed_args()
    failed, reason = False, skip_reason(a.build)
    if reason:
        print(f'ok devices under a hostile guest # skip {reason}')
        return 0
    leave_network()
    with tempfile.TemporaryDirectory(prefix='canary.') as canary:
        for i in range(16):
            with open(f'{canary}/{i}', 'wb') as f:
                f.write(os.urandom(4096))
        hashes = [hash_of(f'{canary}/{i}') for i in range(16)]
        devices = a.devices or list(DEVICES)
        print(f'1..{len(devices) + 1}', flush=True)
        for n, device in enumerate(devices, 1):
            before, start = outside(), time.monotonic()
            try:
                run(a.build, device, a.n, a.s)
                if outside() != before:
                    raise Failed('something is left: mounts, processes or descriptors')
                if [hash_of(f'{canary}/{i}') for i in range(16)] != hashes:
                    raise Failed('a file outside has changed')
                result = 'ok'
            except (Failed, OSError, subprocess.SubprocessError) as e:
                result, failed = 'not ok', True
                print(f'# {e}')
            print(f'{result} {n} {device}: real work, {a.n} random actions, real work '
                  f'# {time.monotonic() - start:.1f} s', flush=True)
        try:
            check_exits(a.build)
            print(f'ok {len(devices) + 1} reads of registers and kicks are no exits to the VMM', flush=True)
        except (Failed, OSError, subprocess.SubprocessError) as e:
            failed = True
            print(f'# {e}\nnot ok {len(devices) + 1} reads of registers and kicks are no exits to the VMM', flush=True)
    return failed


sys.exit(main())
