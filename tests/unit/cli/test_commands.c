/* test_commands.c - whole command lines against a fake engine: what it is asked, what is printed, the status */
#include "../cm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "fake_engine.h"

struct outcome {
	int status;
	char out[8192], err[2048];
};

static int capture(int fd, int *ret_old)
{
	int file = memfd_create("test", MFD_CLOEXEC);

	assert_true(file >= 0);
	*ret_old = dup(fd);
	dup2(file, fd);
	return file;
}

static void release(int fd, int old, int file, char *ret, size_t size)
{
	ssize_t n;

	fflush(NULL);
	dup2(old, fd);
	close(old);
	n = pread(file, ret, size - 1, 0);
	ret[n > 0 ? n : 0] = '\0';
	close(file);
}

/* Runs "ketch LINE", parted at blanks; '' is an empty argument. */
static void ketch(const char *line, struct outcome *o)
{
	struct strv words = { 0 }, argv = { 0 };
	int old_out, old_err, out, err;

	buf_done(&fake.calls);
	buf_adds(&fake.calls, "");
	assert_int_equal(strv_add(&argv, "ketch"), 0);
	if (*line)
		assert_int_equal(strv_split(&words, line, " "), 0);
	for (size_t i = 0; i < words.n; i++)
		assert_int_equal(strv_add(&argv, strcmp(words.v[i], "''") ? words.v[i] : ""), 0);
	out = capture(1, &old_out);
	err = capture(2, &old_err);
	o->status = cli_main(argv.v);
	release(1, old_out, out, o->out, sizeof(o->out));
	release(2, old_err, err, o->err, sizeof(o->err));
	strv_done(&words);
	strv_done(&argv);
}

#define TEXT(s) ((char *)(uintptr_t)(s)) /* members are not const; nobody writes */

static const char *const list_of_two[] = { "redis-server", "--port" };
static struct instance instances[2];
static struct image images[2];

static int set_up(void **state)
{
	int64_t now = clock_real_ns();

	setenv("KETCH_CONFIG", "", 1); /* the machine's is nothing to us */
	setenv("KETCH_ROOT", "/store", 1);
	setenv("KETCH_RUN_ROOT", "/live", 1);
	instances[0] = (struct instance){
		.spec = { .id = TEXT("aaaaaaaaaaaabbbb"),
			  .name = TEXT("web"),
			  .image = TEXT("x:latest"),
			  .image_id = TEXT("sha256:cafe"),
			  .isolation = ISOLATION_VM,
			  .stop_signal = 15,
			  .process.args = { (char **)(uintptr_t)list_of_two, 2 },
			  .created_ns = now - 200 * NS_PER_S },
		.state = { .status = STATUS_RUNNING, .pid = 77, .started_ns = now - 180 * NS_PER_S },
	};
	instances[1] = (struct instance){
		.spec = { .id = TEXT("ccccccccccccdddd"),
			  .name = TEXT("o\033ld"),
			  .image = TEXT("y\n"),
			  .image_id = TEXT("sha256:cafe"),
			  .created_ns = now - 8000 * NS_PER_S },
		.state = { .status = STATUS_EXITED, .exit_code = 3, .finished_ns = now - 7300 * NS_PER_S },
	};
	images[0] = (struct image){ .id = TEXT("sha256:cafecafecafecafe"),
				    .size_bytes = 72800000,
				    .created_ns = now - 3 * 86400 * NS_PER_S };
	images[1] = (struct image){ .id = TEXT("sha256:feedfeedfeedfeed"),
				    .size_bytes = 1000,
				    .created_ns = now };
	strv_add(&images[0].refs, "x:latest");
	strv_add(&images[0].refs, "host:5000/a/x:1");
	fake = (struct fake){ .instances = instances, .n_instances = 2, .images = images, .n_images = 2 };
	return 0;
}

static int tear_down(void **state)
{
	strv_done(&images[0].refs);
	buf_done(&fake.calls);
	return 0;
}

struct expected {
	const char *line;
	int status;
	const char *out, *err; /* whole; NULL: anything */
	const char *calls; /* behind "open /store /live\n"; NULL: anything */
};

static const char opened[] = "open /store /live\n";

static void check(const struct expected *x, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *calls;
		struct outcome o;

		ketch(x[i].line, &o);
		calls = fake.calls.data +
			(strncmp(fake.calls.data, opened, sizeof(opened) - 1) ? 0 : sizeof(opened) - 1);
		if (o.status != x[i].status)
			fail_msg("ketch %s: status %d, not %d; %s", x[i].line, o.status, x[i].status, o.err);
		if (x[i].out && strcmp(x[i].out, o.out))
			fail_msg("ketch %s: printed \"%s\", not \"%s\"", x[i].line, o.out, x[i].out);
		if (x[i].err && strcmp(x[i].err, o.err))
			fail_msg("ketch %s: told \"%s\", not \"%s\"", x[i].line, o.err, x[i].err);
		if (x[i].calls && strcmp(x[i].calls, calls))
			fail_msg("ketch %s: asked \"%s\", not \"%s\"", x[i].line, calls, x[i].calls);
	}
}

