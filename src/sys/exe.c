/* exe.c - the file that the calling program runs from
 *
 * The kernel exchanges /proc/PID/exe (PR_SET_MM_MAP of prctl(2), made for CRIU) once nothing of the old file is mapped.
 * So the program's segments are mapped again over themselves, from the new descriptor: the pages are the same ones.
 */
#include "sys/exe.h"

#include <errno.h>
#include <link.h>
#include <linux/prctl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/sanitized.h"

#define PAGE_SIZE UINT64_C(4096)

static uint64_t page_of(uint64_t address)
{
	return address & ~(PAGE_SIZE - 1);
}

static uint64_t page_after(uint64_t address)
{
	return page_of(address + PAGE_SIZE - 1);
}

static void *pointer(uint64_t address)
{
	return (void *)(uintptr_t)address;
}

/* What can be written has been: it becomes memory without a file.  In between nothing may be written there, which only
 * these two calls could do: errno is elsewhere. */
static int move_data(uint64_t start, uint64_t end)
{
	size_t n = end - start;
	void *copy = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (copy == MAP_FAILED)
		return -errno;
	memcpy(copy, pointer(start), n);
	return mremap(copy, n, n, MREMAP_MAYMOVE | MREMAP_FIXED, pointer(start)) == MAP_FAILED ? -errno : 0;
}

static int move_segment(const ElfW(Phdr) * p, uint64_t base, int fd)
{
	uint64_t start = page_of(base + p->p_vaddr), end = page_after(base + p->p_vaddr + p->p_filesz);
	int prot = PROT_READ | (p->p_flags & PF_X ? PROT_EXEC : 0);

	if (p->p_flags & PF_W)
		return move_data(start, end);
	if (mmap(pointer(start), end - start, prot, MAP_PRIVATE | MAP_FIXED | MAP_POPULATE, fd,
		 (off_t)page_of(p->p_offset)) == MAP_FAILED)
		return -errno;
	return 0;
}

/* RELRO: what only the program's start may write to. */
static int protect_data(const ElfW(Phdr) * p, uint64_t base)
{
	uint64_t start = page_of(base + p->p_vaddr), end = page_of(base + p->p_vaddr + p->p_memsz);

	return mprotect(pointer(start), end - start, PROT_READ) < 0 ? -errno : 0;
}

static int move_program(struct dl_phdr_info *program, size_t size, void *fd)
{
	const ElfW(Phdr) *p = program->dlpi_phdr, *end = p + program->dlpi_phnum;
	int r = 0;

	for (; p < end && r == 0; p++)
		if (p->p_type == PT_LOAD)
			r = move_segment(p, program->dlpi_addr, *(int *)fd);
		else if (p->p_type == PT_GNU_RELRO) /* after the segments, by linkers' custom */
			r = protect_data(p, program->dlpi_addr);
	return r < 0 ? r : 1; /* it is the first; what comes after it are libraries */
}

static uint64_t end_of_words(char *const *words)
{
	while (words[1])
		words++;
	return (uintptr_t)*words + strlen(*words) + 1;
}

/* The kernel wants to be told all places anew.  The heap begins where it ends now: it never shrinks below. */
static int change_exe(int fd, char *const *argv)
{
	extern const char __executable_start[], etext[], edata[];
	uint64_t heap = (uintptr_t)sbrk(0);
	struct prctl_mm_map map = {
		.start_code = (uintptr_t)__executable_start,
		.end_code = (uintptr_t)etext,
		.start_data = (uintptr_t)etext,
		.end_data = (uintptr_t)edata,
		.start_brk = heap,
		.brk = heap,
		.start_stack = (uintptr_t)argv,
		.arg_start = (uintptr_t)*argv,
		.arg_end = end_of_words(argv),
		.env_start = *environ ? (uintptr_t)*environ : end_of_words(argv),
		.env_end = *environ ? end_of_words(environ) : end_of_words(argv),
		.exe_fd = (uint32_t)fd,
	};

	return prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0) < 0 ? -errno : 0;
}

int exe_move(int fd, char *const *argv)
{
	/* data with guards of AddressSanitizer in between cannot be copied as a whole */
	int r = SANITIZED ? -ENOTSUP : dl_iterate_phdr(move_program, &fd);

	return r < 0 ? r : change_exe(fd, argv);
}
