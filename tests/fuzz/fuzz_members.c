/* fuzz_members.c - any bytes as an image archive: what its index finds lies inside it */
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "unpack/members.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static int scratch = -1;
static char dir[] = "/tmp/fuzz-members-XXXXXX";

static void remove_scratch(void)
{
	rmdir(dir);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	scratch = mkdtemp(dir) ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	return atexit(remove_scratch);
}

static void look_for(struct members *m, const char *name)
{
	AUTO(member_done) struct member mb = { .fd = -1 };
	AUTO(buf_done) struct buf text = { 0 };
	struct err e = { 0 };

	if (members_find(m, name, &mb, &e) == 0 && (mb.offset < 0 || mb.size < 0))
		abort();
	members_read(m, name, 4096, &text, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autoclose int fd = memfd_create("archive", MFD_CLOEXEC);
	struct members *m = NULL;
	struct err e = { 0 };

	if (fd < 0 || pwrite_full(fd, data, size, 0) < 0 || members_open(fd, scratch, &m, &e) < 0)
		return 0;
	look_for(m, "manifest.json");
	look_for(m, "a/../index.json");
	look_for(m, "l");
	members_close(m);
	return 0;
}
