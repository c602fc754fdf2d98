/* completion.c - ketch completion bash: a script made from the table of commands
 *
 * The script asks `ketch completion instances|images|kernels|networks|profiles|volumes` for names that exist now.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/run_profile.h"
#include "cli/template.h"
#include "cli/text.h"
#include "engine/network.h"
#include "engine/volume.h"
#include "kernel/kernel.h"

/* The words are taken from the line: readline would part them at = and :, which names of images have. */
static const char script_head[] =
	"# bash completion of ketch; made by \"ketch completion bash\" from its table of commands\n"
	"_ketch()\n"
	"{\n"
	"	local line=${COMP_LINE:0:COMP_POINT} cmd='' options='' takes=' --root --run-root ' "
	"kind='command'\n"
	"	local values='' first=no words=0 parts=() n i word cur prev\n"
	"\n"
	"	COMPREPLY=()\n"
	"	read -ra parts <<<\"$line\"\n"
	"	[[ $line == *[[:space:]] ]] && parts+=('')\n"
	"	n=$((${#parts[@]} - 1))\n"
	"	((n > 0)) || return\n"
	"	cur=${parts[n]} prev=${parts[n-1]}\n"
	"	[[ $cur == --*=* ]] && prev=${cur%%=*} cur=${cur#*=}\n"
	"	for ((i = 1; i < n; i++)); do\n"
	"		word=${parts[i]}\n"
	"		case $word in\n"
	"		--root | --run-root) ((i++)) ;;\n"
	"		-*) ;;\n";

static const char script_walk[] = "			cmd=$word\n"
				  "			((++i < n)) && cmd+=\" ${parts[i]}\"\n"
				  "			break ;;\n"
				  "		*) cmd=$word; break ;;\n"
				  "		esac\n"
				  "	done\n"
				  "	case $cmd in\n";

/* What ketch names is not given to compgen -W, which would expand it.  A reply begins where readline's word
 * does: behind the last colon. */
static const char script_tail[] =
	"	esac\n"
	"	for ((i++; i < n; i++)); do\n"
	"		word=${parts[i]}\n"
	"		if [[ $word != -* ]]; then\n"
	"			((words++))\n"
	"		elif [[ $takes == *\" $word \"* ]]; then\n"
	"			((i++))\n"
	"		fi\n"
	"	done\n"
	"	if [[ $first == yes && $words -gt 0 ]]; then\n"
	"		kind='file'\n"
	"	elif [[ $takes == *\" $prev \"* ]]; then\n"
	"		kind=${values:-nothing}\n"
	"	elif [[ $cur == -* ]]; then\n"
	"		mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$cur\")\n"
	"		return\n"
	"	fi\n"
	"	case $kind in\n"
	"	command) mapfile -t COMPREPLY < <(compgen -W \"$commands\" -- \"$cur\") ;;\n"
	"	words:*) mapfile -t COMPREPLY < <(compgen -W \"${kind#words:}\" -- \"$cur\") ;;\n"
	"	file) mapfile -t COMPREPLY < <(compgen -f -- \"${cur##*:}\") ;;\n"
	"	places)\n"
	"		mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	"		while read -r word; do\n"
	"			[[ $word: == \"$cur\"* ]] && COMPREPLY+=(\"$word:\")\n"
	"		done < <(ketch completion instances 2>/dev/null) ;;\n"
	"	instances | images | kernels | networks | profiles | templates | volumes)\n"
	"		while read -r word; do\n"
	"			[[ $word == \"$cur\"* ]] && "
	"COMPREPLY+=(\"${word#\"${cur%\"${cur##*:}\"}\"}\")\n"
	"		done < <(ketch completion \"$kind\" 2>/dev/null) ;;\n"
	"	esac\n"
	"}\n"
	"complete -o filenames -F _ketch ketch\n";

static const char *kind_name(enum word_kind k)
{
	static const char *const names[] = {
		[WORDS_NONE] = "nothing",     [WORDS_INSTANCE] = "instances", [WORDS_IMAGE] = "images",
		[WORDS_FILE] = "file",	      [WORDS_KERNEL] = "kernels",     [WORDS_COMMAND] = "command",
		[WORDS_PLACE] = "places",     [WORDS_VOLUME] = "volumes",     [WORDS_PROFILE] = "profiles",
		[WORDS_NETWORK] = "networks", [WORDS_TEMPLATE] = "templates",
	};

	return names[k];
}

