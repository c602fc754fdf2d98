/* ketch-probe.c - what a workload sees and how fast it is, measured from inside; run behind both walls by compare
 *
 *	ketch-probe ready	prints "ready" and ends
 *	ketch-probe measure	prints one line of JSON (engine/compare_probe.c has its table), then waits to be ended,
 *				so that the host can look at what it costs; a minute at most
 *
 * Static and alone: it is bind-mounted into any image.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SLICE_NS    INT64_C(200000000) /* of each measurement */
#define BATCH	    256 /* rounds between two looks at the clock */
#define FILE_BYTES  (32u << 20)
#define CHUNK_BYTES (64u << 10)
#define PAGES	    4096
#define WAIT_S	    60

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

struct rate {
	uint64_t rounds;
	int64_t ns;
};

/* Calls fn, `batch` times between two looks at the clock, for one slice; stops when fn fails. */
static struct rate measure(int (*fn)(void *arg), void *arg, unsigned batch)
{
	struct rate r = { 0 };
	int64_t began = now_ns();

	do {
		for (unsigned i = 0; i < batch; i++) {
			if (fn(arg) < 0)
				return (struct rate){ 0 };
			r.rounds++;
		}
		r.ns = now_ns() - began;
	} while (r.ns < SLICE_NS);
	return r;
}

static uint64_t per_second(struct rate r, uint64_t units)
{
	return r.ns ? (uint64_t)((double)r.rounds * (double)units * 1e9 / (double)r.ns) : 0;
}

static uint64_t picoseconds(struct rate r)
{
	return r.rounds ? (uint64_t)((double)r.ns * 1000 / (double)r.rounds) : 0;
}

static void print_number(const char *key, uint64_t v)
{
	printf("\"%s\":%llu,", key, (unsigned long long)v);
}

/* --- what is seen */

/* The value of "Key:" in a file such as /proc/self/status; 0 when it is not there. */
static uint64_t status_value(const char *path, const char *key, int base)
{
	size_t n = strlen(key);
	uint64_t value = 0;
	char line[512];
	FILE *f = fopen(path, "re");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, n) && line[n] == ':')
			value = strtoull(line + n + 1, NULL, base);
	if (f)
		fclose(f);
	return value;
}

static uint64_t count_entries(const char *path, int (*wanted)(int dir, const char *name))
{
	DIR *d = opendir(path);
	struct dirent *e;
	uint64_t n = 0;

	while (d && (e = readdir(d)))
		n += wanted(dirfd(d), e->d_name) != 0;
	if (d)
		closedir(d);
	return n;
}

static int is_process(int dir, const char *name)
{
	return name[0] >= '1' && name[0] <= '9';
}

static int is_device(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode));
}

/* Only what is safe between quotes. */
static void print_string(const char *key, const char *value)
{
	printf("\"%s\":\"", key);
	for (; *value && *value != '\n'; value++)
		if (*value >= ' ' && *value <= '~' && *value != '"' && *value != '\\')
			putchar(*value);
	printf("\",");
}

static void print_file(const char *key, const char *path)
{
	char text[256] = "";
	FILE *f = fopen(path, "re");

	if (f && !fgets(text, sizeof(text), f))
		text[0] = '\0';
	if (f)
		fclose(f);
	print_string(key, text);
}

static void print_view(void)
{
	struct utsname u = { 0 };
	struct sysinfo s = { 0 };
	cpu_set_t cpus;

	uname(&u);
	sysinfo(&s);
	print_string("kernel", u.release);
	print_file("bootId", "/proc/sys/kernel/random/boot_id");
	print_number("processes", count_entries("/proc", is_process));
	print_number("devices", count_entries("/dev", is_device));
	print_number("capabilities",
		     (uint64_t)__builtin_popcountll(status_value("/proc/self/status", "CapEff", 16)));
	print_number("seccomp", status_value("/proc/self/status", "Seccomp", 10));
	print_number("cpus", sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? (uint64_t)CPU_COUNT(&cpus) : 0);
	print_number("memory", (uint64_t)s.totalram * s.mem_unit);
}

/* --- how fast it is */

static int one_syscall(void *arg)
{
	return syscall(SYS_getppid) < 0 ? -1 : 0;
}

static int one_fork(void *arg)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	return child < 0 || waitpid(child, NULL, 0) != child ? -1 : 0;
}