#define CHECK(cases) check(cases, sizeof(cases) / sizeof((cases)[0]))
#define RUN	     "create image=img"
#define STARTED	     "\nstart 0123456789abcdef\n"

static void every_flag_of_run_reaches_the_engine(void **state)
{
	static const struct expected cases[] = {
		{ "run img", 0, "out\n", "", RUN STARTED },
		{ "run --pull always img", 0, "out\n", "", "pull img\n" RUN STARTED },
		{ "run --pull never img", 0, "out\n", "", RUN STARTED },
		{ "run --platform linux/arm64 new", 0, NULL, "", NULL },
		{ "run img sh -c x", 0, "out\n", "", RUN " arg=sh arg=-c arg=x" STARTED },
		{ "run img ''", 0, NULL, "", RUN " arg=" STARTED },
		{ "run -d img", 0, "0123456789abcdef\n", "", RUN STARTED },
		{ "launch img", 0, "0123456789abcdef\n", "", RUN STARTED },
		{ "launch --detach=false img", 0, "out\n", "", RUN STARTED },
		{ "container run img", 0, "out\n", "", RUN STARTED },
		{ "run -i img", 0, NULL, "", RUN " interactive=1" STARTED },
		{ "run -dit img", 0, NULL, "", RUN " interactive=1 tty=1" STARTED },
		{ "run -t img", 0, NULL, "", RUN " tty=1" STARTED },
		{ "run --rm img", 0, NULL, "", RUN " rm=1" STARTED "remove 0123456789abcdef force\n" },
		{ "run --rm -d img", 0, NULL, "", RUN " rm=1" STARTED },
		{ "run --name n img", 0, NULL, "", RUN " name=n" STARTED },
		{ "run -e A=B -e C --env-file f img", 0, NULL, "", RUN " env=A=B env=C env-file=f" STARTED },
		{ "run -w /x -u 1:2 -h host img", 0, NULL, "",
		  RUN " workdir=/x user=1:2 hostname=host" STARTED },
		{ "run -v /a:/b:ro -v c:/d --tmpfs /t:size=1m img", 0, NULL, "",
		  RUN " volume=/a:/b:ro volume=c:/d tmpfs=/t:size=1m" STARTED },
		{ "run -m 64m --cpus 1.5 img", 0, NULL, "", RUN " memory=67108864 cpu=1500" STARTED },
		{ "run --pids-limit 10 img", 0, NULL, "", RUN " pids=10" STARTED },
		{ "run --pids-limit -1 img", 0, NULL, "", RUN " pids=-1" STARTED },
		{ "run --pids-limit 0 img", 0, NULL, "", RUN " pids=-1" STARTED },
		{ "run --mount type=tmpfs,dst=/x --volumes-from a:ro img", 0, NULL, "",
		  RUN " mount=type=tmpfs,dst=/x volumes-from=a:ro" STARTED },
		{ "run --ulimit nofile=1:2 --read-only --init img", 0, NULL, "",
		  RUN " ulimit=nofile=1:2 read-only=1 init=1" STARTED },
		{ "run --entrypoint /e img a", 0, NULL, "", RUN " arg=a entrypoint=/e" STARTED },
		{ "run --entrypoint= img a", 0, NULL, "", RUN " arg=a entrypoint=" STARTED },
		{ "run --cap-add X --cap-drop ALL --privileged --security-opt seccomp=unconfined img", 0,
		  NULL, "",
		  RUN " privileged=1 cap-add=X cap-drop=ALL security-opt=seccomp=unconfined" STARTED },
		{ "run -l a=b --label c --stop-signal USR1 --network none img", 0, NULL, "",
		  RUN " label=a=b label=c stop-signal=USR1 network=none" STARTED },
		{ "run --vm --kernel 6.1 img", 0, NULL, "", RUN " isolation=1 kernel=6.1" STARTED },
		{ "run --isolation auto img", 0, NULL, "", RUN " auto=1" STARTED },
		{ "explain --privileged img", 0,
		  "ISOLATION   RULE        WHEN\nvm          fake-rule   the fake says so\n", "",
		  "explain image=img\n" },
		{ "run --isolation vm img", 0, NULL, "", RUN " isolation=1" STARTED },
		{ "run --vm --isolation vm img", 0, NULL, "", RUN " isolation=1" STARTED },
		{ "run --isolation=container --userns=private img", 0, NULL, "",
		  RUN " userns=private" STARTED },
		{ "run --restart on-failure:3 --stop-timeout 4 --pidfile p img", 0, NULL, "",
		  RUN " stop-timeout=4 restart=on-failure:3 pidfile=p" STARTED },
		{ "run -a stdout -a STDERR --sig-proxy=false --detach-keys a,b img", 0, "out\n", "",
		  RUN STARTED },
		{ "run -a stderr img", 0, NULL, "", RUN STARTED },
		{ "create --name n --restart always img x", 0, "0123456789abcdef\n", "",
		  RUN " arg=x name=n restart=always\n" },
		{ "run --dry-run --rm img", 0, "host    fake-step      /what\n", "",
		  "plan image=img rm=1\n" },
	};

	CHECK(cases);
}

