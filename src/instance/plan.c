/* plan.c - what will be done, as a list of steps */
#include "instance/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

static const char *const stage_names[STAGE_N] = { "host", "inside" };

static int copy_str(char **ret, const char *s)
{
	*ret = s ? strdup(s) : NULL;
	return s && !*ret ? -ENOMEM : 0;
}

static void step_done(struct step *s)
{
	free(s->what);
	free(s->from);
	free(s->data);
	free(s->place);
}

int plan_add(struct plan *p, const struct step_op *op, const char *what, const char *from, const char *data,
	     uint64_t flags)
{
	struct step s = { .op = op, .flags = flags }, *steps;

	steps = reallocarray(p->steps, p->n + 1, sizeof(*steps));
	if (!steps)
		return -ENOMEM;
	p->steps = steps;
	if (copy_str(&s.what, what) < 0 || copy_str(&s.from, from) < 0 || copy_str(&s.data, data) < 0) {
		step_done(&s);
		return -ENOMEM;
	}
	p->steps[p->n++] = s;
	return 0;
}

int plan_set_place(struct plan *p, const char *place)
{
	return p->n ? copy_str(&p->steps[p->n - 1].place, place) : 0;
}

static int put_place(const char *place, int r, struct err *e)
{
	struct err said = *e;

	if (*said.msg != '.')
		return err_wrap(e, r, "%s", place);
	err_set(e, said.no, "%s%s", place, said.msg);
	return r;
}

static void tell(const struct step *s)
{
	log_debug("plan", "%s%s%s%s%s", s->op->name, s->what ? " " : "", s->what ? s->what : "",
		  s->from ? " from " : "", s->from ? s->from : "");
}

int plan_apply(const struct plan *p, enum stage stage, void *ctx, struct err *e)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct step *s = &p->steps[i];
		int r;

		if (s->op->stage != stage)
			continue;
		tell(s);
		r = s->op->apply(ctx, s, e);
		if (r < 0 && s->place)
			return put_place(s->place, r, e);
		if (r < 0)
			return err_wrap(e, r, "%s%s%s", s->op->name, s->what ? " " : "",
					s->what ? s->what : "");
	}
	return 0;
}

/* One line stays one line, whatever the text of a file holds. */
static void print_part(struct buf *out, const char *mark, const char *text)
{
	if (!text)
		return;
	buf_adds(out, mark);
	for (; *text; text++) {
		if (*text == '\n')
			buf_adds(out, "\\n");
		else if ((unsigned char)*text < 0x20 || *text == 0x7f)
			buf_addf(out, "\\x%02x", (unsigned char)*text);
		else
			buf_addc(out, *text);
	}
}

void plan_print(const struct plan *p, struct buf *out)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct step *s = &p->steps[i];

		buf_addf(out, "%-7s %-14s", stage_names[s->op->stage], s->op->name);
		print_part(out, " ", s->what);
		print_part(out, " <- ", s->from);
		print_part(out, " = ", s->data);
		if (s->flags)
			buf_addf(out, " [0x%llx]", (unsigned long long)s->flags);
		buf_addc(out, '\n');
	}
}

void plan_done(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		step_done(&p->steps[i]);
	free(p->steps);
	*p = (struct plan){ 0 };
}
