#!/usr/bin/python3
"""jail.py - reads from /proc what a running ketch-vmm still has, for ten shapes of machines

    jail.py BUILD

Speaks TAP.  The promises are those of src/vmm/jail.h and src/vmm/seal.h.
"""
import collections
import ctypes
import os
import signal
import sys

from vmm import Failed, Machine, libc, skip_reason

SHAPES = [
    ('1 vcpu, 64 MiB', {}),
    ('4 vcpus, 64 MiB', {'vcpus': 4}),
    ('more than 3 GiB', {'memory': '3584m'}),
    ('a disk', {'disks': 1}),
    ('five disks', {'disks': 5}),
    ('a read-only disk', {'disks': 1, 'read_only': True}),
    ('a shared directory', {'share': True}),
    ('vsock and console', {'vsock': True, 'console': True}),
    ('a network', {'net': True}),
    ('all devices, 4 vcpus', {'vcpus': 4, 'memory': '3584m', 'disks': 5, 'read_only': True, 'share': True, 'vsock': True,
                              'console': True, 'net': True}),
]
# Eventfds: the end, two lines, three devices that every machine has; at most 12 for each further device.
MOST_EVENTFDS = 200


def expected_fds(spec):
    """How many of each kind; eventfds, event loops and timers are counted by the code alone."""
    disks = spec.get('disks', 0)
    sockets = 1 + spec.get('share', 0) + spec.get('console', 0) + 16 * spec.get('vsock', 0) + spec.get('net', 0)
    return {'/dev/null': 2, 'stderr': 1, 'serial': 1, 'socket': sockets, 'disk': disks, 'kvm-vm': 1,
            'kvm-vcpu': spec.get('vcpus', 1), 'io_uring': disks, 'pagemap': 1, 'ram': spec.get('share', 0)}


def kind_of(machine, fd, target):
    if fd == 2:
        return 'stderr'
    if target.startswith('pipe:'):
        return 'serial'
    if target.startswith('socket:'):
        return 'socket'
    if target in machine.disks:
        return 'disk'
    if target.endswith('/pagemap'):  # of itself: which pages of its RAM there are
        return 'pagemap'
    if target.startswith('/memfd:ram'):
        return 'ram'
    if target.startswith('anon_inode:'):
        return target[len('anon_inode:'):].strip('[]').split(':')[0]
    return target


def read(path):
    with open(path) as f:
        return f.read()


def status_of(path):
    return dict(line.split(':\t', 1) for line in read(f'{path}/status').splitlines() if ':\t' in line)


def check(condition, what):
    if not condition:
        raise Failed(what)


def check_identity(m, proc, uids):
    s = status_of(proc)
    ids = s['Uid'].split() + s['Gid'].split()
    check(set(ids) == {str(m.uid)} and m.uid not in uids, f'user and group: {ids}')
    uids.add(m.uid)
    check(s['Groups'].strip() == '', f'groups: {s["Groups"]}')
    check(os.stat(f'{proc}/fd').st_uid == 0, 'it is dumpable: its files in /proc are its own')


def check_threads(m, proc, vcpus, disks):
    tasks = os.listdir(f'{proc}/task')
    names = collections.Counter(status_of(f'{proc}/task/{t}')['Name'].rstrip('0123456789') for t in tasks)
    check(names['vcpu'] == vcpus, f'threads: {names}')
    for t in tasks:
        s = status_of(f'{proc}/task/{t}')
        for which in ('Inh', 'Prm', 'Eff', 'Bnd', 'Amb'):
            check(int(s[f'Cap{which}'], 16) == 0, f'{s["Name"]}: Cap{which} {s["Cap" + which]}')
        check(s['NoNewPrivs'] == '1', f'{s["Name"]}: NoNewPrivs {s["NoNewPrivs"]}')
        check(s['Seccomp'] == '2' or s['Name'].startswith(('iou-', 'kvm-')), f'{s["Name"]}: Seccomp {s["Seccomp"]}')


