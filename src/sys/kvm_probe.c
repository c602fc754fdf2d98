/* kvm_probe.c - one vcpu in long mode, its memory made by hand, a deadline, a verdict
 *
 * It runs in a child: a signal must be able to stop KVM_RUN, which in the caller would mean meddling with
 * its signals, and whatever a strange KVM does to the process is gone with it.
 */
#include "sys/kvm_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "sys/kvm_guest.h"
#include "sys/ns.h"
#include "sys/pidfd.h"

#define MEMORY_BYTES  (2u << 20)
#define GUEST_MS      240 /* then the guest is stopped and asked how far it came */
#define PATIENCE      3 /* times GUEST_MS until it must have come to its loop: the machine may be busy */
#define SILENCE_MS    800 /* of the child, which speaks at each step: then it is killed */
#define END_MS	      5000 /* until it has ended: its machine is taken apart first */
#define KILL_MS	      100 /* the same for a silent one, which may hang in the kernel: then it is left behind */
#define MIN_MIPS      10.0 /* PVM: 2; emulated SVM under QEMU's TCG: over 50; hardware: thousands */
#define CPUID_ENTRIES 256

/* kvm_guest.S: the code, its length, and its two handlers as offsets */
extern const char kvm_guest_code[];
extern const uint32_t kvm_guest_bytes, kvm_guest_page_fault, kvm_guest_exception;

static const char *const stages[] = {
	"its first instruction", "CPUID",	 "RDMSR and WRMSR", "LOCK CMPXCHG16B",
	"XSAVE and XRSTOR",	 "a far return", "a page fault",    "a plain loop",
};

/* What the child says: a byte, behind VERDICT a struct kvm_verdict. */
enum { ALIVE, VERDICT };

struct machine {
	int kvm, vm, cpu;
	int report; /* to the parent */
	char *memory;
	struct kvm_run *run;
	int64_t loop_began_ns; /* thread CPU time; 0: not yet */
	int alarms;
};

static struct kvm_run *volatile run_to_stop; /* for the signal handler; of the child only */

static void on_alarm(int signo)
{
	if (run_to_stop)
		run_to_stop->immediate_exit = 1;
}

static int64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Each step may take 2 ms, or 500 in a busy emulator: silence is judged, not the sum. */
static void say_alive(const struct machine *m)
{
	const char byte = ALIVE;

	write_full(m->report, &byte, 1);
}

int kvm_open(char *reason, unsigned n)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC), r = -errno;

	if (fd >= 0)
		return fd;
	if (r == -ENOENT || r == -ENXIO || r == -ENODEV)
		snprintf(reason, n, "there is no /dev/kvm");
	else if (r == -EACCES || r == -EPERM)
		snprintf(reason, n, "no permission to open /dev/kvm");
	else
		snprintf(reason, n, "/dev/kvm does not open: %s", strerror(-r));
	return r;
}

/* --- the guest's memory */

static void put_u64(char *memory, uint32_t at, uint64_t v)
{
	memcpy(memory + at, &v, sizeof(v));
}

static void put_gate(char *memory, unsigned vector, uint64_t handler)
{
	uint32_t at = GUEST_IDT + vector * 16;

	/* 64-bit interrupt gate, present, code selector 8 (Intel SDM 3A, 6.14.1) */
	put_u64(memory, at, (handler & 0xffff) | 8 << 16 | UINT64_C(0x8e00) << 32 | (handler >> 16) << 48);
	put_u64(memory, at + 8, handler >> 32);
}

static void fill_memory(char *m)
{
	put_u64(m, GUEST_GDT + 8, UINT64_C(0x00af9b000000ffff)); /* code, 64-bit */
	put_u64(m, GUEST_GDT + 16, UINT64_C(0x00cf93000000ffff)); /* data */
	put_u64(m, GUEST_PML4, GUEST_PDPT | 3);
	put_u64(m, GUEST_PDPT, GUEST_PD | 3);
	put_u64(m, GUEST_PD, 0x83); /* the first 2 MiB as one page, identity */
	for (unsigned v = 0; v < 32; v++)
		put_gate(m, v, GUEST_CODE + (v == 14 ? kvm_guest_page_fault : kvm_guest_exception));
	memcpy(m + GUEST_CODE, kvm_guest_code, kvm_guest_bytes);
}

/* --- the machine */

static int give_memory(struct machine *m)
{
	struct kvm_userspace_memory_region region = { .memory_size = MEMORY_BYTES };

	m->memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (m->memory == MAP_FAILED)
		return -errno;
	fill_memory(m->memory);
	region.userspace_addr = (uintptr_t)m->memory;
	return ioctl(m->vm, KVM_SET_USER_MEMORY_REGION, &region) < 0 ? -errno : 0;
}