static void add_options(struct buf *out, const struct opt *opts, bool only_takes)
{
	for (const struct opt *o = opts; o->type; o++) {
		if (!opt_is_shown(o) || (only_takes && o->type == OPT_FLAG))
			continue;
		buf_addf(out, "--%s ", o->name);
		if (o->letter)
			buf_addf(out, "-%c ", o->letter);
	}
}

/* How a value of the option is completed, or NULL. */
static char *value_kind(const struct opt *o)
{
	char *s;

	if (!o->metavar)
		return NULL;
	if (!strcmp(o->metavar, "FILE") || !strcmp(o->metavar, "DIR") || !strncmp(o->metavar, "SOURCE", 6))
		return strdup("file");
	if (!strcmp(o->metavar, "VERSION"))
		return strdup("kernels");
	if (!strcmp(o->metavar, "NAME[,NAME]"))
		return strdup("profiles");
	if (o->type != OPT_CHOICE)
		return NULL;
	s = str_printf("words:%s", o->metavar);
	for (char *p = s; p && *p; p++)
		if (*p == '|')
			*p = ' ';
	return s;
}

static void add_values(struct buf *out, const struct opt *opts)
{
	buf_adds(out, "		case $prev in\n");
	for (const struct opt *o = opts; o->type; o++) {
		autofree char *kind = value_kind(o);

		if (!kind)
			continue;
		buf_addf(out, "		--%s", o->name);
		if (o->letter)
			buf_addf(out, " | -%c", o->letter);
		buf_addf(out, ") values='%s' ;;\n", kind);
	}
	buf_adds(out, "		esac ;;\n");
}

static void add_command(struct buf *out, const struct command *cmd)
{
	buf_addf(out, "	'%s'", cmd->name);
	for (const struct alias *a = aliases; a->name; a++)
		if (!strcmp(a->command, cmd->name))
			buf_addf(out, " | '%s'", a->name);
	buf_addf(out, ")\n		kind=%s first=%s options='--help ", kind_name(cmd->words),
		 cmd->grammar == OPTS_FIRST ? "yes" : "no");
	add_options(out, cmd->opts, false);
	buf_adds(out, "' takes=' ");
	add_options(out, cmd->opts, true);
	buf_adds(out, "'\n");
	add_values(out, cmd->opts);
}

/* The second words of a group. */
static void add_group(struct buf *out, const char *group)
{
	size_t n = strlen(group);

	buf_addf(out, "	%s) commands='", group);
	for (const struct section *s = sections; s->title; s++)
		for (const struct command *const *c = s->commands; *c; c++)
			if (!strncmp((*c)->name, group, n) && (*c)->name[n] == ' ')
				buf_addf(out, "%s ", (*c)->name + n + 1);
	for (const struct alias *a = aliases; a->name; a++)
		if (!strncmp(a->name, group, n) && a->name[n] == ' ')
			buf_addf(out, "%s ", a->name + n + 1);
	buf_adds(out, "' ;;\n");
}

static void add_first_words(struct buf *out)
{
	buf_adds(out, "	local commands='");
	for (const struct section *s = sections; s->title; s++)
		for (const struct command *const *c = s->commands; *c; c++)
			if (!strchr((*c)->name, ' '))
				buf_addf(out, "%s ", (*c)->name);
	for (const struct alias *a = aliases; a->name; a++)
		if (!strchr(a->name, ' '))
			buf_addf(out, "%s ", a->name);
	for (const struct group *g = groups; g->name; g++)
		if (!strchr(g->name, ' '))
			buf_addf(out, "%s ", g->name);
	buf_adds(out, "'\n");
}

