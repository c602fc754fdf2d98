/* test_opts.c - command lines are read as Docker reads them */
#include "../cm.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/strv.h"
#include "opts/opts.h"

struct got {
	bool detach, interactive, tty, rm;
	char *name, *isolation, *user;
	struct strv env, volumes;
	uint64_t memory, cpus;
	int64_t pids;
	int timeout, signo;
};

static const struct opt opts[] = {
	OPT(FLAG, 'd', "detach", struct got, detach, NULL, ""),
	OPT(FLAG, 'i', "interactive", struct got, interactive, NULL, ""),
	OPT(FLAG, 't', "tty", struct got, tty, NULL, ""),
	OPT(FLAG, 0, "rm", struct got, rm, NULL, ""),
	OPT(STR, 'n', "name", struct got, name, "NAME", ""),
	OPT(STR, 'u', "user", struct got, user, "USER", ""),
	OPT(CHOICE, 0, "isolation", struct got, isolation, "container|vm", ""),
	OPT(LIST, 'e', "env", struct got, env, "NAME=VALUE", ""),
	OPT(LIST, 'v', "volume", struct got, volumes, "SOURCE", ""),
	OPT(BYTES, 'm', "memory", struct got, memory, "BYTES", ""),
	OPT(MILLI, 0, "cpus", struct got, cpus, "NUMBER", ""),
	OPT(INT, 0, "pids-limit", struct got, pids, "NUMBER", ""),
	OPT(SECONDS, 'T', "timeout", struct got, timeout, "SECONDS", ""),
	OPT(SIGNAL, 's', "signal", struct got, signo, "SIGNAL", ""),
	{ 0 },
};

/* What was got as one line: letters of flags, NAME=VALUE of the rest, "|" and the words. */
static void print(const struct got *g, const struct strv *words, struct buf *out)
{
	buf_addf(out, "%s%s%s%s", g->detach ? "d" : "", g->interactive ? "i" : "", g->tty ? "t" : "",
		 g->rm ? "R" : "");
	if (g->name)
		buf_addf(out, " name=%s", g->name);
	if (g->user)
		buf_addf(out, " user=%s", g->user);
	if (g->isolation)
		buf_addf(out, " isolation=%s", g->isolation);
	for (size_t i = 0; i < g->env.n; i++)
		buf_addf(out, " e=%s", g->env.v[i]);
	for (size_t i = 0; i < g->volumes.n; i++)
		buf_addf(out, " v=%s", g->volumes.v[i]);
	if (g->memory)
		buf_addf(out, " m=%llu", (unsigned long long)g->memory);
	if (g->cpus)
		buf_addf(out, " cpus=%llu", (unsigned long long)g->cpus);
	if (g->pids)
		buf_addf(out, " pids=%lld", (long long)g->pids);
	if (g->timeout)
		buf_addf(out, " timeout=%d", g->timeout);
	if (g->signo)
		buf_addf(out, " signo=%d", g->signo);
	buf_adds(out, " |");
	for (size_t i = 0; i < words->n; i++)
		buf_addf(out, " %s", *words->v[i] ? words->v[i] : "''");
}

/* A line parted at blanks; '' is an empty argument. */
static void split(const char *line, struct strv *argv)
{
	if (*line)
		assert_int_equal(strv_split(argv, line, " "), 0);
	for (size_t i = 0; i < argv->n; i++)
		if (!strcmp(argv->v[i], "''"))
			argv->v[i][0] = '\0';
}

struct outcome {
	struct buf text; /* what was got, "help", or the error */
	int r;
};

static struct outcome parse(enum opts_grammar grammar, const char *line)
{
	char *none[] = { NULL };
	struct strv argv = { 0 }, words = { 0 };
	struct outcome o = { 0 };
	struct got g = { 0 };
	struct err e = { 0 };

	split(line, &argv);
	o.r = opts_parse(opts, grammar, argv.n ? argv.v : none, &g, &words, &e);
	if (o.r < 0)
		buf_adds(&o.text, e.msg);
	else if (o.r == OPTS_HELP)
		buf_adds(&o.text, "help");
	else
		print(&g, &words, &o.text);
	opts_done(opts, &g);
	strv_done(&words);
	strv_done(&argv);
	return o;
}

struct good {
	const char *line, *want;
};

static void check(enum opts_grammar grammar, const struct good *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct outcome o = parse(grammar, cases[i].line);

		if (o.r < 0 || strcmp(o.text.data, cases[i].want))
			fail_msg("\"%s\" gave \"%s\", not \"%s\"", cases[i].line, o.text.data, cases[i].want);
		buf_done(&o.text);
	}
}

