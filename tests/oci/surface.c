/* surface.c - which system calls and socket families the seccomp filter above this program lets through, for each ABI
 *
 * Nothing is executed: a filter of our own answers SECCOMP_RET_TRACE to every call, which without a tracer is ENOSYS, and
 * each refusal of the filter above has precedence over it (seccomp(2)).  So ENOSYS is "let through", whatever this kernel
 * has.  A child asks, for a filter may kill, and answers through shared memory; another one goes on behind the call that
 * killed it.
 * Lines are "ABI calls: 0-3 5" and "ABI families: ..."; "i386: none" where the kernel has no int 0x80.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CALLS	 450 /* Linux 6.0; behind them a filter may answer ENOSYS itself */
#define FAMILIES 46 /* AF_MAX */
#define X32	 0x40000000
#define UNTOLD	 1 /* not an errno of a call: they are negative */

static volatile long *told;

static long call_64(long nr, long a)
{
	long r;

	__asm__ volatile("syscall" : "=a"(r) : "a"(nr), "D"(a), "S"(2L), "d"(0L) : "rcx", "r11", "memory");
	return r;
}

static long call_x32(long nr, long a)
{
	return call_64(nr | X32, a);
}

static long call_i386(long nr, long a)
{
	int r;

	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "a"(nr), "b"(a), "c"(2), "d"(0)
			 : "r8", "r9", "r10", "r11", "memory");
	return r;
}

/* All but the call by which a child ends. */
static void watch(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[5])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x600d, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(*code), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		_exit(1);
}

static void end(void)
{
	for (;;)
		syscall(SYS_exit_group, 0, 0, 0, 0, 0, 0x600d);
}

/* Asks nr, or with nr < 0 every number, from `from` on; what is not told by a child's end has killed it. */
static void ask(long (*call)(long nr, long a), long nr, long from, long n)
{
	pid_t child;

	while (from < n) {
		child = fork();
		if (child == 0) {
			watch();
			for (; from < n; from++)
				told[from] = nr < 0 ? call(from, 0) : call(nr, from);
			end();
		}
		if (child < 0 || waitpid(child, NULL, 0) != child) {
			perror("surface");
			exit(1);
		}
		while (from < n && told[from] != UNTOLD)
			from++;
		from++; /* behind the one that killed */
	}
}

static void list(const char *abi, const char *what, long (*call)(long nr, long a), long nr, long n)
{
	long first = -1;

	for (long i = 0; i < n; i++)
		told[i] = UNTOLD;
	ask(call, nr, 0, n);
	printf("%s %s:", abi, what);
	for (long i = 0; i <= n; i++) {
		int through = i < n && told[i] == -ENOSYS;

		if (through && first < 0)
			first = i;
		if (through || first < 0)
			continue;
		printf(first == i - 1 ? " %ld" : " %ld-%ld", first, i - 1);
		first = -1;
	}
	puts("");
}

static int has_i386(void)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0)
		_exit(call_i386(20, 0) == 0); /* getpid, or what a filter says */
	return waitpid(child, &status, 0) == child && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

int main(void)
{
	told = mmap(NULL, CALLS * sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (told == MAP_FAILED)
		return 1;
	setvbuf(stdout, NULL, _IOFBF, 65536); /* children write nothing */
	list("x86_64", "calls", call_64, -1, CALLS);
	list("x86_64", "families", call_64, SYS_socket, FAMILIES);
	list("x32", "calls", call_x32, -1, CALLS);
	if (has_i386()) {
		list("i386", "calls", call_i386, -1, CALLS);
		list("i386", "families", call_i386, 359, FAMILIES);
	} else {
		puts("i386: none");
	}
	return 0;
}
