/* stanzas.c - databases that are text, a paragraph each package: dpkg's, apk's, and METADATA of Python */
#include <errno.h>
#include <string.h>

#include "packages/lines.h"
#include "packages/parsers.h"

struct stanza {
	struct package_word name, version, arch, status;
};

static int end_stanza(struct stanza *s, struct package_file *f, struct err *e)
{
	/* deb(5): "want flag status"; where there is no status, in status.d, all are installed */
	bool is_installed = !s->status.n || (s->status.n > 10 &&
					     !memcmp(s->status.text + s->status.n - 10, " installed", 10));
	int r = 0;

	if (s->name.n && is_installed)
		r = package_add(f, s->name, s->version, s->arch, e);
	*s = (struct stanza){ 0 };
	return r;
}

int dpkg_parse(char *data, size_t n, struct package_file *f, struct err *e)
{
	struct lines l = { data, data + n };
	struct stanza s = { 0 };
	struct package_word line;
	int r = 0;

	while (r == 0 && lines_next(&l, &line)) {
		if (!line.n)
			r = end_stanza(&s, f, e);
		else if (!line_value(line, "Package:", &s.name) &&
			 !line_value(line, "Version:", &s.version) &&
			 !line_value(line, "Architecture:", &s.arch))
			line_value(line, "Status:", &s.status);
	}
	return r < 0 ? r : end_stanza(&s, f, e);
}

int apk_parse(char *data, size_t n, struct package_file *f, struct err *e)
{
	struct lines l = { data, data + n };
	struct stanza s = { 0 };
	struct package_word line;
	int r = 0;

	while (r == 0 && lines_next(&l, &line)) {
		if (!line.n)
			r = end_stanza(&s, f, e);
		else if (!line_value(line, "P:", &s.name) && !line_value(line, "V:", &s.version))
			line_value(line, "A:", &s.arch);
	}
	return r < 0 ? r : end_stanza(&s, f, e);
}

/* The head alone: behind the first empty line is the description. */
int python_parse(char *data, size_t n, struct package_file *f, struct err *e)
{
	struct lines l = { data, data + n };
	struct stanza s = { 0 };
	struct package_word line;

	while (lines_next(&l, &line) && line.n)
		if (!s.name.n || !s.version.n)
			if (!line_value(line, "Name:", &s.name))
				line_value(line, "Version:", &s.version);
	return s.name.n ? end_stanza(&s, f, e) : err_set(e, EINVAL, "it names no package");
}
