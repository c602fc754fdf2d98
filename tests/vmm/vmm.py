"""vmm.py - starts ketch-vmm as ketch-monitor does (src/vm/kvm_start.c) and serves what its guest asks for

One Machine is one virtual machine with the test guest (guests/main.c) in it.  Everything waits for an event with a deadline.
"""
import ctypes
import fcntl
import json
import os
import selectors
import signal
import socket
import struct
import subprocess
import tempfile
import time

CLONE_NEWPID, CLONE_NEWNET = 0x20000000, 0x40000000
SYS_CLONE = 56
DEADLINE = float(os.environ.get('VMM_DEADLINE', '120'))  # of one guest in the bed; a guest gives up by itself before
FIRST_UID = 1879048192
VSOCK_PORT, FIRST_PORT, N_PORTS, VSOCK_BYTES = 5000, 1024, 16, 65536
BALLOON_BYTES = 4 << 20
MAC = '02:00:00:00:00:01'
SECTOR, FIRST_SECTOR, N_SECTORS, FILLED, DISK_BYTES = 512, 8, 16, 0x5a, 1 << 20
SHARED = {'hello': b'shared bytes\n'}

ETH_P_ALL, SOL_PACKET, PACKET_IGNORE_OUTGOING = 3, 263, 23
TUNSETIFF, TUNSETVNETHDRSZ, SIOCSIFFLAGS, VNET_HEADER = 0x400454ca, 0x400454d8, 0x8914, 12
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR, IFF_UP = 2, 0x1000, 0x4000, 1

libc = ctypes.CDLL(None, use_errno=True)


class Failed(Exception):
    pass


def leave_network():
    """Into a network namespace of our own, for taps that are nobody else's."""
    if libc.unshare(CLONE_NEWNET) < 0:
        raise OSError(ctypes.get_errno(), 'unshare')


