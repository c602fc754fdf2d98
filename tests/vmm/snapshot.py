#!/usr/bin/python3
"""snapshot.py - machines are saved while they run, restored, forked and taken back in place: natively, with the test guest

    snapshot.py BUILD

Speaks TAP.  The guest (guests/use_memory.c) counts in its memory, and says how far it is when it has become another machine; a
page of another moment makes it fail.
"""
import os
import struct
import sys
import tempfile
import time

from vmm import DEADLINE, Failed, Machine, skip_reason

PAGES, STEP = 2000, 5000
MIB = 1 << 20


class Rig:
    def __init__(self, build, where):
        self.build, self.where, self.n = build, where, 0

    def path(self, name):
        self.n += 1
        return f'{self.where}/{self.n}.{name}'

    def boot(self, memory='64m', pages=PAGES, **more):
        m = Machine(f'{self.build}/ketch-vmm', f'{self.build}/tests/vmm/guest',
                    f'device=memory pages={pages} step={STEP}', memory=memory, **more)
        m.wait_ready()
        return m

    def restore(self, saved, memory='64m', **more):
        return Machine(f'{self.build}/ketch-vmm', None, saved=saved, memory=memory, **more)

    def file(self, name, size):
        path = self.path(name)
        with open(path, 'wb') as f:
            f.truncate(size)
        return path

    def save(self, m, memory=64 * MIB, live=True, difference=False, verb='save'):
        """Returns the paths of state and memory, and the answer; the machine is paused."""
        ram = self.file('ram', memory + (memory // 4096 // 8 if difference else 0))
        state = self.file('state', 0)
        with open(ram, 'r+b') as f:
            m.control.must('ram ' + ('difference' if difference else 'whole'), f.fileno())
        if live:
            m.control.must('write')
        with open(state, 'r+b') as f:
            return state, ram, m.control.must(verb, f.fileno())


def wait_count(m):
    """The number that the guest has got to, once it has looked through its memory."""
    end = time.monotonic() + DEADLINE
    while True:
        for line in m.lines:
            if line.startswith('count '):
                m.lines.remove(line)
                return int(line[6:])
        left = end - time.monotonic()
        if left <= 0:
            raise Failed(f'no count; it said {m.lines[-3:]}')
        for key, mask in m.selector.select(left):
            key.data(mask)


# --- cases

def goes_on_in_another_process(rig):
    with rig.boot() as m:
        state, ram, _ = rig.save(m)
    with rig.restore([state, ram]) as a:
        count = wait_count(a)
        if count < PAGES:
            raise Failed(f'it had counted to {count} only')
        a.power_off()


def the_parent_goes_on_and_its_children_share_its_memory(rig):
    with rig.boot() as m:
        state, ram, _ = rig.save(m)
        m.control.must('resume')
        children = [rig.restore([state, ram]) for _ in range(3)]
        counts = [wait_count(c) for c in children]
        for c in children:
            c.power_off()
            c.close()
        m.power_off()
        if max(counts) - min(counts) > STEP:
            raise Failed(f'children began at {counts}')


def is_saved_in_the_pause_only(rig):
    with rig.boot() as m:
        state, ram, answer = rig.save(m, live=False)
        if answer['pages'] < PAGES:
            raise Failed(f'only {answer["pages"]} pages were written')
    with rig.restore([state, ram]) as a:
        wait_count(a)
        a.power_off()


def a_difference_holds_what_changed(rig):
    with rig.boot() as m:
        base = rig.save(m)
    with rig.restore(base[:2]) as a:
        first = wait_count(a)
        one = rig.save(a, difference=True)
    with rig.restore([one[0], base[1], one[1]]) as b:
        second = wait_count(b)
        two = rig.save(b, difference=True, live=False)
        if second < first:
            raise Failed('it went back')
    with rig.restore([two[0], base[1], one[1], two[1]]) as c:
        if wait_count(c) < second:
            raise Failed('it went back')
        whole = rig.save(c)
    with rig.restore(whole[:2]) as d:
        wait_count(d)
        d.power_off()


def goes_back_in_place_again_and_again(rig):
    with rig.boot() as m:
        rig.save(m, verb='checkpoint')
        m.control.must('resume')
        counts = []
        for _ in range(5):
            m.control.must('rollback')
            m.control.must('resume')
            counts.append(wait_count(m))
        if max(counts) - min(counts) > STEP:
            raise Failed(f'after rollback it was at {counts}')
        m.power_off()


def goes_back_to_what_it_was_restored_from(rig):
    """Without a checkpoint, and so at no cost while it runs: the pages that are its own are forgotten."""
    with rig.boot() as m:
        state, ram, _ = rig.save(m)
    with rig.restore([state, ram]) as a:
        counts = [wait_count(a)]
        for _ in range(5):
            answer = a.control.must('rollback')
            if not 0 < answer['pages'] < 16384:
                raise Failed(f'{answer["pages"]} of 16384 pages were taken back')
            a.control.must('resume')
            counts.append(wait_count(a))
        if max(counts) - min(counts) > STEP:
            raise Failed(f'it was at {counts}')
        rig.save(a)
        a.control.must('resume')
        if 'error' not in a.control.ask('rollback'):
            raise Failed('it was saved since, and went back')
        difference = rig.save(a, difference=True)
    with rig.restore([difference[0], ram, difference[1]]) as b:
        if 'error' not in b.control.ask('rollback'):
            raise Failed('of several files it went back')
        wait_count(b)
        b.power_off()


def is_saved_again_after_it_was_saved(rig):
    with rig.boot() as m:
        for live in (True, False, True):
            state, ram, _ = rig.save(m, live=live)
            m.control.must('resume')
            with rig.restore([state, ram]) as a:
                wait_count(a)
        m.power_off()


def several_vcpus_are_restored(rig):
    with rig.boot(vcpus=4) as m:
        state, ram, _ = rig.save(m)
    with rig.restore([state, ram], vcpus=4) as a:
        wait_count(a)
        a.power_off()


def each_generation_id_is_another(rig):
    ids = set()
    with rig.boot() as m:
        state, ram, _ = rig.save(m)
    for _ in range(3):
        with rig.restore([state, ram]) as a:
            wait_count(a)
            _, again, _ = rig.save(a)
            with open(again, 'rb') as f:
                f.seek(0xe0000)
                ids.add(f.read(0x20000))
    if len(ids) != 3:
        raise Failed('two machines have one generation ID')


DEVICES = {'block': {'disks': 1}, 'net': {'net': True}, 'console': {'console': True}, 'balloon': {}, 'rng': {}}


def wait_dots(m, n):
    """The guest is at work on its device; it says a dot now and then."""
    end, before = time.monotonic() + DEADLINE, m.dots
    while not m.ready and m.dots < before + n:
        left = end - time.monotonic()
        if left <= 0:
            raise Failed(f'it does not go on; it said {m.lines[-3:]}')
        for key, mask in m.selector.select(left):
            key.data(mask)


def work_on(rig, device, spec, seed):
    """One that drives its device badly and well is saved in the midst of it: its successor goes on, and ends well."""
    m = Machine(f'{rig.build}/ketch-vmm', f'{rig.build}/tests/vmm/guest',
                f'device={device} nth=0 actions=20000 seed={seed} mortal=0', **spec)
    with m:
        for live in (True, False):
            wait_dots(m, 3)
            state, ram, _ = rig.save(m, live=live)
            contents = []
            for disk in m.disks:
                with open(disk, 'rb') as f:
                    contents.append(f.read())
            for key, mask in m.selector.select(0):
                key.data(mask)
            with rig.restore([state, ram], contents=contents, **spec) as a:
                a.ready, a.said = m.ready, m.said  # it may have been quicker than we, or in the middle of a word
                if m.lines and not m.ready:
                    a.answer_again(m.lines[-1])
                a.wait_ready()
                a.power_off()
            m.control.must('resume')
        m.wait_ready()
        m.power_off()


def devices_at_work_are_saved(rig):
    for seed, (device, spec) in enumerate(DEVICES.items()):
        try:
            work_on(rig, device, spec, seed)
        except Failed as e:
            raise Failed(f'{device}: {e}') from e


# --- what is refused

def refuse(rig, saved, part, **more):
    m = rig.restore(saved, **more)
    err = os.fdopen(os.dup(2), 'w')
    err.close()
    with m:
        status = os.waitstatus_to_exitcode(m.reap())
        if status != 2:
            raise Failed(f'{part}: it ended with {status}')


def what_does_not_fit_is_refused(rig):
    with rig.boot(disks=1) as m:
        state, ram, _ = rig.save(m)
    with open(state, 'rb') as f:
        good = f.read()
    refuse(rig, [state, ram], 'without its disk')
    refuse(rig, [state, ram], 'another size', memory='128m', disks=1)
    refuse(rig, [state, ram], 'more vcpus', vcpus=2, disks=1)
    refuse(rig, [ram, ram], 'memory for state', disks=1)
    refuse(rig, [state, state], 'state for memory', disks=1)
    for name, change in (('truncated', lambda b: b[:-1]), ('empty', lambda b: b''),
                         ('version', lambda b: b[:8] + struct.pack('<I', 99) + b[12:]),
                         ('flip', lambda b: b[:2000] + bytes([b[2000] ^ 1]) + b[2001:])):
        bad = rig.file(name, 0)
        with open(bad, 'wb') as f:
            f.write(change(good))
        refuse(rig, [bad, ram], name, disks=1)
    with rig.restore([state, ram], disks=1) as a:
        wait_count(a)
        a.power_off()


def requests_out_of_order_have_an_error(rig):
    with rig.boot() as m, open(rig.file('ram', 64 * MIB), 'r+b') as ram, open(rig.file('state', 0), 'r+b') as state:
        for line, fd in (('write', None), ('save', None), ('save', state.fileno()), ('rollback', None),
                         ('ram whole', None), ('ram half', ram.fileno()), ('ram difference', ram.fileno())):
            if 'error' not in m.control.ask(line, fd):
                raise Failed(f'"{line}" was done')
        m.control.must('ram whole', ram.fileno())
        m.control.must('save', state.fileno())
        m.control.must('resume')
        m.power_off()


CASES = [goes_on_in_another_process, the_parent_goes_on_and_its_children_share_its_memory, is_saved_in_the_pause_only,
         a_difference_holds_what_changed, goes_back_in_place_again_and_again,
         goes_back_to_what_it_was_restored_from, is_saved_again_after_it_was_saved,
         several_vcpus_are_restored, each_generation_id_is_another, what_does_not_fit_is_refused,
         requests_out_of_order_have_an_error, devices_at_work_are_saved]


def main():
    build = sys.argv[1]
    why = skip_reason(build)
    if why:
        print(f'1..0 # SKIP {why}')
        return 0
    print(f'1..{len(CASES)}')
    failed = 0
    for i, case in enumerate(CASES, 1):
        with tempfile.TemporaryDirectory(prefix='vmm.') as where:
            try:
                case(Rig(build, where))
                result = 'ok'
            except (Failed, OSError) as e:
                result, failed = 'not ok', failed + 1
                print(f'# {e}')
        print(f'{result} {i} - {case.__name__.replace("_", " ")}', flush=True)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
