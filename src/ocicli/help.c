/* help.c - the table of verbs as text */
#include <stdio.h>

#include "ocicli/ocicli.h"

static void add_options(struct buf *out, const struct opt *opts)
{
	for (const struct opt *o = opts; o->type; o++) {
		char name[80], letter[8] = "    ";

		if (o->letter)
			snprintf(letter, sizeof(letter), "-%c, ", o->letter);
		snprintf(name, sizeof(name), "--%s%s%s", o->name, o->metavar ? " " : "",
			 o->metavar ? o->metavar : "");
		buf_addf(out, "  %s%-38s  %s\n", letter, name, o->help);
	}
}

void help_add_all(struct buf *out)
{
	buf_adds(out, "Usage: ketch-oci [OPTIONS] COMMAND [ARG...]\n\n"
		      "Runs containers as the OCI runtime-spec describes them, with runc's command "
		      "line.\n\nCommands:\n");
	for (size_t i = 0; verbs[i]; i++)
		buf_addf(out, "  %-12s %s\n", verbs[i]->name, verbs[i]->summary);
	buf_adds(out, "\nOptions:\n");
	add_options(out, oci_global_opts);
}

void help_add_verb(struct buf *out, const struct verb *v)
{
	buf_addf(out, "Usage: ketch-oci %s%s %s\n\n%s.\n", v->name, v->opts->type ? " [OPTIONS]" : "",
		 v->usage, v->summary);
	if (v->opts->type)
		buf_adds(out, "\nOptions:\n");
	add_options(out, v->opts);
}
