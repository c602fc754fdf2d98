/* test_change.c - instructions of a Dockerfile change an image's config */
#include "../cm.h"

#include <inttypes.h>

#include "base/buf.h"
#include "cli/change.h"

static void config_done(struct image_run_config *c)
{
	struct image_config whole = { .config = *c };

	json_done(&image_config_table, &whole);
	*c = (struct image_run_config){ 0 };
}

static void print_list(struct buf *b, const char *key, const struct strv *s)
{
	for (size_t i = 0; i < s->n; i++)
		buf_addf(b, "%s<%s>", key, s->v[i]);
}

static void print(const struct image_run_config *c, struct buf *b)
{
	print_list(b, "entry", &c->entrypoint);
	print_list(b, "cmd", &c->cmd);
	print_list(b, "env", &c->env);
	print_list(b, "label", &c->labels);
	print_list(b, "volume", &c->volumes);
	print_list(b, "expose", &c->exposed_ports);
	print_list(b, "health", &c->healthcheck.test);
	if (c->healthcheck.interval_ns || c->healthcheck.retries)
		buf_addf(b, "every %" PRId64 " ns, %d times", c->healthcheck.interval_ns,
			 c->healthcheck.retries);
	buf_addf(b, "%s%s%s", c->user ? c->user : "", c->working_dir ? c->working_dir : "",
		 c->stop_signal ? c->stop_signal : "");
}

static void instructions_change_the_config(void **state)
{
	static const struct {
		const char *lines[3], *want;
	} cases[] = {
		{ { "CMD [\"sh\", \"-c\", \"echo \\\"a b\\\"\"]" }, "cmd<sh>cmd<-c>cmd<echo \"a b\">" },
		{ { "CMD echo $HOME" }, "cmd</bin/sh>cmd<-c>cmd<echo $HOME>" },
		{ { "CMD []" }, "" },
		{ { "CMD a", "CMD [\"b\"]" }, "cmd<b>" },
		{ { "  cmd\t [\"x\"]" }, "cmd<x>" },
		{ { "ENTRYPOINT [\"/e\"]" }, "entry</e>" },
		{ { "ENTRYPOINT /e x" }, "entry</bin/sh>entry<-c>entry</e x>" },
		{ { "ENV A=B" }, "env<A=B>" },
		{ { "ENV A=B C='D E' F=\"G H\" I=J\\ K" }, "env<A=B>env<C=D E>env<F=G H>env<I=J K>" },
		{ { "ENV A=" }, "env<A=>" },
		{ { "ENV A the  rest = it" }, "env<A=the  rest = it>" },
		{ { "ENV A=B", "ENV A=C" }, "env<A=C>" },
		{ { "ENV A='\"' B=\"'\"" }, "env<A=\">env<B='>" },
		{ { "LABEL a=b \"c d\"=e" }, "label<a=b>label<c d=e>" },
		{ { "VOLUME /a /b" }, "volume</a>volume</b>" },
		{ { "VOLUME [\"/a\", \"/b\"]", "VOLUME /a" }, "volume</a>volume</b>" },
		{ { "EXPOSE 80/tcp 53" }, "expose<80/tcp>expose<53/tcp>" },
		{ { "EXPOSE 53/udp 7000-7001", "EXPOSE 7001" },
		  "expose<53/udp>expose<7000/tcp>expose<7001/tcp>" },
		{ { "USER a:b" }, "a:b" },
		{ { "USER a", "USER 7" }, "7" },
		{ { "WORKDIR /w d" }, "/w d" },
		{ { "STOPSIGNAL SIGUSR1" }, "SIGUSR1" },
		{ { "HEALTHCHECK NONE" }, "health<NONE>" },
		{ { "HEALTHCHECK CMD curl -f localhost" }, "health<CMD-SHELL>health<curl -f localhost>" },
		{ { "HEALTHCHECK --interval=2s --retries=4 CMD [\"a\", \"b c\"]" },
		  "health<CMD>health<a>health<b c>every 2000000000 ns, 4 times" },
		{ { "HEALTHCHECK CMD a", "HEALTHCHECK CMD b" }, "health<CMD-SHELL>health<b>" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct image_run_config c = { 0 };
		struct buf got = { 0 };
		struct err e = { 0 };

		for (size_t k = 0; k < 3 && cases[i].lines[k]; k++)
			if (change_apply(cases[i].lines[k], &c, &e) < 0)
				fail_msg("%s: %s", cases[i].lines[k], e.msg);
		print(&c, &got);
		assert_string_equal(got.data, cases[i].want);
		buf_done(&got);
		config_done(&c);
	}
}

static void what_is_no_instruction_is_refused_and_changes_nothing(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"NOSUCH x",
		"RUN x",
		"CMD",
		"CMD ",
		"CMDx",
		"CMD [\"a\"",
		"CMD [1]",
		"CMD [\"a\"] x",
		"CMD [\"a\"],\"v\":[\"b\"]",
		"CMD ['a']",
		"ENV",
		"ENV A",
		"ENV =B",
		"ENV A='b",
		"ENV A=B C",
		"LABEL \"a",
		"VOLUME \"/a",
		"VOLUME [\"/a\"",
		"WORKDIR relative",
		"HEALTHCHECK",
		"HEALTHCHECK curl",
		"HEALTHCHECK CMD",
		"HEALTHCHECK --interval=x CMD a",
		"HEALTHCHECK --retries=0 CMD a",
		"HEALTHCHECK --other=1 CMD a",
		"HEALTHCHECK CMD [1]",
		"STOPSIGNAL NOSUCH",
		"STOPSIGNAL 0",
		"USER",
		"EXPOSE http",
		"EXPOSE 80/icmp",
		"EXPOSE 0",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct image_run_config c = { 0 };
		struct err e = { 0 };

		if (change_apply(bad[i], &c, &e) != -22)
			fail_msg("%s was taken", bad[i]);
		assert_true(*e.msg && !c.cmd.n && !c.entrypoint.n && !c.volumes.n && !c.user &&
			    !c.working_dir);
		config_done(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instructions_change_the_config),
		cmocka_unit_test(what_is_no_instruction_is_refused_and_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