#define CHECK(grammar, cases) check(grammar, cases, sizeof(cases) / sizeof((cases)[0]))

static void the_rest_of_the_line_belongs_to_the_command(void **state)
{
	static const struct good cases[] = {
		{ "", " |" },
		{ "img", " | img" },
		{ "img cmd", " | img cmd" },
		{ "img -d", " | img -d" },
		{ "img --name x", " | img --name x" },
		{ "img --nosuch", " | img --nosuch" },
		{ "img -- x", " | img -- x" },
		{ "img sh -c --help", " | img sh -c --help" },
		{ "img --help", " | img --help" },
		{ "-d img -d", "d | img -d" },
		{ "-- img", " | img" },
		{ "-- -d", " | -d" },
		{ "-- -- img", " | -- img" },
		{ "-d -- img -t", "d | img -t" },
		{ "-", " | -" },
		{ "- -d", " | - -d" },
		{ "'' -d", " | '' -d" },
		{ "--rm img ''", "R | img ''" },
		{ "--name a img --name b", " name=a | img --name b" },
		{ "-e A=B img -e C=D", " e=A=B | img -e C=D" },
		{ "--name -- img", " name=-- | img" },
		{ "--name - img", " name=- | img" },
		{ "-n -d img", " name=-d | img" },
	};

	CHECK(OPTS_FIRST, cases);
}

static void options_may_stand_behind_words_elsewhere(void **state)
{
	static const struct good cases[] = {
		{ "a b", " | a b" },
		{ "a -d b", "d | a b" },
		{ "a b -d", "d | a b" },
		{ "a -T 3 b", " timeout=3 | a b" },
		{ "a -- -d", " | a -d" },
		{ "a -- b -- c", " | a b -- c" },
		{ "a - b", " | a - b" },
		{ "a '' -t", "t | a ''" },
		{ "a --rm=false b --rm", "R | a b" },
		{ "a --help", "help" },
		{ "a -h", "help" },
		{ "a -- --help", " | a --help" },
	};

	CHECK(OPTS_ANYWHERE, cases);
}

static void flags_stand_alone_or_together(void **state)
{
	static const struct good cases[] = {
		{ "-d", "d |" },
		{ "-i -t", "it |" },
		{ "-it", "it |" },
		{ "-ti", "it |" },
		{ "-itd", "dit |" },
		{ "-dit img", "dit | img" },
		{ "-dd", "d |" },
		{ "--detach", "d |" },
		{ "--detach --tty", "dt |" },
		{ "--detach=true", "d |" },
		{ "--detach=1", "d |" },
		{ "--detach=t", "d |" },
		{ "--detach=T", "d |" },
		{ "--detach=TRUE", "d |" },
		{ "--detach=True", "d |" },
		{ "--detach=false", " |" },
		{ "--detach=0", " |" },
		{ "--detach=f", " |" },
		{ "--detach=F", " |" },
		{ "--detach=FALSE", " |" },
		{ "--detach=False", " |" },
		{ "--detach --detach=false", " |" },
		{ "--detach=false --detach", "d |" },
		{ "-d=false", " |" },
		{ "-d=true", "d |" },
		{ "-it=false", "i |" },
		{ "-d -d=false", " |" },
		{ "--detach true", "d | true" },
		{ "-d true", "d | true" },
		{ "-d false", "d | false" },
	};

	CHECK(OPTS_FIRST, cases);
}

static void values_are_joined_or_follow(void **state)
{
	static const struct good cases[] = {
		{ "--name x", " name=x |" },
		{ "--name=x", " name=x |" },
		{ "--name=", " name= |" },
		{ "--name ''", " name= |" },
		{ "--name=a=b", " name=a=b |" },
		{ "--name=-d", " name=-d |" },
		{ "--name --rm img", " name=--rm | img" },
		{ "-n x", " name=x |" },
		{ "-nx", " name=x |" },
		{ "-n=x", " name=x |" },
		{ "-n==x", " name==x |" },
		{ "-n=", " name== |" },
		{ "-n ''", " name= |" },
		{ "-dn x", "d name=x |" },
		{ "-dnx", "d name=x |" },
		{ "-dn=x", "d name=x |" },
		{ "-nd x", " name=d | x" },
		{ "--name a --name b", " name=b |" },
		{ "-n a --name=b -nc", " name=c |" },
		{ "-e A=B", " e=A=B |" },
		{ "-eA=B", " e=A=B |" },
		{ "-e=A=B", " e=A=B |" },
		{ "--env A=B", " e=A=B |" },
		{ "--env=A=B", " e=A=B |" },
		{ "-e A", " e=A |" },
		{ "-e A= ", " e=A= | ''" },
		{ "-e A=B -e A=C", " e=A=B e=A=C |" },
		{ "-ite A=B img", "it e=A=B | img" },
		{ "-e A,B", " e=A,B |" },
		{ "-v /a:/b -v /c:/d:ro", " v=/a:/b v=/c:/d:ro |" },
		{ "-u 1000:1000", " user=1000:1000 |" },
		{ "-u ''", " user= |" },
		{ "--isolation vm", " isolation=vm |" },
		{ "--isolation=container", " isolation=container |" },
		{ "--isolation vm --isolation container", " isolation=container |" },
	};

	CHECK(OPTS_FIRST, cases);
}

