/* test_bzimage.c - kernel images: the version is read, anything doubtful is refused */
#include "../cm.h"
#include "kernel/bzimage.h"

#define TEXT "6.1.0-25-cloud-amd64 (debian-kernel@lists.debian.org) #1 SMP Debian 6.1.106-3"

static unsigned char image[8192];

/* An image with 4 setup sectors whose version text is at 0x600. */
static void make_image(const char *text)
{
	memset(image, 0, sizeof(image));
	image[0x1f1] = 4;
	image[0x1fe] = 0x55;
	image[0x1ff] = 0xaa;
	memcpy(image + 0x202, "HdrS", 4);
	image[0x206] = 0x0f;
	image[0x207] = 0x02;
	image[0x20e] = 0x00;
	image[0x20f] = 0x04;
	image[0x236] = 1;
	memcpy(image + 0x248, "\x23\x01\0\0\x67\x45\0\0", 8);
	memcpy(image + 0x600, text, strlen(text));
}

static int parse(size_t n)
{
	struct bzimage b;
	struct err e;

	return bzimage_parse(image, n, &b, &e);
}

static void the_version_is_the_first_word_of_the_text(void **state)
{
	struct bzimage b;
	struct err e;

	make_image(TEXT);
	assert_int_equal(bzimage_parse(image, sizeof(image), &b, &e), 0);
	assert_string_equal(b.release, "6.1.0-25-cloud-amd64");
	assert_string_equal(b.build, TEXT);
	assert_int_equal(b.payload_off, 0xa00 + 0x123);
	assert_int_equal(b.payload_bytes, 0x4567);
}

static void what_is_not_a_64_bit_kernel_is_refused(void **state)
{
	static const struct {
		size_t off;
		unsigned char value;
	} breaks[] = {
		{ 0x1fe, 0 }, { 0x1ff, 0x55 }, { 0x202, 'h' }, { 0x205, 's' }, { 0x207, 0x01 }, { 0x236, 0 },
	};

	for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++) {
		make_image(TEXT);
		image[breaks[i].off] = breaks[i].value;
		assert_true(parse(sizeof(image)) < 0);
	}
}

static void a_version_pointer_that_leads_astray_is_refused(void **state)
{
	static const unsigned pointers[] = { 0, 1, 0x37, 0x0800, 0x1fff, 0xffff };

	for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
		make_image(TEXT);
		image[0x20e] = pointers[i] & 0xff;
		image[0x20f] = (unsigned char)(pointers[i] >> 8);
		assert_true(parse(sizeof(image)) < 0);
	}
}

static void a_truncated_image_is_refused(void **state)
{
	make_image(TEXT);
	for (size_t n = 0; n < 0x600 + sizeof(TEXT) - 1; n++)
		assert_true(parse(n) < 0);
	assert_int_equal(parse(0x600 + sizeof(TEXT)), 0);
}

static void a_version_that_is_no_file_name_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		" 6.1",
		"../6.1 x",
		"6.1/../../etc x",
		"6..1 x",
		"6.1\tx",
		"6.1\x80 x",
		"v6.1 x",
		"6.123456789012345678901234567890123456789012345678901234567890123 x",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		make_image(texts[i]);
		assert_true(parse(sizeof(image)) < 0);
	}
}

static void a_text_without_end_is_refused(void **state)
{
	make_image(TEXT);
	memset(image + 0x600, '6', sizeof(image) - 0x600);
	assert_true(parse(sizeof(image)) < 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_version_is_the_first_word_of_the_text),
		cmocka_unit_test(what_is_not_a_64_bit_kernel_is_refused),
		cmocka_unit_test(a_version_pointer_that_leads_astray_is_refused),
		cmocka_unit_test(a_truncated_image_is_refused),
		cmocka_unit_test(a_version_that_is_no_file_name_is_refused),
		cmocka_unit_test(a_text_without_end_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