def check_namespaces(proc):
    for ns in ('mnt', 'net', 'ipc', 'uts', 'pid'):
        check(os.readlink(f'{proc}/ns/{ns}') != os.readlink(f'/proc/self/ns/{ns}'), f'namespace {ns} is ours')
    links = [line.split(':')[0].strip() for line in read(f'{proc}/net/dev').splitlines()[2:]]
    check(links == ['lo'], f'network interfaces: {links}')


def check_root(proc):
    root = f'{proc}/root/'
    check(os.listdir(root) == [], f'in the root: {os.listdir(root)}')
    check(os.statvfs(root).f_flag & os.ST_RDONLY, 'the root is writable')
    check(os.readlink(f'{proc}/cwd') == '/', f'it is in {os.readlink(proc + "/cwd")}')
    mounts = read(f'{proc}/mountinfo').splitlines()
    check(len(mounts) == 1, f'mounts: {mounts}')


def check_fds(m, proc, spec):
    have = collections.Counter()
    for fd in os.listdir(f'{proc}/fd'):
        have[kind_of(m, int(fd), os.readlink(f'{proc}/fd/{fd}'))] += 1
    ours = {k: have.pop(k, 0) for k in ('eventfd', 'eventpoll', 'timerfd')}
    check(have == collections.Counter(expected_fds(spec)), f'descriptors: {dict(have)}, not {expected_fds(spec)}')
    check(ours['eventfd'] <= MOST_EVENTFDS and ours['eventpoll'] <= 8, f'event loops: {ours}')


def check_limits(proc):
    limits = {line[:25].strip(): line[26:].split()[:2] for line in read(f'{proc}/limits').splitlines()[1:]}
    for name, most in (('Max open files', 472), ('Max core file size', 0), ('Max processes', 256),
                       ('Max msgqueue size', 0), ('Max locked memory', 0)):
        check(all(v != 'unlimited' and int(v) <= most for v in limits[name]), f'{name}: {limits[name]}')


# --- a system call put into a thread: what the filters would never let it ask, but Landlock and the root must refuse too

PTRACE_PEEK, PTRACE_POKE, PTRACE_GETREGS, PTRACE_SETREGS = 2, 5, 12, 13
PTRACE_STEP, PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 9, 17, 0x4206, 0x4207
WALL = 0x40000000
REGS = ('r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss fs_base gs_base '
        'ds es fs gs').split()
AT_FDCWD, O_DIRECTORY, SYS_OPENAT = -100, 0o200000, 257


class Regs(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ulonglong) for name in REGS]


def ptrace(request, tid, addr=0, data=0):
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    libc.ptrace.restype = ctypes.c_long
    ctypes.set_errno(0)
    r = libc.ptrace(request, tid, addr, data)
    if r == -1 and ctypes.get_errno():
        raise OSError(ctypes.get_errno(), f'ptrace {request}')
    return r


def open_root(pid, tid):
    """What openat(AT_FDCWD, "/", O_DIRECTORY) says in that thread, which waits in a system call."""
    saved, regs = Regs(), Regs()
    ptrace(PTRACE_SEIZE, tid)
    ptrace(PTRACE_INTERRUPT, tid)
    os.waitpid(tid, WALL)
    ptrace(PTRACE_GETREGS, tid, 0, ctypes.addressof(saved))
    ctypes.memmove(ctypes.addressof(regs), ctypes.addressof(saved), ctypes.sizeof(regs))
    with open(f'/proc/{pid}/mem', 'r+b', 0) as mem:
        mem.seek(saved.rip - 2)
        if mem.read(2) != b'\x0f\x05':
            raise Failed('the thread is not in a system call')
        at = (saved.rsp - 4096) & ~15
        mem.seek(at)
        mem.write(b'/\0')
    regs.rip, regs.rax, regs.orig_rax = saved.rip - 2, SYS_OPENAT, 2**64 - 1
    regs.rdi, regs.rsi, regs.rdx, regs.r10 = 2**64 + AT_FDCWD, at, O_DIRECTORY, 0
    ptrace(PTRACE_SETREGS, tid, 0, ctypes.addressof(regs))
    ptrace(PTRACE_STEP, tid)
    os.waitpid(tid, WALL)
    ptrace(PTRACE_GETREGS, tid, 0, ctypes.addressof(regs))
    ptrace(PTRACE_SETREGS, tid, 0, ctypes.addressof(saved))
    ptrace(PTRACE_DETACH, tid)
    return ctypes.c_longlong(regs.rax).value


