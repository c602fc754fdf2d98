/* test_vmlinux.c - unpacking kernels: LZ4 frames, and the note that lets an ELF boot */
#include <dirent.h>
#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "../cm.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/path.h"
#include "kernel/kernel.h"
#include "kernel/lz4_frame.h"
#include "kernel/vmlinux.h"

#define MAGIC "\x02\x21\x4c\x18"

/* --- LZ4 */

static void add_block(struct buf *b, const void *data, size_t n)
{
	const unsigned char len[4] = { (unsigned char)n, (unsigned char)(n >> 8), (unsigned char)(n >> 16),
				       0 };

	buf_add(b, len, 4);
	buf_add(b, data, n);
}

static int unpack(const struct buf *b, void *out, size_t n)
{
	/* a copy of just the size: a byte read beyond it is found by the sanitizer */
	autofree void *copy = malloc(b->len + !b->len);

	memcpy(copy, b->data, b->len);
	return lz4_frame_unpack(copy, b->len, out, n);
}

/* Two blocks, 25 bytes unpacked: a match that overlaps itself, literals only. */
static void make_frame(struct buf *b)
{
	buf_add(b, MAGIC, 4);
	add_block(b,
		  "\x3b"
		  "abc\x03\x00"
		  "\x50"
		  "tail!",
		  12);
	add_block(b,
		  "\x20"
		  "ok",
		  3);
}

static void a_frame_is_unpacked_block_by_block(void **state)
{
	AUTO(buf_done) struct buf b = { 0 };
	char out[32];

	make_frame(&b);
	assert_int_equal(unpack(&b, out, 25), 0);
	assert_memory_equal(out, "abcabcabcabcabcabctail!ok", 25);
}

static void it_must_fill_the_room_exactly(void **state)
{
	AUTO(buf_done) struct buf b = { 0 };

	make_frame(&b);
	for (size_t n = 0; n < 32; n++) {
		autofree void *out = malloc(n + !n);

		assert_int_equal(unpack(&b, out, n), n == 25 ? 0 : -EINVAL);
	}
}

static void a_block_is_never_more_than_8_mib(void **state)
{
	const size_t most = 8u << 20, n = 1 + most / 255;
	AUTO(buf_done) struct buf block = { 0 }, b = { 0 };
	autofree char *out = malloc(most + 300);
	char *p = buf_room(&block, n + 11);

	/* one literal, a match of 19 + 255 * (n - 1) + 0, 5 literals */
	memcpy(p, "\x1fx\x01\x00", 4);
	memset(p + 4, 0xff, n);
	memcpy(p + 4 + n,
	       "\x00\x50"
	       "tail!",
	       7);
	block.len = 4 + n + 7;
	buf_add(&b, MAGIC, 4);
	add_block(&b, block.data, block.len);
	assert_int_equal(unpack(&b, out, 1 + 19 + 255 * n + 5), -EINVAL);
}

static void malformed_frames_are_refused(void **state)
{
	static const struct {
		const char *block;
		size_t n;
	} cases[] = {
		{ "", 0 }, /* no sequence */
		{ "\x50hell", 5 }, /* literals that are not there */
		{ "\xf0\xff\xff", 3 }, /* a length without end */
		{ "\x10x\x02\x00\x50tail!", 10 }, /* a match before the beginning */
		{ "\x14x\x01\x00", 4 }, /* ends with a match */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(buf_done) struct buf b = { 0 };
		char out[10];

		buf_add(&b, MAGIC, 4);
		add_block(&b, cases[i].block, cases[i].n);
		assert_int_equal(unpack(&b, out, sizeof(out)), -EINVAL);
	}
}

static void a_truncated_frame_is_refused_wherever_it_ends(void **state)
{
	AUTO(buf_done) struct buf b = { 0 };
	size_t whole;
	char out[25];

	make_frame(&b);
	for (whole = b.len, b.len = 0; b.len < whole; b.len++)
		assert_int_equal(unpack(&b, out, sizeof(out)), -EINVAL);
	assert_int_equal(unpack(&b, out, sizeof(out)), 0);
}

/* --- ELF */

struct elf {
	Elf64_Ehdr h;
	Elf64_Phdr load, note;
	Elf64_Nhdr other;
	char other_name[4], other_desc[4];
	Elf64_Nhdr entry;
	char entry_name[4], entry_desc[8];
};

static struct elf pvh_elf(void)
{
	struct elf e = {
		.h = { .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2, .e_phoff = sizeof(Elf64_Ehdr) },
		.load.p_type = PT_LOAD,
		.note = { .p_type = PT_NOTE,
			  .p_offset = offsetof(struct elf, other),
			  .p_filesz = sizeof(struct elf) - offsetof(struct elf, other) },
		.other = { 4, 3, 1 },
		.other_name = "GNU",
		.entry = { 4, 8, 18 },
		.entry_name = "Xen"
	};

	memcpy(e.h.e_ident, ELFMAG, SELFMAG);
	e.h.e_ident[EI_CLASS] = ELFCLASS64;
	return e;
}

static void the_entry_note_is_found_behind_others(void **state)
{
	struct elf e = pvh_elf();

	assert_true(vmlinux_has_pvh_entry(&e, sizeof(e)));
	e.entry.n_type = 17;
	assert_false(vmlinux_has_pvh_entry(&e, sizeof(e)));
}

