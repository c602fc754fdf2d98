/* test_columns.c - tabs become columns as Go's text/tabwriter makes them (minimum 10, padding 3) */
#include "../cm.h"

#include "base/auto.h"
#include "format/columns.h"

static void check(const char *text, const char *wanted)
{
	AUTO(buf_done) struct buf out = { 0 };

	columns_add(&out, text, strlen(text));
	assert_string_equal(out.data ? out.data : "", wanted);
}

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
	check("", "");
	check("a\tb\n", "a         b\n");
	check("ID\tNAME\n123456789012\tx\n", "ID             NAME\n123456789012   x\n");
	check("1234567\tx\n12345678\tx\n", "1234567    x\n12345678   x\n");
	check("é\tx\nlonger than ten\tx", "é                 x\nlonger than ten   x");
}

static void a_line_without_the_cell_ends_the_column(void **state)
{
	check("longer than ten\tx\nnone\na\tb\n", "longer than ten   x\nnone\na         b\n");
	check("a\t\tb\nc\tlonger than ten\td\n",
	      "a                           b\nc         longer than ten   d\n");
	check("a\t\n", "a         \n");
	check("\n\n", "\n\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
		cmocka_unit_test(a_line_without_the_cell_ends_the_column),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