static void wrong_lines_never_reach_the_engine(void **state)
{
	static const struct expected cases[] = {
		{ "run", 125, "",
		  "ketch: \"ketch run\" requires at least 1 argument: ketch run [OPTIONS] "
		  "IMAGE [COMMAND] [ARG...]\n",
		  "" },
		{ "run --nosuch img", 125, "", "ketch: unknown flag: --nosuch\n", "" },
		{ "run --memroy 1g img", 125, "", "ketch: unknown flag: --memroy (did you mean --memory?)\n",
		  "" },
		{ "run -m x img", 125, "",
		  "ketch: invalid value for --memory: \"x\" must be a size such as 512m or 2g\n", "" },
		{ "run --isolation jail img", 125, "",
		  "ketch: invalid value for --isolation: \"jail\" must be one of container|vm|auto\n", "" },
		{ "run --vm --isolation=container img", 125, "",
		  "ketch: --vm and --isolation=container contradict each other\n", "" },
		{ "run -it img", 125, "",
		  "ketch: the input device is not a TTY: -it needs a terminal on stdin\n", "" },
		{ "run -a stdout -d img", 125, "", "ketch: conflicting options: -a and -d\n", "" },
		{ "run -a nosuch img", 125, "", "ketch: --attach: 'nosuch' is not stdin, stdout or stderr\n",
		  "" },
		{ "run --detach-keys ctrl-1 img", 125, "", "ketch: invalid detach keys (ctrl-1) provided\n",
		  "" },
		{ "create -d img", 125, "", NULL, "" },
		{ "create", 125, "", NULL, "" },
		{ "start -a web old", 1, "",
		  "ketch: you cannot start and attach multiple containers at once\n", "" },
		{ "rename web", 1, "", NULL, "" },
		{ "exec -it web sh", 1, "",
		  "ketch: the input device is not a TTY: -it needs a terminal on stdin\n", "" },
		{ "exec --nosuch web sh", 125, "", "ketch: unknown flag: --nosuch\n", "" },
		{ "exec web", 1, "", NULL, "" },
		{ "ps --nosuch", 125, "", "ketch: unknown flag: --nosuch\n", "" },
		{ "ps extra", 1, "", "ketch: \"ketch ps\" takes no arguments\n", "" },
		{ "ps --format {{.Name}}", 1, "",
		  "ketch: template parsing error: template: :1:2: no field .Name (did you mean .Names?)\n",
		  NULL },
		{ "ps --format {{.Names", 1, "",
		  "ketch: template parsing error: template: :1:8: unclosed action\n", "" },
		{ "ps --filter naem=x", 1, "", "ketch: invalid filter: naem (did you mean name?)\n", NULL },
		{ "ps --filter name", 1, "", "ketch: invalid filter: name must be KEY=VALUE\n", NULL },
		{ "ps --filter isolation=jail", 1, "",
		  "ketch: invalid filter: isolation=jail must be one of container|vm\n", NULL },
		{ "ps --filter before=nosuch", 1, "", "ketch: no such instance: nosuch\n", NULL },
		{ "images --filter since=nosuch", 1, "", "ketch: no such image: nosuch\n", NULL },
		{ "rm", 1, "", NULL, "" },
		{ "tag x", 1, "",
		  "ketch: \"ketch tag\" requires exactly 2 arguments: ketch tag IMAGE NEW_NAME[:TAG]\n", "" },
		{ "tag x y z", 1, "", NULL, "" },
		{ "stop -t x web", 125, "", NULL, "" },
		{ "kill -s NOSUCH web", 125, "", NULL, "" },
		{ "logs --tail x web", 1, "", NULL, "" },
		{ "nosuch", 1, "", "ketch: unknown command: nosuch (\"ketch --help\" lists them)\n", "" },
		{ "rnu", 1, "", "ketch: unknown command: rnu (did you mean run?)\n", "" },
		{ "manifest inspect x", 1, "",
		  "ketch: ketch manifest: lists of images for several platforms are not made here\n", "" },
		{ "secret ls", 1, "",
		  "ketch: ketch secret: Ketch runs instances of one host; it has no cluster\n", "" },
		{ "network create --subnet 10.9.0.0/16 --label x --internal n9", 0,
		  "0123456789abcdef0123456789abcdef\n", "",
		  "network create n9 driver=(none) subnets=1 labels=1 internal\n" },
		{ "port add web 8080:80 81", 0, "", "", "publish web 8080:80 of 2 on (none)\n" },
		{ "port rm web 8080:80", 0, "", "", "unpublish web 8080:80 of 1\n" },
		{ "port web", 0, "", "", "" },
		{ "container port web", 0, "", "", "" },
		{ "network rm n1 nothing", 1, "n1\n", "ketch: network nothing not found\n",
		  "network remove n1\nnetwork remove nothing\n" },
		{ "pss", 1, "", "ketch: unknown command: pss (did you mean ps?)\n", "" },
		{ "insp web", 1, "", "ketch: unknown command: insp (did you mean inspect?)\n", "" },
		{ "image inspct x", 1, "",
		  "ketch: unknown command: image inspct (did you mean image inspect?)\n", "" },
		{ "kernel lss", 1, "", "ketch: unknown command: kernel lss (did you mean kernel ls?)\n", "" },
		{ "container nosuch", 1, "", NULL, "" },
		{ "a\033b", 1, "", "ketch: unknown command: a?b (\"ketch --help\" lists them)\n", "" },
		{ "--nosuch ps", 125, "", "ketch: unknown flag: --nosuch\n", "" },
		{ "--root", 125, "", "ketch: flag needs an argument: --root\n", "" },
		{ "completion fish", 1, "", "ketch: no completion for fish; bash is known\n", "" },
		{ "man nosuch", 1, "", NULL, "" },
		{ "help nosuch", 1, "", NULL, "" },
		{ "import /x -c NOSUCH", 1, "", NULL, "" },
	};

	CHECK(cases);
}