/* FNV-1a over a page: integer work in the first cache. */
static int one_hash(void *arg)
{
	unsigned char *page = arg;
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (int i = 0; i < 4096; i++)
		h = (h ^ page[i]) * UINT64_C(0x100000001b3);
	page[0] = (unsigned char)h; /* the next round depends on it: nothing can be left out */
	return 0;
}

static int touch_pages(void *arg)
{
	char *m = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (m == MAP_FAILED)
		return -1;
	for (int i = 0; i < PAGES; i++)
		m[i * 4096] = 1;
	return munmap(m, PAGES * 4096);
}

/* In the writable layer: a directory of our own there. */
struct files {
	int dir;
	unsigned next;
	char chunk[CHUNK_BYTES];
};

static int one_file(void *arg)
{
	struct files *f = arg;
	char name[32];
	int fd, r;

	snprintf(name, sizeof(name), "%u", f->next++);
	fd = openat(f->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	r = write(fd, f->chunk, 4096) == 4096 ? 0 : -1;
	close(fd);
	return unlinkat(f->dir, name, 0) < 0 ? -1 : r;
}

static int one_fsync(void *arg)
{
	struct files *f = arg;
	int fd = openat(f->dir, "fsync", O_WRONLY | O_CREAT | O_CLOEXEC, 0600), r;

	if (fd < 0)
		return -1;
	r = pwrite(fd, f->chunk, 4096, 0) == 4096 && fsync(fd) == 0 ? 0 : -1;
	close(fd);
	return r;
}

static int write_big(void *arg)
{
	struct files *f = arg;
	int fd = openat(f->dir, "big", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), r = fd < 0 ? -1 : 0;

	for (unsigned done = 0; done < FILE_BYTES && r == 0; done += CHUNK_BYTES)
		r = write(fd, f->chunk, CHUNK_BYTES) == CHUNK_BYTES ? 0 : -1;
	if (fd >= 0)
		close(fd);
	return r;
}

static int read_big(void *arg)
{
	struct files *f = arg;
	int fd = openat(f->dir, "big", O_RDONLY | O_CLOEXEC), r = fd < 0 ? -1 : 0;

	for (unsigned done = 0; done < FILE_BYTES && r == 0; done += CHUNK_BYTES)
		r = read(fd, f->chunk, CHUNK_BYTES) == CHUNK_BYTES ? 0 : -1;
	if (fd >= 0)
		close(fd);
	return r;
}

static void print_file_speed(void)
{
	static struct files f;
	char path[] = "/.ketch-probe.XXXXXX";

	if (!mkdtemp(path))
		return;
	f.dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	print_number("filesPerSecond", per_second(measure(one_file, &f, 1), 1));
	print_number("fsyncsPerSecond", per_second(measure(one_fsync, &f, 1), 1));
	print_number("writeBytesPerSecond", per_second(measure(write_big, &f, 1), FILE_BYTES));
	print_number("readBytesPerSecond", per_second(measure(read_big, &f, 1), FILE_BYTES));
	unlinkat(f.dir, "big", 0);
	unlinkat(f.dir, "fsync", 0);
	close(f.dir);
	rmdir(path);
}

static void print_speed(void)
{
	static unsigned char page[4096];

	print_number("syscallPicoseconds", picoseconds(measure(one_syscall, NULL, BATCH)));
	print_number("forkPicoseconds", picoseconds(measure(one_fork, NULL, 1)));
	print_number("pageFaultPicoseconds", picoseconds(measure(touch_pages, NULL, 1)) / PAGES);
	print_number("hashBytesPerSecond", per_second(measure(one_hash, page, 16), sizeof(page)));
	print_file_speed();
}

/* As process 1 of a container we get no signal that we do not ask for. */
static void wait_for_the_end(void)
{
	const struct timespec limit = { .tv_sec = WAIT_S };
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	sigtimedwait(&ends, NULL, &limit);
}

static int measure_all(void)
{
	putchar('{');
	print_view();
	print_speed();
	printf("\"pssBytes\":%llu}\n",
	       (unsigned long long)status_value("/proc/self/smaps_rollup", "Pss", 10) * 1024);
	if (fflush(stdout) != 0)
		return 1;
	wait_for_the_end();
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";

	if (!strcmp(what, "ready"))
		return puts("ready") < 0 || fflush(stdout) != 0;
	if (!strcmp(what, "measure"))
		return measure_all();
	fprintf(stderr, "usage: ketch-probe ready|measure\n");
	return 2;
}