static void a_truncated_or_crooked_elf_has_no_entry(void **state)
{
	struct elf e = pvh_elf();

	for (size_t n = 0; n < sizeof(e); n++) {
		autofree void *copy = malloc(n + !n);

		memcpy(copy, &e, n);
		assert_false(vmlinux_has_pvh_entry(copy, n));
	}
	e.note.p_offset = UINT64_MAX - 3;
	assert_false(vmlinux_has_pvh_entry(&e, sizeof(e)));
	e = pvh_elf();
	e.h.e_phoff = UINT64_MAX - 7;
	assert_false(vmlinux_has_pvh_entry(&e, sizeof(e)));
	e = pvh_elf();
	e.h.e_phnum = UINT16_MAX;
	assert_false(vmlinux_has_pvh_entry(&e, sizeof(e)));
	e = pvh_elf();
	e.other.n_descsz = UINT32_MAX;
	assert_false(vmlinux_has_pvh_entry(&e, sizeof(e)));
	e = pvh_elf();
	e.h.e_ident[EI_CLASS] = ELFCLASS32;
	assert_false(vmlinux_has_pvh_entry(&e, sizeof(e)));
}

/* --- the kernel file */

#define LZ4_AT 0xa80 /* behind the boot sector, 4 setup sectors and 0x80 */

/* Writes a kernel to path: its payload is e, packed, behind this magic number. */
static void put_kernel(const char *path, const struct elf *e, const char *magic)
{
	unsigned char image[4096] = { 0 }, tail[4] = { sizeof(*e) };
	AUTO(buf_done) struct buf b = { 0 }, block = { 0 };

	assert_true(sizeof(*e) >= 15 && sizeof(*e) < 15 + 255);
	buf_addf(&block, "\xf0%c", (char)(sizeof(*e) - 15));
	buf_add(&block, e, sizeof(*e));
	buf_add(&b, magic, 4);
	add_block(&b, block.data, block.len);
	buf_add(&b, tail, 4);
	image[0x1f1] = 4;
	memcpy(image + 0x1fe, "\x55\xaa", 2);
	memcpy(image + 0x202, "HdrS\x0f\x02", 6);
	memcpy(image + 0x20e, "\x00\x04", 2);
	image[0x236] = 1;
	image[0x248] = LZ4_AT - 0xa00;
	memcpy(image + 0x24c, &(uint32_t){ htole32((uint32_t)b.len) }, 4);
	strcpy((char *)image + 0x600, "99.1.0-test (x) #1");
	memcpy(image + LZ4_AT, b.data, b.len);
	assert_int_equal(write_file_atomic(AT_FDCWD, path, 0644, image, sizeof(image)), 0);
}

/* What kernel_unpacked_open gives for that kernel. */
static void open_unpacked(const char *root, const struct elf *e, const char *magic, struct buf *ret)
{
	autofree char *path = str_printf("%s/vmlinuz", root);
	struct err err = { 0 };
	autoclose int fd = -1;

	put_kernel(path, e, magic);
	fd = kernel_unpacked_open(root, &(struct kernel){ .version = (char *)"99.1.0-test", .image = path },
				  &err);
	if (fd < 0)
		fail_msg("%s", err.msg);
	buf_done(ret);
	assert_int_equal(read_to_end(fd, 1 << 20, ret), 0);
}

/* How many of the kept files are empty. */
static unsigned n_empty(const char *root)
{
	autofree char *path = str_printf("%s/boot", root);
	DIR *d = opendir(path);
	unsigned n = 0;
	struct dirent *de;
	struct stat st;

	assert_non_null(d);
	while ((de = readdir(d)))
		n += fstatat(dirfd(d), de->d_name, &st, 0) == 0 && S_ISREG(st.st_mode) && !st.st_size;
	closedir(d);
	return n;
}

static void an_lz4_kernel_with_an_entry_is_unpacked_and_another_opened_as_it_is(void **state)
{
	char root[] = "/tmp/ketch-test-XXXXXX";
	AUTO(buf_done) struct buf got = { 0 };
	struct elf e = pvh_elf();

	assert_non_null(mkdtemp(root));
	open_unpacked(root, &e, MAGIC, &got);
	assert_int_equal(got.len, sizeof(e));
	assert_memory_equal(got.data, &e, sizeof(e));
	/* another kernel that gives itself the same version */
	e.other.n_type = 4;
	open_unpacked(root, &e, MAGIC, &got);
	assert_memory_equal(got.data, &e, sizeof(e));
	open_unpacked(root, &e, "????", &got);
	assert_int_equal(got.len, 4096);
	assert_int_equal(n_empty(root), 0); /* seen at once, each time */
	open_unpacked(root, &e,
		      "\xfd"
		      "7zX",
		      &got);
	assert_int_equal(got.len, 4096);
	assert_int_equal(n_empty(root), 1); /* not xz after all: found out once */
	e.entry.n_type = 17;
	open_unpacked(root, &e, MAGIC, &got);
	assert_int_equal(got.len, 4096);
	assert_int_equal(n_empty(root), 1);
	remove_tree(AT_FDCWD, root);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_is_unpacked_block_by_block),
		cmocka_unit_test(it_must_fill_the_room_exactly),
		cmocka_unit_test(a_block_is_never_more_than_8_mib),
		cmocka_unit_test(malformed_frames_are_refused),
		cmocka_unit_test(a_truncated_frame_is_refused_wherever_it_ends),
		cmocka_unit_test(the_entry_note_is_found_behind_others),
		cmocka_unit_test(a_truncated_or_crooked_elf_has_no_entry),
		cmocka_unit_test(an_lz4_kernel_with_an_entry_is_unpacked_and_another_opened_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