void completion_add_bash(struct buf *out)
{
	buf_adds(out, script_head);
	for (const struct group *g = groups; g->name; g++)
		if (!strchr(g->name, ' ')) /* "volume snapshot" is completed as words of "volume" */
			buf_addf(out, "%s%s", g == groups ? "		" : " | ", g->name);
	buf_adds(out, ")\n");
	buf_adds(out, script_walk);
	for (const struct group *g = groups; g->name; g++)
		if (!strchr(g->name, ' '))
			add_group(out, g->name);
	for (const struct section *s = sections; s->title; s++)
		for (const struct command *const *c = s->commands; *c; c++)
			add_command(out, *c);
	buf_adds(out, "	'')\n		options='--help ");
	add_options(out, global_opts, false);
	buf_adds(out, "'\n");
	add_first_words(out);
	add_values(out, global_opts);
	buf_adds(out, script_tail);
}

/* --- names that exist */

static bool is_instance(const struct instance *in)
{
	return true;
}

static int add_names(struct cli *c, bool (*is)(const struct instance *in), struct buf *out, struct err *e)
{
	struct engine *en = cli_engine(c, e);
	struct instance *in;
	size_t n;
	int r = en ? engine_list(en, true, &in, &n, e) : -e->no;

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		if (!is(&in[i]))
			continue;
		text_add(out, in[i].spec.name);
		buf_addc(out, '\n');
	}
	instances_free(in, n);
	return 0;
}

static int add_instances(struct cli *c, struct buf *out, struct err *e)
{
	return add_names(c, is_instance, out, e);
}

static int add_templates(struct cli *c, struct buf *out, struct err *e)
{
	return add_names(c, template_is, out, e);
}

static int add_images(struct cli *c, struct buf *out, struct err *e)
{
	struct image_store *s = cli_images(c, e);
	struct image *im;
	size_t n;
	int r = s ? image_list(s, &im, &n, e) : -e->no;

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < im[i].refs.n; k++) {
			text_add(out, im[i].refs.v[k]);
			buf_addc(out, '\n');
		}
		image_done(&im[i]);
	}
	free(im);
	return 0;
}

static int add_kernels(struct cli *c, struct buf *out, struct err *e)
{
	struct kernel *k;
	size_t n;
	int r = kernel_list(cli_root(c), &k, &n, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		text_add(out, k[i].version);
		buf_addc(out, '\n');
	}
	kernels_free(k, n);
	return 0;
}

static int add_networks(struct cli *c, struct buf *out, struct err *e)
{
	struct engine *en = cli_engine(c, e);
	struct network *v;
	size_t n;
	int r = en ? network_list(en, &v, &n, e) : -e->no;

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "%s\n", v[i].name);
	networks_free(v, n);
	return 0;
}

static int add_volumes(struct cli *c, struct buf *out, struct err *e)
{
	struct engine *en = cli_engine(c, e);
	struct volume *v;
	size_t n;
	int r = en ? volume_list(en, &v, &n, e) : -e->no;

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "%s\n", v[i].name);
	volumes_free(v, n);
	return 0;
}

static int add_profiles(struct cli *c, struct buf *out, struct err *e)
{
	struct run_profile *p;
	size_t n;
	int r = run_profile_list(cli_root(c), &p, &n, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "%s\n", p[i].name);
	run_profiles_free(p, n);
	return 0;
}

static int add_script(struct cli *c, struct buf *out, struct err *e)
{
	completion_add_bash(out);
	return 0;
}

static int completion_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	static const struct {
		const char *name;
		int (*add)(struct cli *c, struct buf *out, struct err *e);
	} kinds[] = { { "bash", add_script },	      { "instances", add_instances },
		      { "images", add_images },	      { "kernels", add_kernels },
		      { "networks", add_networks },   { "profiles", add_profiles },
		      { "templates", add_templates }, { "volumes", add_volumes } };
	AUTO(buf_done) struct buf out = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strcmp(kinds[i].name, words->v[0]))
			continue;
		return kinds[i].add(c, &out, e) < 0 ? -e->no : cli_print(&out, e);
	}
	return err_set(e, EINVAL, "no completion for %s; bash is known", words->v[0]);
}

const struct command cmd_completion = {
	.name = "completion",
	.usage = "bash",
	.summary = "Print a script that completes commands in a shell",
	.text = "For the running shell: source <(ketch completion bash)",
	.opts = no_opts,
	.min_words = 1,
	.max_words = 1,
	.run = completion_run,
};