static int give_cpuid(struct machine *m)
{
	union {
		struct kvm_cpuid2 head;
		char room[sizeof(struct kvm_cpuid2) + CPUID_ENTRIES * sizeof(struct kvm_cpuid_entry2)];
	} c = { .head.nent = CPUID_ENTRIES };

	if (ioctl(m->kvm, KVM_GET_SUPPORTED_CPUID, &c) < 0 || ioctl(m->cpu, KVM_SET_CPUID2, &c) < 0)
		return -errno;
	return 0;
}

static int set_registers(struct machine *m)
{
	struct kvm_segment code = {
		.selector = 8, .limit = 0xffffffff, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1
	};
	struct kvm_segment data = {
		.selector = 16, .limit = 0xffffffff, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1
	};
	struct kvm_regs regs = { .rip = GUEST_CODE, .rsp = GUEST_STACK, .rflags = 2 };
	struct kvm_sregs s;

	if (ioctl(m->cpu, KVM_GET_SREGS, &s) < 0)
		return -errno;
	s.cs = code;
	s.ds = s.es = s.fs = s.gs = s.ss = data;
	s.gdt.base = GUEST_GDT;
	s.gdt.limit = 23;
	s.idt.base = GUEST_IDT;
	s.idt.limit = 32 * 16 - 1;
	s.cr3 = GUEST_PML4;
	s.cr4 = 0x20; /* PAE */
	s.efer = 0x500; /* LME, LMA */
	s.cr0 = 0x80010033; /* PG, WP, NE, ET, MP, PE */
	if (ioctl(m->cpu, KVM_SET_SREGS, &s) < 0 || ioctl(m->cpu, KVM_SET_REGS, &regs) < 0)
		return -errno;
	return 0;
}

static int make_cpu(struct machine *m)
{
	int size = ioctl(m->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	if (size < 0)
		return -errno;
	m->cpu = ioctl(m->vm, KVM_CREATE_VCPU, 0);
	if (m->cpu < 0)
		return -errno;
	m->run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, m->cpu, 0);
	if (m->run == MAP_FAILED)
		return -errno;
	run_to_stop = m->run;
	return 0;
}