static void numbers_have_their_units(void **state)
{
	static const struct good cases[] = {
		{ "-m 64m", " m=67108864 |" },
		{ "-m64m", " m=67108864 |" },
		{ "--memory=1g", " m=1073741824 |" },
		{ "--memory 1.5k", " m=1536 |" },
		{ "--memory 10MB", " m=10485760 |" },
		{ "--memory 4GiB", " m=4294967296 |" },
		{ "--memory 100b", " m=100 |" },
		{ "--memory 100", " m=100 |" },
		{ "--memory 0", " |" },
		{ "--memory 1g --memory 0", " |" },
		{ "--cpus 2", " cpus=2000 |" },
		{ "--cpus 1.5", " cpus=1500 |" },
		{ "--cpus 0.001", " cpus=1 |" },
		{ "--cpus=.5", " cpus=500 |" },
		{ "--cpus=0", " |" },
		{ "--pids-limit 10", " pids=10 |" },
		{ "--pids-limit -1", " pids=-1 |" },
		{ "--pids-limit=-1", " pids=-1 |" },
		{ "-T 10", " timeout=10 |" },
		{ "-T0", " |" },
		{ "-T 86400", " timeout=86400 |" },
		{ "--isolation ''", " |" },
		{ "--isolation vm --isolation=", " |" },
		{ "-s TERM", " signo=15 |" },
		{ "-s SIGTERM", " signo=15 |" },
		{ "-s term", " signo=15 |" },
		{ "-s 9", " signo=9 |" },
		{ "-s9", " signo=9 |" },
		{ "-s RTMIN+3", " signo=37 |" },
	};

	CHECK(OPTS_FIRST, cases);
}

static void help_is_met_only_before_the_command(void **state)
{
	static const struct good cases[] = {
		{ "--help", "help" },
		{ "-h", "help" },
		{ "-d --help img", "help" },
		{ "-dh", "help" },
		{ "--help --nosuch", "help" },
		{ "--name x --help", "help" },
		{ "--name --help", " name=--help |" },
		{ "img --help", " | img --help" },
	};

	CHECK(OPTS_FIRST, cases);
}