static void failures_of_run_are_125_and_of_the_rest_1(void **state)
{
	static const char *const places[] = { "open", "create", "start" };
	static const struct expected rest[] = {
		{ "ps", 1, "", "ketch: the fake fails in open\n", NULL },
		{ "exec web x", 1, "", "ketch: the fake fails in open\n", NULL },
		{ "images", 1, "", "ketch: the fake fails in open\n", NULL }
	};
	struct outcome o;

	fake.fail_no = EIO;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char told[64];

		fake.fail_in = places[i];
		snprintf(told, sizeof(told), "ketch: the fake fails in %s\n", places[i]);
		ketch("run --rm img", &o);
		assert_int_equal(o.status, 125);
		assert_string_equal(o.err, told);
		assert_int_equal(!!strstr(fake.calls.data, "remove "), i == 2);
	}
	fake.fail_in = "open";
	CHECK(rest);
}

static void the_status_of_the_process_is_ours(void **state)
{
	struct outcome o;

	fake.exit_status = 137;
	ketch("run img", &o);
	assert_int_equal(o.status, 137);
	ketch("exec web x", &o);
	assert_int_equal(o.status, 137);
	fake.exit_status = -1;
	ketch("run -d --rm img nosuch", &o);
	assert_int_equal(o.status, 127);
	assert_string_equal(o.out, "");
	assert_string_equal(o.err, "ketch: exec nosuch: not found\n");
	assert_non_null(strstr(fake.calls.data, "remove 0123456789abcdef force"));
	ketch("exec web nosuch", &o);
	assert_int_equal(o.status, 127);
}

static void commands_on_several_go_on_after_a_failure(void **state)
{
	static const struct expected cases[] = {
		{ "stop web", 0, "web\n", "", "stop web -1\n" },
		{ "stop -t 3 web", 0, "web\n", "", "stop web 3\n" },
		{ "stop web --timeout=0", 0, "web\n", "", "stop web 0\n" },
		{ "stop nosuch web", 1, "web\n", "ketch: no such instance: nosuch\n", "stop web -1\n" },
		{ "kill web", 0, "web\n", "", "signal web 9\n" },
		{ "pause web", 0, "web\n", "", "pause web\n" },
		{ "container unpause web nosuch", 1, "web\n", NULL, "unpause web\n" },
		{ "start web", 0, "web\n", "", "start aaaaaaaaaaaabbbb\n" },
		{ "start -a web", 0, "out\n", "", "start aaaaaaaaaaaabbbb\n" },
		{ "restart -t 3 web", 0, "web\n", "", "stop web 3\nstart aaaaaaaaaaaabbbb\n" },
		{ "rename web new", 0, "", "", "rename web new\n" },
		{ "rename nosuch new", 1, "", "ketch: no such instance: nosuch\n", "" },
		{ "attach ccccccccccccdddd", 1, "",
		  "ketch: you cannot attach to a stopped container, start it first\n", "" },
		{ "port web", 0, "", "", "" },
		{ "port web 80", 1, "", "ketch: no public port '80' published for web\n", "" },
		{ "prune -f", 0, "Deleted Containers:\nccccccccccccdddd\n\nTotal reclaimed space: 72.8MB\n",
		  "", "prune\n" },
		{ "system stop-all", 0, "web\n", "", "stop-all\n" },
		{ "system start-all", 0, "o?ld\n", "", "start ccccccccccccdddd\n" },
		{ "start-locked web 7", 0, "", "", "start-locked web 7\n" },
		{ "start-locked web x", 1, "", "ketch: x is not a descriptor\n", "" },
		{ "kill -s HUP ccccccccccccdddd aaaaaaaaaaaabbbb", 1, "aaaaaaaaaaaabbbb\n", NULL,
		  "signal web 1\n" },
		{ "container kill --signal=15 web", 0, "web\n", "", "signal web 15\n" },
		{ "rm web", 1, "", "ketch: web is running\n", "" },
		{ "rm -f web nosuch ccccccccccccdddd", 0, "web\nccccccccccccdddd\n",
		  "ketch: no such instance: nosuch\n",
		  "remove aaaaaaaaaaaabbbb force\nremove ccccccccccccdddd force\n" },
		{ "rm -v ccccccccccccdddd", 0, "ccccccccccccdddd\n", "",
		  "remove ccccccccccccdddd volumes\n" },
		{ "delete ccccccccccccdddd nosuch", 1, "ccccccccccccdddd\n", NULL,
		  "remove ccccccccccccdddd\n" },
		{ "wait ccccccccccccdddd web", 0, "3\n0\n", "", "" },
		{ "resolve web", 0, "10.88.0.6\n", "", "" },
		{ "resolve --network n web", 0, "10.88.0.5\n", "", "" },
		{ "resolve db", 1, "", "ketch: nobody is called db\n", "" },
		{ "egress web", 0, "--egress=example.org\n", "", "" },
		{ "egress nosuch", 1, "", "ketch: no such instance: nosuch\n", "" },
		{ "wait nosuch", 1, "", "ketch: no such instance: nosuch\n", "" },
		{ "logs web", 0, "", "", "logs web follow=0 tail=-1 timestamps=0\n" },
		{ "logs -f -n 5 -t web", 0, "", "", "logs web follow=1 tail=5 timestamps=1\n" },
		{ "logs web --tail all", 0, "", "", "logs web follow=0 tail=-1 timestamps=0\n" },
		{ "logs nosuch", 1, "", "ketch: no such instance: nosuch\n", "" },
		{ "exec nosuch x", 1, "", "ketch: no such instance: nosuch\n", "" },
		{ "exec -d -e A=B web x", 0, "", "", " exec-env=A=Bconnect web\n" },
		{ "exec web ls -l --all", 0, "out\n", "", "connect web\n" },
	};

	CHECK(cases);
}

