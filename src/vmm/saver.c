/* saver.c - a machine is saved while it runs, and taken back in place
 *
 * Nothing here allocates once the machine runs.
 */
#include "vmm/saver.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "vmm/machine_state.h"
#include "vmm/pagemap.h"

#define MOST_ROUNDS 8
#define FEW_PAGES   512 /* 2 MiB: about a millisecond of the pause */

/* --- the rounds, on a thread of their own */

static void merge(uint64_t *to, const uint64_t *from, uint64_t words)
{
	for (uint64_t i = 0; i < words; i++)
		to[i] |= from[i];
}

static int64_t write_found(struct saver *s, bool first)
{
	int64_t n = ram_file_write(s->ram_fd, &s->m->ram, s->track.pages, first && !s->difference);

	if (n >= 0 && s->difference)
		merge(s->written, s->track.pages, s->track.words);
	return n;
}

/* All that there is, whoever wrote it. */
static int64_t write_all(struct saver *s)
{
	const bool own_only = s->difference;
	int r = pagemap_find(s->from_files && !own_only ? -1 : s->pagemap_fd, &s->m->ram, own_only,
			     s->track.pages);

	return r < 0 ? r : write_found(s, true);
}

static int64_t write_changes(struct saver *s, int64_t *ret_found)
{
	track_hold(s->m);
	*ret_found = track_look(&s->track);
	track_release(s->m);
	return *ret_found < 0 ? *ret_found : write_found(s, false);
}

static int64_t write_rounds(struct saver *s)
{
	int64_t found = INT64_MAX, before, n, sum = write_all(s);

	for (unsigned i = 0; i < MOST_ROUNDS && sum >= 0 && found > FEW_PAGES; i++) {
		before = found;
		n = write_changes(s, &found);
		sum = n < 0 ? n : sum + n;
		if (found >= before)
			break; /* the guest writes faster than we do */
	}
	return sum;
}

static void signal_fd(int fd)
{
	const uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) < 0)
		return; /* it is signalled already */
}

static void on_asked(void *arg, uint32_t events)
{
	struct saver *s = arg;
	uint64_t n;

	if (read(s->asked.fd, &n, sizeof(n)) != sizeof(n))
		return;
	s->result = write_rounds(s);
	signal_fd(s->done.fd);
}

static void on_done(void *arg, uint32_t events)
{
	struct saver *s = arg;
	uint64_t n;

	if (read(s->done.fd, &n, sizeof(n)) != sizeof(n))
		return;
	s->writing = false;
	if (s->result < 0)
		track_stop(&s->track);
	if (s->on_written)
		s->on_written(s->arg, s->result);
}

/* --- making */

static int add_watch(struct loop *l, struct watch *w, void (*fn)(void *arg, uint32_t events), struct saver *s)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		return -errno;
	*w = (struct watch){ .fd = fd, .events = EPOLLIN, .fn = fn, .arg = s };
	return loop_add(l, w);
}