def check_landlock(build):
    """Behind the filters there is a second wall, in every thread."""
    EACCES = -13
    with machine(build, {'vcpus': 2, 'disks': 1, 'extra': ['--unsealed']}) as m:
        m.wait_ready()
        m.control.must('pause')
        for tid in os.listdir(f'/proc/{m.pid}/task'):
            name = status_of(f'/proc/{m.pid}/task/{tid}')['Name']
            if name.startswith(('iou-', 'kvm-')):
                continue
            r = open_root(m.pid, int(tid))
            check(r == EACCES, f'{name} opens the root: {r}')
        m.control.must('resume')
        m.power_off()


def machine(build, spec):
    return Machine(f'{build}/ketch-vmm', f'{build}/tests/vmm/guest', 'device=none', **spec)


def check_shape(build, spec, uids):
    with machine(build, spec) as m:
        m.wait_ready()
        proc = f'/proc/{m.pid}'
        check_identity(m, proc, uids)
        check_threads(m, proc, spec.get('vcpus', 1), spec.get('disks', 0))
        check_namespaces(proc)
        check_root(proc)
        check_fds(m, proc, spec)
        check_limits(proc)
        m.power_off()


def check_sigpipe(build):
    """Also where it is not the first process of a PID namespace, which ignores what it does not handle."""
    with Machine(f'{build}/ketch-vmm', f'{build}/tests/vmm/guest', 'device=none', namespace=False) as m:
        m.wait_ready()
        ignored = int(status_of(f'/proc/{m.pid}')['SigIgn'], 16)
        check(ignored >> (signal.SIGPIPE - 1) & 1, 'SIGPIPE is not ignored')
        m.power_off()


def check_stop_and_go(build):
    """The filters let a thread go on that was stopped in any of its system calls."""
    with machine(build, {'vcpus': 2, 'disks': 1, 'vsock': True, 'console': True}) as m:
        m.wait_ready()
        for _ in range(3):
            os.kill(m.pid, signal.SIGSTOP)
            os.waitpid(m.pid, os.WUNTRACED)
            os.kill(m.pid, signal.SIGCONT)
            m.control.must('pause')
            m.control.must('resume')
        m.power_off()


def landlock_is_there():
    SYS_LANDLOCK_CREATE_RULESET, VERSION = 444, 1
    return libc.syscall(SYS_LANDLOCK_CREATE_RULESET, 0, 0, VERSION) > 0


def main():
    build, uids, failed = sys.argv[1], set(), False
    reason = skip_reason(build)
    if reason:
        print(f'ok the jail of a running machine # skip {reason}')
        return 0
    tests = [(name, lambda spec=spec: check_shape(build, spec, uids)) for name, spec in SHAPES]
    tests.append(('Landlock in every thread', lambda: check_landlock(build) if landlock_is_there() else 'no Landlock'))
    tests.append(('a machine that was stopped goes on', lambda: check_stop_and_go(build)))
    tests.append(('a reader who goes does no harm', lambda: check_sigpipe(build)))
    print(f'1..{len(tests)}', flush=True)
    for n, (name, run) in enumerate(tests, 1):
        try:
            skip = run()
            print(f'ok {n} jail: {name}' + (f' # SKIP {skip}' if skip else ''), flush=True)
        except (Failed, OSError) as e:
            failed = True
            print(f'# {e}\nnot ok {n} jail: {name}', flush=True)
    return failed


sys.exit(main())