static void instances_are_listed_as_docker_does(void **state)
{
	static const struct expected cases[] = {
		{ "ps", 0,
		  "CONTAINER ID   IMAGE      COMMAND                 CREATED         STATUS         "
		  "PORTS     ISOLATION   NAMES\n"
		  "aaaaaaaaaaaa   x:latest   \"redis-server --port\"   3 minutes ago   Up 3 minutes        "
		  "     vm          web\n",
		  "", "" },
		{ "ps -aq", 0, "aaaaaaaaaaaa\ncccccccccccc\n", "", "" },
		{ "ls -a --quiet --no-trunc", 0, "aaaaaaaaaaaabbbb\nccccccccccccdddd\n", "", "" },
	};
	struct outcome o;

	CHECK(cases);
	ketch("ps -a", &o);
	assert_non_null(strstr(o.out, "cccccccccccc   y?         \"\"                      2 hours ago     "
				      "Exited (3) 2 hours ago             container   o?ld\n"));
	assert_null(strchr(o.out, '\033'));
	ketch("ps -a --format json", &o);
	assert_non_null(strstr(o.out, "\"ID\":\"aaaaaaaaaaaa\""));
	assert_non_null(strstr(o.out, "\"Isolation\":\"container\",\"Labels\":\"\",\"LocalVolumes\":\"0\","
				      "\"Mounts\":\"\",\"Names\":\"o?ld\""));
	fake.n_instances = 0;
	ketch("ps", &o);
	assert_string_equal(
		o.out,
		"CONTAINER ID   IMAGE     COMMAND   CREATED   STATUS    PORTS     ISOLATION   NAMES\n");
}

static void inspect_prints_an_array_of_what_it_found(void **state)
{
	static const struct expected cases[] = {
		{ "inspect nosuch", 1, "", "ketch: no such instance or image: nosuch\n", "" },
		{ "image inspect web", 1, "", "ketch: no such image: web\n", "" },
	};
	struct outcome o;

	CHECK(cases);
	ketch("inspect web x:latest nosuch", &o);
	assert_int_equal(o.status, 1);
	assert_memory_equal(o.out, "[\n    {\n        \"Id\": \"aaaaaaaaaaaabbbb\",", 40);
	assert_non_null(strstr(o.out, "        \"State\": {\n            \"Status\": \"running\",\n"));
	assert_non_null(strstr(o.out, "    },\n    {\n        \"Id\": \"sha256:cafecafecafecafe\",\n"));
	assert_string_equal(o.out + strlen(o.out) - 9, "\n    }\n]\n");
	ketch("inspect --format json ccccccccccccdddd", &o);
	assert_int_equal(o.status, 0);
	assert_memory_equal(o.out, "[{\"Id\":\"ccccccccccccdddd\",", 26);
	assert_non_null(strstr(o.out, "\"Name\":\"o\\u001bld\""));
	assert_null(strchr(o.out, '\033'));
}