static void what_is_wrong_is_said_in_one_line(void **state)
{
	/* the beginning of the message */
	static const struct good cases[] = {
		{ "--nosuch", "unknown flag: --nosuch" },
		{ "--nosuch=x", "unknown flag: --nosuch" },
		{ "--memroy 1g", "unknown flag: --memroy (did you mean --memory?)" },
		{ "--mem 1g", "unknown flag: --mem (did you mean --memory?)" },
		{ "--detatch", "unknown flag: --detatch (did you mean --detach?)" },
		{ "--interactiv", "unknown flag: --interactiv (did you mean --interactive?)" },
		{ "--nmae=x", "unknown flag: --nmae (did you mean --name?)" },
		{ "--detach-x", "unknown flag: --detach-x (did you mean --detach?)" },
		{ "--DETACH", "unknown flag: --DETACH" },
		{ "-x", "unknown shorthand flag: 'x' in -x" },
		{ "-dx", "unknown shorthand flag: 'x' in -dx" },
		{ "-xd", "unknown shorthand flag: 'x' in -xd" },
		{ "-d-", "unknown shorthand flag: '-' in -d-" },
		{ "-=", "unknown shorthand flag: '=' in -=" },
		{ "-d=", "unknown shorthand flag: '=' in -d=" },
		{ "---", "unknown flag: --" },
		{ "---name", "unknown flag: ---name" },
		{ "--=", "bad flag syntax: --=" },
		{ "--=x", "bad flag syntax: --=x" },
		{ "--name", "flag needs an argument: --name" },
		{ "-n", "flag needs an argument: 'n' in -n" },
		{ "-dn", "flag needs an argument: 'n' in -dn" },
		{ "-e", "flag needs an argument: 'e' in -e" },
		{ "-d --env", "flag needs an argument: --env" },
		{ "--detach=maybe", "invalid value for --detach: \"maybe\" must be true or false" },
		{ "--detach=", "invalid value for --detach: \"\"" },
		{ "--detach=yes", "invalid value for --detach: \"yes\"" },
		{ "-d=no", "invalid value for --detach: \"no\"" },
		{ "--rm=2", "invalid value for --rm: \"2\" must be true or false" },
		{ "-m x", "invalid value for --memory: \"x\" must be a size" },
		{ "-m ''", "invalid value for --memory: \"\" must be a size" },
		{ "-m -1", "invalid value for --memory: \"-1\" must be a size" },
		{ "-m 1x", "invalid value for --memory: \"1x\" must be a size" },
		{ "-m 1mm", "invalid value for --memory: \"1mm\" must be a size" },
		{ "-m 1e3", "invalid value for --memory: \"1e3\"" },
		{ "-m 0x10", "invalid value for --memory: \"0x10\"" },
		{ "-m 99999999999999999999",
		  "invalid value for --memory: \"99999999999999999999\" is out of range" },
		{ "-m 20000000t", "invalid value for --memory: \"20000000t\" is out of range" },
		{ "--cpus x", "invalid value for --cpus: \"x\" must be a number" },
		{ "--cpus 1.2345", "invalid value for --cpus: \"1.2345\" must be a number" },
		{ "--cpus -1", "invalid value for --cpus: \"-1\"" },
		{ "--cpus 1.", "invalid value for --cpus: \"1.\"" },
		{ "--cpus .", "invalid value for --cpus: \".\"" },
		{ "--pids-limit x", "invalid value for --pids-limit: \"x\" must be a whole number" },
		{ "--pids-limit 1.5", "invalid value for --pids-limit: \"1.5\"" },
		{ "--pids-limit --1", "invalid value for --pids-limit: \"--1\"" },
		{ "--pids-limit 9223372036854775808",
		  "invalid value for --pids-limit: \"9223372036854775808\" is out of range" },
		{ "-T -1",
		  "invalid value for --timeout: \"-1\" must be a whole number of seconds, at most 86400" },
		{ "-T 1s", "invalid value for --timeout: \"1s\"" },
		{ "-T 86401",
		  "invalid value for --timeout: \"86401\" must be a whole number of seconds, at most 86400" },
		{ "-s NOSUCH", "invalid value for --signal: \"NOSUCH\" must be a signal" },
		{ "-s 0", "invalid value for --signal: \"0\" is out of range" },
		{ "-s 65", "invalid value for --signal: \"65\" is out of range" },
		{ "-s ''", "invalid value for --signal: \"\"" },
		{ "--isolation x", "invalid value for --isolation: \"x\" must be one of container|vm" },
		{ "--isolation container|vm", "invalid value for --isolation: \"container|vm\"" },
		{ "--isolation containe", "invalid value for --isolation: \"containe\"" },
		{ "--isolation VM", "invalid value for --isolation: \"VM\"" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct outcome o = parse(OPTS_FIRST, cases[i].line);

		if (o.r != -22 || strncmp(o.text.data, cases[i].want, strlen(cases[i].want)))
			fail_msg("\"%s\" gave \"%s\", not \"%s\"", cases[i].line, o.text.data, cases[i].want);
		assert_null(strpbrk(o.text.data, "\n\r\t\033"));
		buf_done(&o.text);
	}
}

static void foreign_text_in_an_error_is_made_printable_and_cut(void **state)
{
	char line[4000] = "--\033[2J";
	struct outcome o = parse(OPTS_FIRST, line);

	assert_string_equal(o.text.data, "unknown flag: --?[2J");
	buf_done(&o.text);
	memset(line + 2, 'x', sizeof(line) - 3);
	o = parse(OPTS_FIRST, line);
	assert_true(o.r < 0 && o.text.len < 200);
	buf_done(&o.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rest_of_the_line_belongs_to_the_command),
		cmocka_unit_test(options_may_stand_behind_words_elsewhere),
		cmocka_unit_test(flags_stand_alone_or_together),
		cmocka_unit_test(values_are_joined_or_follow),
		cmocka_unit_test(numbers_have_their_units),
		cmocka_unit_test(help_is_met_only_before_the_command),
		cmocka_unit_test(what_is_wrong_is_said_in_one_line),
		cmocka_unit_test(foreign_text_in_an_error_is_made_printable_and_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
