/* input.c - stdin of the main process, whose owner changes */
#include "monitor/input.h"

bool input_pass(struct input *in, const struct msg *m)
{
	if (in->debt) {
		msg_put(&in->held, m->type, 0, m->data, m->len);
		return false;
	}
	if (m->type == MSG_STDIN)
		in->under_way += (uint32_t)m->len;
	return true;
}

void input_leave(struct input *in)
{
	in->debt += in->under_way;
	in->under_way = 0;
	buf_done(&in->held);
}

uint32_t input_credit(struct input *in, uint32_t n, bool *ret_release)
{
	uint32_t old = n < in->debt ? n : in->debt;

	n = n - old < in->under_way ? n - old : in->under_way;
	in->debt -= old;
	in->under_way -= n;
	*ret_release = old && !in->debt;
	return n;
}

void input_done(struct input *in)
{
	buf_done(&in->held);
}
