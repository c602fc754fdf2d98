/* test_questions.c - who asked gets the answer, in order, and nobody else does */
#include <errno.h>

#include "../cm.h"
#include "monitor/questions.h"

static void answers_go_back_in_the_order_of_their_kind(void **state)
{
	const struct msg stats = { .type = MSG_STATS_REPLY }, update = { .type = MSG_UPDATE_REPLY };
	struct questions q = { 0 };
	int a, b, c;

	questions_add(&q, &a, MSG_STATS);
	questions_add(&q, &b, MSG_UPDATE);
	questions_add(&q, &c, MSG_STATS);
	assert_ptr_equal(questions_take(&q, &stats), &a);
	assert_ptr_equal(questions_take(&q, &stats), &c);
	assert_ptr_equal(questions_take(&q, &update), &b);
	assert_null(questions_take(&q, &update));
}

static void an_answer_in_parts_ends_with_an_empty_one(void **state)
{
	const struct msg part = { .type = MSG_TOP_REPLY, .data = "[]", .len = 2 },
			 end = { .type = MSG_TOP_REPLY };
	struct questions q = { 0 };
	int a, b;

	questions_add(&q, &a, MSG_TOP);
	questions_add(&q, &b, MSG_TOP);
	assert_ptr_equal(questions_take(&q, &part), &a);
	assert_ptr_equal(questions_take(&q, &part), &a);
	assert_ptr_equal(questions_take(&q, &end), &a);
	assert_ptr_equal(questions_take(&q, &part), &b);
}

static void who_has_gone_gets_nothing_and_keeps_its_place(void **state)
{
	const struct msg stats = { .type = MSG_STATS_REPLY };
	struct questions q = { 0 };
	int a, b;

	questions_add(&q, &a, MSG_STATS);
	questions_add(&q, &b, MSG_STATS);
	questions_forget(&q, &a);
	assert_null(questions_take(&q, &stats));
	assert_ptr_equal(questions_take(&q, &stats), &b);
}

static void there_is_an_end_to_patience(void **state)
{
	struct questions q = { 0 };
	int a;

	for (int i = 0; i < QUESTIONS_MAX; i++)
		assert_int_equal(questions_add(&q, &a, MSG_STATS), 0);
	assert_int_equal(questions_add(&q, &a, MSG_STATS), -EBUSY);
}

static void a_question_is_open_until_its_answer_has_come(void **state)
{
	const struct msg saved = { .type = MSG_SAVED };
	struct questions q = { 0 };
	int a;

	questions_add(&q, &a, MSG_STATS);
	assert_false(questions_is_open(&q, MSG_SAVE));
	questions_add(&q, &a, MSG_SAVE);
	questions_forget(&q, &a);
	assert_true(questions_is_open(&q, MSG_SAVE));
	questions_take(&q, &saved);
	assert_false(questions_is_open(&q, MSG_SAVE));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_go_back_in_the_order_of_their_kind),
		cmocka_unit_test(an_answer_in_parts_ends_with_an_empty_one),
		cmocka_unit_test(who_has_gone_gets_nothing_and_keeps_its_place),
		cmocka_unit_test(there_is_an_end_to_patience),
		cmocka_unit_test(a_question_is_open_until_its_answer_has_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