static void volumes_are_kept_as_docker_does(void **state)
{
	static const struct expected cases[] = {
		{ "volume ls", 0, "DRIVER    VOLUME NAME\nlocal     v1\nlocal     v2\n", "", "" },
		{ "volume list -q --filter dangling=true", 0, "v2\n", "", "" },
		{ "volume ls -qf dangling=false -f name=v -f label=a", 0, "v1\n", "", "" },
		{ "volume ls -qf label=a=2", 0, "", "", "" },
		{ "volume ls -qf name=1 -f name=2", 0, "v1\nv2\n", "", "" },
		{ "volume ls -f dangling=maybe", 1, "", NULL, "" },
		{ "volume ls -f colour=red", 1, "", NULL, "" },
		{ "volume ls --format json -f name=1", 0,
		  "{\"Driver\":\"local\",\"Labels\":\"a=1\",\"Links\":\"N/A\","
		  "\"Mountpoint\":\"/store/volumes/v1/"
		  "_data\",\"Name\":\"v1\",\"Scope\":\"local\",\"Size\":\"N/A\"}\n",
		  "", "" },
		{ "volume create", 0, "new\n", "", "volume create (none) labels=0 options=0\n" },
		{ "volume create --label a --label a=b -o type=tmpfs x", 0, "x\n", "",
		  "volume create x labels=1 options=1\n" },
		{ "volume create -d nfs x", 1, "", "ketch: there is no volume driver 'nfs', only local\n",
		  "" },
		{ "volume inspect --format json v2 v3", 1, NULL, "ketch: no such volume: v3\n", "" },
		{ "volume rm v1 v2 v3", 1, "v2\n", NULL, "volume remove v2\n" },
		{ "volume remove -f v3", 0, "v3\n", "", "" },
		{ "volume prune -f", 0, "Deleted Volumes:\nv2\n\nTotal reclaimed space: 4.1kB\n", "",
		  "volume remove v2\n" },
		{ "volume prune -fa --filter label!=a", 0, "Total reclaimed space: 0B\n", "", "" },
		{ "volume prune -f --filter name=x", 1, "", NULL, "" },
		{ "volume prune", 0, NULL, "", "" }, /* nobody has said yes */
		{ "completion volumes", 0, "v1\nv2\n", "", "" },
	};

	CHECK(cases);
}

static void what_nobody_uses_is_counted_and_removed(void **state)
{
	static const struct expected cases[] = {
		{ "save", 1, "", NULL, NULL },
		{ "save -o /tmp/x --format oci-what img", 125, "", NULL, NULL },
		{ "save --format oci-dir x:latest", 1, "", "ketch: --format oci-dir needs -o DIRECTORY\n",
		  NULL },
		{ "save -o /dev/null x:latest y", 0, "", "", "save 2 docker=1 dir=0\n" },
		{ "image save -o /dev/null --format oci-archive x:latest", 0, "", "",
		  "save 1 docker=0 dir=0\n" },
		{ "image history -H=false x:latest", 0,
		  "IMAGE          CREATED AT                       CREATED BY                                "
		  "      SIZE      COMMENT\n"
		  "cafecafecafe   0001-01-01T00:00:00Z                                                       "
		  "      0         odd?\n"
		  "<missing>      2020-01-02T03:04:05.000000000Z   COPY everything and the kitchen sink into "
		  "th…   5000      \n",
		  "", "" },
		{ "history -q --no-trunc x:latest", 0, "sha256:cafecafecafecafe\n<missing>\n", "", "" },
		{ "history --no-trunc --format {{.CreatedBy}}|{{.Size}} x:latest", 0,
		  "|0B\nCOPY everything and the kitchen sink into the image|5kB\n", "", "" },
		{ "history nosuch", 1, "", "ketch: no such image: nosuch\n", "" },
		{ "image verify x:latest", 0,
		  "x:latest: ok; layers kept as directories, which cannot be compared: 1\n", "", "" },
		{ "image verify -q x:latest", 0, "", "", "" },
		{ "image verify nosuch", 1, "", "ketch: no such image: nosuch\n", "" },
		{ "image verify -q", 1, "", NULL, "" },
		{ "image packages x:latest", 0,
		  "TYPE      NAME      VERSION   ARCH\n"
		  "apk       musl      1.2-r1    x86_64\n"
		  "apk       zlib      1.3       \n",
		  "ketch: x:latest: /go?.sum: odd?\n"
		  "ketch: x:latest: 1 of its 0 layers came before packages were noted: remove the image and "
		  "pull or load it "
		  "again to see theirs\n",
		  "" },
		{ "image packages --format {{.Type}}/{{.Name}}@{{.Version}}:{{.Path}} x:latest", 0,
		  "apk/musl@1.2-r1:lib/apk/db/installed\napk/zlib@1.3:lib/apk/db/installed\n", NULL, "" },
		{ "image packages", 1, "", NULL, "" },
		{ "image packages nosuch", 1, "", "ketch: no such image: nosuch\n", "" },
		{ "system df", 0,
		  "TYPE            TOTAL     ACTIVE    SIZE      RECLAIMABLE\n"
		  "Images          2         0         2kB       2kB (100%)\n"
		  "Containers      2         1         3kB       1.5kB (50%)\n"
		  "Local Volumes   2         1         8.19kB    4.1kB (50%)\n"
		  "Build Cache     0         0         0B        0B\n"
		  "VM Images       1         0         2kB       2kB (100%)\n",
		  "", "" },
		{ "system df --format {{.Type}}:{{.TotalCount}}", 0,
		  "Images:2\nContainers:2\nLocal Volumes:2\nBuild Cache:0\nVM Images:1\n", "", "" },
		{ "system df -v --format json", 1, "", "ketch: the verbose and the format options conflict\n",
		  NULL },
		{ "container prune -f --filter until=1h", 0,
		  "Deleted Containers:\nccccccccccccdddd\n\nTotal reclaimed space: 72.8MB\n", "", "prune\n" },
		{ "container prune -f --filter until=240h", 0, "Total reclaimed space: 0B\n", "", "" },
		{ "container prune -f --filter label=x", 0, "Total reclaimed space: 0B\n", "", "" },
		{ "container prune -f --filter until=soon", 1, "", NULL, "" },
		{ "image prune -f", 0,
		  "Deleted Images:\nuntagged: sha256:feedfeedfeedfeed\n\nTotal reclaimed space: 500B\n", "",
		  NULL },
		{ "image prune -f --filter until=1h", 0, "Total reclaimed space: 0B\n", "", "" },
		{ "system prune -f --volumes --filter until=1h", 1, "",
		  "ketch: the \"until\" filter is not supported with \"--volumes\"\n", NULL },
		{ "system prune -f --volumes", 0, NULL, "", NULL },
		{ "system prune", 0, NULL, "", "" },
	};

	CHECK(cases);
}