def pattern():
    return bytes(0x80 | ((i * 7 + i // SECTOR) & 0x7f) for i in range(SECTOR * N_SECTORS))


def spawn(argv, keep, namespace=True):
    """In a PID namespace of its own, with the descriptors `keep` and ten that nobody should have left open."""
    null = os.open('/dev/null', os.O_RDWR)
    pid = libc.syscall(SYS_CLONE, (CLONE_NEWPID if namespace else 0) | signal.SIGCHLD, 0, 0, 0, 0)
    if pid < 0:
        raise OSError(ctypes.get_errno(), 'clone')
    if pid == 0:
        try:
            for fd in keep:
                os.set_inheritable(fd, True)
            for i in range(10):
                os.set_inheritable(os.dup(null), True)
            os.dup2(null, 0)
            os.dup2(null, 1)
            os.execv(argv[0], argv)
        finally:
            os._exit(127)
    os.close(null)
    return pid


def skip_reason(build):
    """Why no machine can run here, or None.  In the bed (KVM_WORKS=yes) there is no reason."""
    if os.environ.get('KVM_WORKS') == 'yes':
        return None
    if not os.path.exists('/dev/kvm'):
        return 'no /dev/kvm'
    if os.getuid() != 0:
        return 'only root makes jails'
    try:
        with Machine(f'{build}/ketch-vmm', f'{build}/tests/vmm/guest', 'device=none') as m:
            m.wait_ready()
            m.power_off()
    except (Failed, OSError) as e:
        return f'this KVM runs no guests: {e}'
    return None


class Control:
    def __init__(self, sock):
        self.sock = sock
        self.sock.settimeout(DEADLINE)
        self.buffer = b''

    def ask(self, line, fd=None):
        if fd is None:
            self.sock.sendall(line.encode() + b'\n')
        else:
            socket.send_fds(self.sock, [line.encode() + b'\n'], [fd])
        while b'\n' not in self.buffer:
            got = self.sock.recv(65536)
            if not got:
                raise Failed(f'the control socket is closed after "{line}"')
            self.buffer += got
        answer, self.buffer = self.buffer.split(b'\n', 1)
        return json.loads(answer)

    def must(self, line, fd=None):
        answer = self.ask(line, fd)
        if 'error' in answer:
            raise Failed(f'{line}: {answer["error"]}')
        return answer


class Echo:
    """The other end of a socket of a device: returns what comes; what is not taken at once waits, 1 MiB of it at most."""

    def __init__(self, machine, sock, datagrams=False):
        self.sock, self.machine, self.datagrams = sock, machine, datagrams
        self.waiting = []
        self.n_waiting = 0
        sock.setblocking(False)
        machine.selector.register(sock, selectors.EVENT_READ, self.on_ready)

    def on_ready(self, mask):
        try:
            if mask & selectors.EVENT_READ:
                data = self.sock.recv(65536)
                if not data and not self.datagrams:
                    raise ConnectionResetError
                if self.n_waiting < 1 << 20:
                    self.waiting.append(data)
                    self.n_waiting += len(data)
            self.flush()
        except BlockingIOError:
            pass
        except OSError:
            self.machine.selector.unregister(self.sock)
            self.sock.close()
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.waiting else 0)
        self.machine.selector.modify(self.sock, events, self.on_ready)

    def flush(self):
        while self.waiting:
            n = self.sock.send(self.waiting[0])
            self.n_waiting -= n
            self.waiting[0] = self.waiting[0][n:]
            if not self.waiting[0]:
                self.waiting.pop(0)


class Mirror:
    """The other side of a tap: what the guest sends comes back, where the kernel takes it."""

    def __init__(self, machine, name):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.htons(ETH_P_ALL))
        self.sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.sock.bind((name, ETH_P_ALL))
        machine.ours.append(self.sock)
        machine.selector.register(self.sock, selectors.EVENT_READ, self.on_ready)

    def on_ready(self, mask):
        try:
            self.sock.send(self.sock.recv(65536))
        except OSError:
            pass  # a frame that is too long, or no frame at all


class Talk:
    """A connection of the host to the guest's port: says 64 KiB, wants them back, ends."""

    def __init__(self, machine):
        self.machine = machine
        self.sock, theirs = socket.socketpair()
        self.left = self.want = bytes(os.urandom(VSOCK_BYTES))
        self.got = b''
        machine.control.must(f'vsock {VSOCK_PORT}', theirs.fileno())
        theirs.close()
        self.sock.setblocking(False)
        machine.selector.register(self.sock, selectors.EVENT_READ | selectors.EVENT_WRITE, self.on_ready)

    def on_ready(self, mask):
        if mask & selectors.EVENT_WRITE and self.left:
            self.left = self.left[self.sock.send(self.left):]
            if not self.left:
                self.machine.selector.modify(self.sock, selectors.EVENT_READ, self.on_ready)
        if mask & selectors.EVENT_READ:
            data = self.sock.recv(65536)
            self.got += data
            if len(self.got) >= VSOCK_BYTES or not data:
                self.machine.selector.unregister(self.sock)
                self.sock.close()
                if self.got != self.want:
                    raise Failed(f'vsock: {len(self.got)} bytes came back, and not as they were sent')


class Machine:
    count = 0

    def __init__(self, vmm, guest, cmdline='', memory='64m', vcpus=1, disks=0, read_only=False, share=False,
                 vsock=False, console=False, net=False, tap=False, namespace=True, extra=(), saved=None,
                 contents=()):
        Machine.count += 1
        self.dir = tempfile.TemporaryDirectory(prefix='vmm.')
        self.uid = FIRST_UID + Machine.count
        self.contents = contents  # of its disks; those without are filled
        self.selector = selectors.DefaultSelector()
        self.ours, self.theirs, self.virtiofsd, self.pid, self.status = [], [], None, None, None
        self.said, self.ready, self.dots, self.lines = b'', False, 0, []
        kvm = self.keep(os.open('/dev/kvm', os.O_RDWR))
        ours, theirs = self.pair()
        self.control = Control(ours)
        serial, serial_w = os.pipe()
        os.set_blocking(serial_w, False)
        self.serial = serial
        self.keep(serial_w)
        argv = [vmm, '--kvm', kvm, *self.source(guest, saved), '--memory', memory, '--vcpus', vcpus, '--control', theirs,
                '--serial', serial_w, '--uid', self.uid, '--cmdline', cmdline, *extra]
        self.disks = []
        for i in range(disks):
            argv += ['--block', self.add_disk(i, read_only and i == disks - 1)]
        if share:
            argv += ['--share', self.add_share()]
        if vsock:
            for i in range(N_PORTS):
                argv += ['--vsock', f'fd={self.add_echo()},port={FIRST_PORT + i}']
        if console:
            argv += ['--console', self.add_echo()]
        if net:
            argv += ['--net', f'fd={self.add_echo(socket.SOCK_DGRAM)},mac={MAC}']
        if tap:
            argv += ['--net', f'fd={self.add_tap()},mac={MAC}']
        self.selector.register(serial, selectors.EVENT_READ, self.on_serial)
        self.pid = spawn([str(a) for a in argv], self.theirs, namespace)
        for fd in self.theirs:
            os.close(fd)
        self.theirs = []

    # --- what it gets

    def source(self, guest, saved):
        """A kernel, or the files of a snapshot: its state, its memory and differences to that."""
        if not saved:
            return ['--kernel', self.keep(os.open(guest, os.O_RDONLY))]
        argv = ['--state', self.keep(os.open(saved[0], os.O_RDONLY))]
        for path in saved[1:]:
            argv += ['--ram', self.keep(os.open(path, os.O_RDONLY))]
        return argv

    def keep(self, fd):
        self.theirs.append(fd)
        return fd

    def pair(self, kind=socket.SOCK_STREAM):
        ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
        self.ours.append(ours)
        return ours, self.keep(theirs.detach())

    def add_echo(self, kind=socket.SOCK_STREAM):
        ours, theirs = self.pair(kind)
        os.set_blocking(theirs, False)
        Echo(self, ours, kind == socket.SOCK_DGRAM)
        return theirs

    def add_tap(self):
        fd = self.keep(os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK))
        name = f'vmm{Machine.count}'
        fcntl.ioctl(fd, TUNSETIFF, struct.pack('16sH22x', name.encode(), IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
        fcntl.ioctl(fd, TUNSETVNETHDRSZ, struct.pack('i', VNET_HEADER))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack('16sH22x', name.encode(), IFF_UP))
        Mirror(self, name)
        return fd

    def add_disk(self, i, read_only):
        path = f'{self.dir.name}/disk{i}'
        with open(path, 'wb') as f:
            f.write(self.contents[i] if i < len(self.contents) else bytes([FILLED]) * DISK_BYTES)
        self.disks.append(path)
        fd = self.keep(os.open(path, os.O_RDONLY if read_only else os.O_RDWR))
        return f'fd={fd},serial=disk{i}' + (',ro' if read_only else '')

    def add_share(self):
        tree = f'{self.dir.name}/shared'
        os.mkdir(tree)
        for name, content in SHARED.items():
            with open(f'{tree}/{name}', 'wb') as f:
                f.write(content)
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(f'{self.dir.name}/sock')
        listening.listen(1)
        client = socket.socket(socket.AF_UNIX)
        client.connect(f'{self.dir.name}/sock')
        self.virtiofsd = subprocess.Popen(
            ['/usr/lib/qemu/virtiofsd', f'--fd={listening.fileno()}', '-o', f'source={tree}', '-o', 'sandbox=chroot',
             '-o', 'cache=auto', '-o', 'log_level=err', '--rlimit-nofile=0'],
            pass_fds=[listening.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        listening.close()
        return f'fd={self.keep(client.detach())},tag=share'

    # --- what the guest says

    def on_serial(self, mask):
        data = os.read(self.serial, 65536)
        if not data:
            self.selector.unregister(self.serial)
            self.end_by = self.status or self.reap()
            raise Failed(f'it ended before it was ready: {describe(self.status)}; it said {self.lines[-3:]}')
        self.said += data
        while b'\n' in self.said:
            line, self.said = self.said.split(b'\n', 1)
            self.on_line(line.decode(errors='replace'))

    def on_line(self, line):
        wants = {'want vsock': lambda: Talk(self),
                 'want inflated': lambda: self.control.must(f'balloon {BALLOON_BYTES}'),
                 'want deflated': self.on_inflated}
        self.lines.append(line)
        if line.startswith('FAIL'):
            raise Failed(f'guest: {line[5:]}')
        if line == 'ready':
            self.ready = True
        elif line == '.':
            self.dots += 1
            self.control.must('state')
            self.check_stats()
            if self.dots % 4 == 0:
                self.control.must('pause')
                if self.control.must('state')['state'] != 'paused':
                    raise Failed('paused, and not paused')
                self.check_stats()
                self.control.must('resume')
        elif line in wants:
            wants[line]()

    def answer_again(self, line):
        """What its predecessor asked last: it was saved before it heard the answer, or after."""
        if line == 'want inflated':
            self.control.must(f'balloon {BALLOON_BYTES}')
        elif line == 'want deflated':
            self.control.must('balloon 0')

    def on_inflated(self):
        actual = self.check_stats()['balloon']['actual']
        if actual != BALLOON_BYTES:
            raise Failed(f'balloon: {actual} bytes')
        self.control.must('balloon 0')

    def check_stats(self):
        stats = self.control.must('stats')
        if not stats['vcpus'] or 'devices' not in stats:
            raise Failed(f'stats: {stats}')
        return stats

    # --- its life

    def wait_ready(self):
        end = time.monotonic() + DEADLINE
        while not self.ready:
            left = end - time.monotonic()
            if left <= 0:
                raise Failed(f'it is not ready after {DEADLINE} s; it said {self.lines[-3:]}')
            for key, mask in self.selector.select(left):
                key.data(mask)
                if self.ready:
                    break

    def reap(self):
        if self.status is None and self.pid is not None:
            self.status = os.waitpid(self.pid, 0)[1]
        return self.status

    def power_off(self):
        """The guest is asked to, and its VMM must say that it did."""
        if self.control.must('state')['state'] != 'running':
            raise Failed('it does not run')
        self.check_stats()
        self.control.must('serial')
        self.control.must('power-button')
        pidfd = os.pidfd_open(self.pid)
        waiting = selectors.DefaultSelector()
        waiting.register(pidfd, selectors.EVENT_READ)
        ended = waiting.select(DEADLINE)
        waiting.close()
        os.close(pidfd)
        if not ended:
            raise Failed('it does not power off')
        if self.reap() != 0:
            raise Failed(f'power off: {describe(self.status)}')

    def close(self):
        if self.pid is not None and self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            self.reap()
        if self.virtiofsd:
            self.virtiofsd.kill()
            self.virtiofsd.wait()
        self.selector.close()
        for sock in self.ours:
            sock.close()
        for fd in self.theirs + [self.serial]:
            os.close(fd)
        self.dir.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def describe(status):
    if os.WIFSIGNALED(status):
        return f'killed by {signal.Signals(os.WTERMSIG(status)).name}'
    return f'status {os.WEXITSTATUS(status)}'
