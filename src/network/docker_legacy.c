/* docker_legacy.c - our bridges in DOCKER-USER where Docker's rules are of the kernel's older kind (iptables-legacy)
 *
 * That kind has no netlink: its own programs are run, and only where the kernel has a table of it in this network namespace,
 * for even a look would make one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/auto.h"
#include "base/io.h"
#include "network/firewall_int.h"
#include "sys/run.h"

#define CHAIN	   "DOCKER-USER"
#define TABLE	   "filter\n"
#define NAMES_MAX  4096
#define TIMEOUT_MS 10000

static const struct {
	const char *names, *change, *restore;
} families[] = {
	{ "/proc/net/ip_tables_names", "iptables-legacy", "iptables-legacy-restore" },
	{ "/proc/net/ip6_tables_names", "ip6tables-legacy", "ip6tables-legacy-restore" },
};

/* In the order of the chain; as in docker_user.c. */
static const char *const rule_forms[][3] = {
	{ "-i", "docker0", "RETURN" },
	{ "-i", "br-+", "RETURN" },
	{ "-i", NULL, "ACCEPT" },
	{ "-o", NULL, "ACCEPT" },
};

static bool has_table(size_t family)
{
	AUTO(buf_done) struct buf names = { 0 };

	return read_file(AT_FDCWD, families[family].names, NAMES_MAX, &names) == 0 && names.data &&
	       strstr(names.data, TABLE);
}

/* op: "-C", is there the rule of this form, or "-D", remove it.  Did it work? */
static bool run_rule(size_t family, const char *op, const char *bridge, size_t form)
{
	const char *const *f = rule_forms[form];
	autofree char *comment = str_printf("ketch %s", bridge);
	const char *argv[20] = { families[family].change, "-w", "5", op, CHAIN, f[0], bridge };
	size_t n = 7;
	int status = 1;

	if (!comment)
		return false;
	if (f[1]) {
		argv[n++] = "-o";
		argv[n++] = f[1];
	}
	for (size_t i = 0; i < 6; i++)
		argv[n++] = (const char *[]){ "-m", "comment", "--comment", comment, "-j", f[2] }[i];
	return run_program(argv, -1, TIMEOUT_MS, NULL, &status) == 0 && status == 0;
}

static bool has_chain(size_t family)
{
	const char *argv[] = { families[family].change, "-w", "5", "-n", "-L", CHAIN, NULL };
	int status = 1;

	return has_table(family) && run_program(argv, -1, TIMEOUT_MS, NULL, &status) == 0 && status == 0;
}

static void put_rules(struct buf *script, const char *bridge)
{
	for (size_t k = ARRAY_LEN(rule_forms); k-- > 0;) {
		const char *const *f = rule_forms[k];

		buf_addf(script, "-I " CHAIN " %s %s%s%s -m comment --comment \"ketch %s\" -j %s\n", f[0],
			 bridge, f[1] ? " -o " : "", f[1] ? f[1] : "", bridge, f[2]);
	}
}

/* All of one family in one transaction. */
static int restore(size_t family, const struct buf *script, struct err *e)
{
	AUTO(buf_done) struct buf said = { 0 };
	autoclose int file = memfd_create("iptables", MFD_CLOEXEC);
	char path[32];
	const char *argv[] = { families[family].restore, "-w", "5", "-n", path, NULL };
	int status, r = file < 0 ? -errno : write_full(file, script->data, script->len);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	if (r == 0)
		r = run_program(argv, file, TIMEOUT_MS, &said, &status);
	if (r < 0)
		return err_sys(e, -r, "%s", families[family].restore);
	if (said.data)
		said.data[strcspn(said.data, "\n")] = '\0';
	return status ? err_set(e, EIO, "%s: %s", families[family].restore,
				said.data ? said.data : "it failed")
		      : 0;
}

int docker_legacy_ensure(const struct fw_network *networks, size_t n, struct err *e)
{
	int r = 0;

	for (size_t family = 0; family < ARRAY_LEN(families) && r == 0; family++) {
		AUTO(buf_done) struct buf script = { 0 };
		size_t missing = 0;

		if (!n || !has_chain(family))
			continue;
		buf_adds(&script, "*filter\n");
		for (size_t i = 0; i < n; i++) {
			/* they came in one transaction */
			if (run_rule(family, "-C", networks[i].bridge, ARRAY_LEN(rule_forms) - 1))
				continue;
			put_rules(&script, networks[i].bridge);
			missing++;
		}
		buf_adds(&script, "COMMIT\n");
		if (!buf_ok(&script))
			r = err_set(e, ENOMEM, "out of memory");
		else if (missing)
			r = restore(family, &script, e);
	}
	return r;
}

void docker_legacy_remove(const struct fw_network *n)
{
	for (size_t family = 0; family < ARRAY_LEN(families); family++) {
		if (!has_chain(family))
			continue;
		for (size_t k = 0; k < ARRAY_LEN(rule_forms); k++)
			run_rule(family, "-D", n->bridge, k);
	}
}