static int add_map(struct saver *s)
{
	s->written = mmap(NULL, s->track.words * sizeof(uint64_t), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return s->written == MAP_FAILED ? -errno : 0;
}

/* What is saved of the processor is what the vcpus were told, not what they would answer. */
static int note_processor(struct saver *s, struct err *e)
{
	for (unsigned i = 0; i < s->m->n_vcpus; i++)
		arch_cpuid(s->m->features, i, s->m->n_vcpus, &s->state.vcpus[i]);
	return arch_registers_get(s->m->kvm_fd, &s->registers, e);
}

int saver_init(struct saver *s, struct machine *m, int pagemap_fd, struct err *e)
{
	struct loop *writer = machine_worker(m);
	int r = writer ? track_init(&s->track, m) : -errno;

	s->m = m;
	s->pagemap_fd = pagemap_fd;
	s->ram_fd = -1;
	if (r == 0)
		r = add_map(s);
	if (r == 0)
		r = add_watch(writer, &s->asked, on_asked, s);
	if (r == 0)
		r = add_watch(m->loop, &s->done, on_done, s);
	return r < 0 ? err_sys(e, -r, "snapshots") : note_processor(s, e);
}

/* --- restoring */

static int check_fit(const struct saver *s, struct err *e)
{
	int r = 0;

	for (unsigned i = 0; i < s->state.shape.n_vcpus && r == 0; i++)
		r = arch_fits(s->m->features, &s->state.vcpus[i], e);
	return r;
}

int saver_restore(struct saver *s, int state_fd, unsigned n_rams, struct err *e)
{
	ssize_t n = pread(state_fd, s->document, sizeof(s->document), 0);
	int r = n < 0 ? err_sys(e, errno, "saved state") : state_parse(s->document, (size_t)n, &s->state, e);

	if (r == 0)
		r = check_fit(s, e);
	s->from_files = true;
	s->restored =
		n_rams == 1; /* of several, short runs were copied: such pages are its own from the start */
	return r < 0 ? r : machine_state_apply(s->m, &s->state, true, e);
}

/* --- saving */

static void drop_file(struct saver *s)
{
	if (s->ram_fd >= 0)
		close(s->ram_fd);
	s->ram_fd = -1;
	s->kept = false;
}

int saver_take_file(struct saver *s, int fd, bool difference)
{
	if (s->writing || (difference && !s->from_files))
		return -EINVAL;
	drop_file(s);
	track_stop(&s->track);
	s->ram_fd = fd;
	s->difference = difference;
	memset(s->written, 0, difference ? s->track.words * sizeof(uint64_t) : 0);
	return 0;
}

int saver_write(struct saver *s)
{
	int r = s->ram_fd < 0 || s->writing ? -EINVAL : track_start(&s->track);

	if (r < 0)
		return r;
	s->writing = true;
	signal_fd(s->asked.fd);
	return 0;
}

static int64_t write_rest(struct saver *s, bool tracked)
{
	int64_t n;

	if (!tracked)
		return write_all(s);
	n = track_look(&s->track);
	return n < 0 ? n : write_found(s, false);
}

/* Everything stands still. */
static int save(struct saver *s, bool keep, int64_t *ret_pages, struct err *e)
{
	bool tracked = s->track.on;
	int r = !tracked && keep ? track_start(&s->track) : 0;

	s->restored = false; /* its state is another now */
	if (r < 0)
		return err_sys(e, -r, "changes of memory cannot be tracked");
	track_hold(s->m);
	*ret_pages = write_rest(s, tracked);
	r = *ret_pages < 0 ? err_sys(e, (int)-*ret_pages, "memory is not saved") : 0;
	if (r == 0)
		r = machine_state_get(s->m, &s->registers, &s->state, e);
	track_release(s->m);
	if (r == 0 && s->difference && ram_file_write_map(s->ram_fd, &s->m->ram, s->written) < 0)
		r = err_set(e, EIO, "memory is not saved: the map of its pages cannot be written");
	return r;
}

static int write_document(struct saver *s, int fd, struct err *e)
{
	long n = state_print(&s->state, s->document, sizeof(s->document));
	struct iovec v = { s->document, n < 0 ? 0 : (size_t)n };

	if (n < 0)
		return err_sys(e, (int)-n, "the state is not saved");
	return pwritev(fd, &v, 1, 0) == n ? 0 : err_sys(e, errno ? errno : EIO, "the state is not saved");
}

int saver_save(struct saver *s, int state_fd, bool keep, struct save_report *ret, struct err *e)
{
	int64_t begin = clock_mono_ns();
	bool ran = s->m->wish == WISH_RUN;
	int r;

	if (s->writing || s->ram_fd < 0)
		return err_set(e, EINVAL, "there is no file for the memory, or it is being written");
	machine_wish(s->m, WISH_PAUSE);
	r = save(s, keep, &ret->pages, e);
	if (r == 0)
		r = write_document(s, state_fd, e);
	ret->pause_ns = clock_mono_ns() - begin;
	s->kept = r == 0 && keep;
	if (!s->kept)
		drop_file(s);
	if (r < 0 && ran) {
		machine_wish(s->m, WISH_RUN);
		saver_resumed(s);
	}
	return r;
}

void saver_resumed(struct saver *s)
{
	if (!s->kept && !s->writing)
		track_stop(&s->track);
}

/* --- back */

/* To what was kept: the disks are their owner's matter. */
static int64_t read_back(struct saver *s)
{
	int64_t n = track_look(&s->track);

	return n < 0 ? n : ram_file_read(s->ram_fd, &s->m->ram, s->track.pages);
}

/* To what it was restored from. */
static int64_t forget(struct saver *s)
{
	int r = pagemap_find(s->pagemap_fd, &s->m->ram, true, s->track.pages);

	for (unsigned i = 0; i < s->m->n_devices && r == 0; i++) {
		struct virtio_dev *d = s->m->devices[i];

		r = d->ops->undo ? d->ops->undo(d) : 0;
	}
	return r < 0 ? r : ram_file_forget(&s->m->ram, s->track.pages);
}

static int roll_back(struct saver *s, int64_t *ret_pages, struct err *e)
{
	int64_t n = s->kept ? read_back(s) : forget(s);

	*ret_pages = n;
	return n < 0 ? err_sys(e, (int)-n, "the machine cannot be taken back")
		     : machine_state_apply(s->m, &s->state, false, e);
}

int saver_rollback(struct saver *s, struct save_report *ret, struct err *e)
{
	int64_t begin = clock_mono_ns();
	int r;

	if (s->kept ? s->difference : !s->restored)
		return err_set(e, EINVAL, "no state is kept to go back to");
	machine_wish(s->m, WISH_PAUSE);
	track_hold(s->m);
	r = roll_back(s, &ret->pages, e);
	track_release(s->m);
	ret->pause_ns = clock_mono_ns() - begin;
	if (r < 0)
		machine_end(s->m, END_ERROR);
	return r;
}