static void images_are_listed_as_docker_does(void **state)
{
	static const struct expected cases[] = {
		{ "images", 0,
		  "REPOSITORY      TAG       IMAGE ID       CREATED                  SIZE\n"
		  "x               latest    cafecafecafe   3 days ago               72.8MB\n"
		  "host:5000/a/x   1         cafecafecafe   3 days ago               72.8MB\n"
		  "<none>          <none>    feedfeedfeed   Less than a second ago   1kB\n",
		  "", "" },
		{ "image ls -q", 0, "cafecafecafe\nfeedfeedfeed\n", "", "" },
		{ "images -q --no-trunc", 0, "sha256:cafecafecafecafe\nsha256:feedfeedfeedfeed\n", "", "" },
		{ "tag x y", 0, "", "", "tag x y\n" },
		{ "image tag x y", 0, "", "", "tag x y\n" },
		{ "rmi nosuch x:latest", 1, "Untagged: x:latest\n", "ketch: no such image: nosuch\n",
		  "remove-image x:latest\n" },
		{ "image rm -f nosuch x:latest", 0, "Untagged: x:latest\n", "ketch: no such image: nosuch\n",
		  "remove-image x:latest force\n" },
		{ "import /tree", 0, "sha256:feed\n", "", "import /tree\n" },
		{ "import -c CMD\tsh - x:1", 0, NULL, "", "import - ref=x:1 cmd=/bin/sh cmd=-c cmd=sh\n" },
		{ "import - x:1 --change=ENV\tA=B", 0, NULL, "", "import - ref=x:1 env=A=B\n" },
		{ "pull a", 0, "docker.io/library/a:latest\n", "", "pull a\n" },
		{ "pull -qa --platform linux/arm64 h.example/a", 0, "h.example/a\n", "",
		  "pull h.example/a for linux/arm64 all\n" },
		{ "pull --tls-verify=false a", 125, "", NULL, "" },
		{ "push -a h.example/a", 0, "", "", "push h.example/a all\n" },
		{ "push -q a:1", 0, "a:1\n", "", "push a:1\n" },
		{ "search --limit 3 h.example/a", 0, NULL, "", "search h.example a 3\n" },
		{ "search a", 0, NULL, "", "search index.docker.io a 25\n" },
		{ "search --limit 101 a", 1, "", "ketch: --limit is from 1 to 100\n", "" },
		{ "login -u ann h.example < f", 1, "", NULL, "" },
		{ "login --password-stdin h.example", 1, "",
		  "ketch: Must provide --username with --password-stdin\n", "" },
		{ "login -u ann -p wrong h.example", 1, "", NULL, "login h.example ann:wrong\n" },
		{ "load -i f", 0, "Loaded image: x:latest\nLoaded image: y:1\n", "", "load f\n" },
		{ "load < f", 1, "", NULL, "" },
		{ "kernel ls", 0,
		  "VERSION      FROM      SIZE      IMAGE\n6.1.0-fake   host      8.1MB     /boot/fake\n", "",
		  "" },
		{ "kernel ls -q", 0, "6.1.0-fake\n", "", "" },
		{ "kernel ls --format {{.From}}:{{upper\t.Size}}", 0, "host:8.1MB\n", "", "" },
		{ "version --format {{.Server.Os}}", 0, "linux\n", "", "" },
		{ "info --format {{.ContainersRunning}}", 0, NULL, "", NULL },
		{ "kernel import k.deb", 0, "6.1.0-fake\n", "", "kernel-import k.deb -\n" },
		{ "kernel import vmlinuz /m", 0, "6.1.0-fake\n", "", "kernel-import vmlinuz /m\n" },
		{ "kernel build -j 3", 0, "6.1.9-ketch\n", "", "kernel-build - - 3\n" },
		{ "kernel build --source /s --keep /k -j 1", 0, "6.1.9-ketch\n", "",
		  "kernel-build /s /k 1\n" },
		{ "kernel build --jobs 2 --keep stopped", 130, "", "ketch: interrupted\n",
		  "kernel-build - stopped 2\n" },
		{ "kernel build --jobs 0x2", 125, "", NULL, "" },
		{ "kernel build --jobs -1", 1, "", "ketch: --jobs: -1 is not from 1 to 1024\n", "" },
		{ "kernel build --jobs 1025", 1, "", "ketch: --jobs: 1025 is not from 1 to 1024\n", "" },
		{ "kernel rm nosuch 6.1.0-fake", 1, "6.1.0-fake\n", "ketch: no such kernel: nosuch\n", "" },
		{ "completion instances", 0, "web\no?ld\n", "", "" },
		{ "completion images", 0, "x:latest\nhost:5000/a/x:1\n", "", "" },
		{ "completion kernels", 0, "6.1.0-fake\n", "", "" },
	};
	struct outcome o;

	CHECK(cases);
	ketch("images --format json", &o);
	assert_non_null(strstr(
		o.out, "\"Digest\":\"<none>\",\"ID\":\"cafecafecafe\",\"Repository\":\"host:5000/a/x\","
		       "\"SharedSize\":\"N/A\",\"Size\":\"72.8MB\",\"Tag\":\"1\","));
}