static int make_vm(struct machine *m)
{
	if (ioctl(m->kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		return -EPROTO;
	m->vm = ioctl(m->kvm, KVM_CREATE_VM, 0);
	return m->vm < 0 ? -errno : 0;
}

static int make_machine(struct machine *m)
{
	static int (*const steps[])(struct machine * m) = { make_vm, give_memory, make_cpu, give_cpuid,
							    set_registers };
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(steps) && r == 0; i++) {
		say_alive(m);
		r = steps[i](m);
	}
	say_alive(m);
	return r;
}

/* --- running and judging */

static const char *stage(const struct machine *m)
{
	uint32_t s;

	memcpy(&s, m->memory + GUEST_STAGE, sizeof(s));
	return stages[s < ARRAY_LEN(stages) ? s : 0];
}

static void judge_speed(struct machine *m, uint64_t rounds, struct kvm_verdict *v)
{
	double ns = (double)(cpu_ns() - m->loop_began_ns);

	v->mips = (double)rounds * LOOP_INSTRUCTIONS * 1000 / (ns > 1 ? ns : 1);
	v->usable = v->mips >= MIN_MIPS;
	if (!v->usable)
		snprintf(v->reason, sizeof(v->reason),
			 "/dev/kvm is a software KVM: %.1f MIPS, a stock kernel would not start", v->mips);
}

static void start_timer(void)
{
	const struct itimerval deadline = { .it_value.tv_usec = GUEST_MS * 1000 };

	setitimer(ITIMER_REAL, &deadline, NULL);
}

/* The timer has stopped the guest: goes on?  Else the verdict is in v. */
static bool handle_alarm(struct machine *m, struct kvm_verdict *v)
{
	struct kvm_regs regs = { 0 };

	if (m->loop_began_ns && ioctl(m->cpu, KVM_GET_REGS, &regs) == 0 && regs.rcx < LOOP_ROUNDS) {
		judge_speed(m, LOOP_ROUNDS - regs.rcx, v);
		return false;
	}
	if (++m->alarms < PATIENCE) {
		say_alive(m);
		m->run->immediate_exit = 0;
		start_timer();
		return true;
	}
	v->late = true;
	snprintf(v->reason, sizeof(v->reason), "a guest under /dev/kvm did not get past %s in %d ms",
		 stage(m), GUEST_MS * PATIENCE);
	return false;
}

static void judge_exit(const struct machine *m, struct kvm_verdict *v)
{
	const char *what = "stops";

	if (m->run->exit_reason == KVM_EXIT_INTERNAL_ERROR)
		what = "cannot go on"; /* no emulation */
	else if (m->run->exit_reason == KVM_EXIT_SHUTDOWN)
		what = "crashes";
	else if (m->run->exit_reason == KVM_EXIT_FAIL_ENTRY)
		what = "is not let in by the processor";
	else if (m->run->exit_reason == KVM_EXIT_IO)
		what = "gets an exception";
	snprintf(v->reason, sizeof(v->reason),
		 "/dev/kvm is a software KVM: a guest %s at %s, a stock kernel would not start", what,
		 stage(m));
}

/* Goes on after an exit?  Else the verdict is in v. */
static bool handle_exit(struct machine *m, struct kvm_verdict *v)
{
	if (m->run->exit_reason == KVM_EXIT_IO && m->run->io.port == PORT_LOOP_BEGINS) {
		m->loop_began_ns = cpu_ns();
		return true;
	}
	if (m->run->exit_reason == KVM_EXIT_IO && m->run->io.port == PORT_LOOP_ENDS)
		judge_speed(m, LOOP_ROUNDS, v);
	else
		judge_exit(m, v);
	return false;
}

static void run_guest(struct machine *m, struct kvm_verdict *v)
{
	for (;;) {
		int r = ioctl(m->cpu, KVM_RUN, 0) < 0 ? -errno : 0;

		if (r == -EINTR && handle_alarm(m, v))
			continue;
		if (r == -EINTR)
			return;
		if (r < 0) {
			snprintf(v->reason, sizeof(v->reason), "/dev/kvm does not run a guest: %s",
				 strerror(-r));
			return;
		}
		if (!handle_exit(m, v))
			return;
	}
}

static void probe_in_child(struct machine *m, struct kvm_verdict *v)
{
	struct sigaction stop = { .sa_handler = on_alarm }; /* without SA_RESTART */
	sigset_t none;
	int r;

	sigemptyset(&none);
	sigaction(SIGALRM, &stop, NULL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	r = make_machine(m);
	if (r < 0) {
		snprintf(v->reason, sizeof(v->reason), "/dev/kvm does not make a machine: %s", strerror(-r));
		return;
	}
	start_timer();
	run_guest(m, v);
}

static _Noreturn void child_main(int kvm_fd, int report)
{
	struct machine m = { .kvm = kvm_fd, .report = report };
	struct kvm_verdict v = { 0 };
	const char byte = VERDICT;

	probe_in_child(&m, &v);
	write_full(report, &byte, 1);
	write_full(report, &v, sizeof(v));
	_exit(0);
}

/* The next n bytes from the child.  False: it is silent, or has died. */
static bool hear(int fd, void *data, size_t n)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int r;

	do
		r = poll(&p, 1, SILENCE_MS);
	while (r < 0 && errno == EINTR);
	return r == 1 && read_full(fd, data, n) == (ssize_t)n;
}

/* False: there was none, and *ret says so. */
static bool wait_verdict(int fd, struct kvm_verdict *ret)
{
	struct kvm_verdict v;
	char byte = ALIVE;

	while (byte == ALIVE && hear(fd, &byte, 1))
		;
	if (byte == VERDICT && hear(fd, &v, sizeof(v))) {
		*ret = v;
		return true;
	}
	*ret = (struct kvm_verdict){ .late = true };
	snprintf(ret->reason, sizeof(ret->reason), "a guest under /dev/kvm gives no sign of life in %d ms",
		 SILENCE_MS);
	return false;
}

int kvm_probe(int kvm_fd, struct kvm_verdict *ret)
{
	autoclose int child = -1;
	int pipe_fd[2], status, r = pipe_cloexec(pipe_fd);
	pid_t pid;

	if (r < 0)
		return r;
	pid = ns_clone(0, -1, &child);
	if (pid == 0)
		child_main(kvm_fd, pipe_fd[1]);
	close(pipe_fd[1]);
	if (pid > 0) {
		bool heard = wait_verdict(pipe_fd[0], ret);

		pidfd_signal(child, SIGKILL);
		if (pidfd_wait_end(child, heard ? END_MS : KILL_MS) == 0)
			pidfd_reap(child, &status);
	}
	close(pipe_fd[0]);
	return pid < 0 ? pid : 0;
}