static void doctor_and_compare_print_their_reports(void **state)
{
	static const struct expected well[] = {
		{ "doctor", 0, "ok       kernel                       Linux 6\n", "", "" },
		{ "doctor --json", 0, "{}\n", "", "" },
		{ "doctor x", 1, "", NULL, "" },
		{ "compare", 1, "", NULL, "" },
		{ "compare img -- sh -c x", 0, NULL, "", "compare img sh -c x\n" },
		{ "compare --json img sh -- x", 0, "{}\n", "", "compare img sh -- x\n" },
	};
	static const struct expected unwell[] = {
		{ "doctor", 1,
		  "ok       kernel                       Linux 6\n"
		  "missing  KVM                          none?\n"
		  "                                      fix: modprobe kvm\n",
		  "", "" },
		{ "compare img", 1, NULL, "ketch: no virtual machine: no kernel\n", "compare img\n" },
	};
	struct outcome o;

	fake.exit_status = 0;
	CHECK(well);
	ketch("compare img", &o);
	assert_non_null(strstr(o.out, "to first output (ms)   5.0         50.0      VM 10.0 times as much"));
	fake.exit_status = 1;
	CHECK(unwell);
}

static void global_options_stand_in_front(void **state)
{
	static const struct expected cases[] = {
		{ "--root /r --run-root=/l ps -q", 0, "aaaaaaaaaaaa\n", "", "open /r /l\n" },
		{ "--root /r ps -q", 0, NULL, "", "open /r /live\n" },
		{ "ps --root /r", 125, "", NULL, "" },
		{ "--version", 0, "Ketch version " KETCH_VERSION "\n", "", "" },
		{ "-v", 0, "Ketch version " KETCH_VERSION "\n", "", "" },
	};
	struct outcome o, help;

	CHECK(cases);
	ketch("version --format json", &o);
	assert_memory_equal(o.out, "{\"Version\":\"" KETCH_VERSION "\",\"Os\":\"linux\"", 20);
	ketch("info --format json", &o);
	assert_non_null(strstr(o.out, "\"ContainersRunning\":1,\"ContainersStopped\":1,\"Images\":2"));
	unsetenv("KETCH_ROOT");
	unsetenv("KETCH_RUN_ROOT");
	ketch("ps -q", &o);
	assert_string_equal(fake.calls.data, "open /var/lib/ketch /run/ketch\n");
	ketch("--help", &help);
	assert_int_equal(help.status, 0);
	ketch("", &o);
	assert_string_equal(o.out, help.out);
	ketch("help", &o);
	assert_string_equal(o.out, help.out);
	ketch("run --help", &help);
	ketch("help run", &o);
	assert_string_equal(o.out, help.out);
	ketch("image", &help);
	ketch("image --help", &o);
	assert_string_equal(o.out, help.out);
	assert_string_equal(fake.calls.data, "");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(every_flag_of_run_reaches_the_engine),
		CASE(wrong_lines_never_reach_the_engine),
		CASE(failures_of_run_are_125_and_of_the_rest_1),
		CASE(the_status_of_the_process_is_ours),
		CASE(commands_on_several_go_on_after_a_failure),
		CASE(instances_are_listed_as_docker_does),
		CASE(inspect_prints_an_array_of_what_it_found),
		CASE(images_are_listed_as_docker_does),
		CASE(volumes_are_kept_as_docker_does),
		CASE(what_nobody_uses_is_counted_and_removed),
		CASE(doctor_and_compare_print_their_reports),
		CASE(global_options_stand_in_front),
	};
	int null = memfd_create("stdin", MFD_CLOEXEC);

	dup2(null, 0); /* stdin is no terminal */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
