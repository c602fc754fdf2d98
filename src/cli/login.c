/* login.c - ketch login, logout: credentials for registries */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/log.h"
#include "cli/commands.h"
#include "image/push.h"
#include "registry/auth.h"

#define HUB	   "docker.io"
#define SECRET_MAX 65536

struct login_args {
	char *user, *password, *auth_file, *cert_dir;
	bool password_stdin;
	int timeout_s;
};

static const struct opt login_opts[] = {
	OPT(STR, 0, "authfile", struct login_args, auth_file, "FILE", "Keep credentials in this file"),
	OPT(STR, 0, "cert-dir", struct login_args, cert_dir, "DIR", "In place of /etc/containers/certs.d"),
	OPT(STR, 'p', "password", struct login_args, password, "PASSWORD",
	    "Password, which others can see: better by stdin"),
	OPT(FLAG, 0, "password-stdin", struct login_args, password_stdin, NULL,
	    "Read the password from stdin"),
	OPT(SECONDS, 0, "timeout", struct login_args, timeout_s, "SECONDS",
	    "Give up on a server that is silent for so long; 30"),
	OPT(STR, 'u', "username", struct login_args, user, "NAME", "User name"),
	OPT_REFUSE(0, "tls-verify",
		   "servers are verified, always; registries.conf says which may speak plain HTTP"),
	{ 0 },
};

/* "https://index.docker.io/v1/", as Docker's users type it, is docker.io. */
static char *server_of(const struct strv *words)
{
	const char *s = words->n ? words->v[0] : HUB;

	if (!strncmp(s, "https://", 8))
		s += 8;
	if (!strncmp(s, "index.docker.io", 15))
		s = HUB;
	return strndup(s, s[strlen(s) ? strlen(s) - 1 : 0] == '/' ? strlen(s) - 1 : strlen(s));
}

/* --- words from a person */

/* A line from the terminal; hidden: without showing it. */
static int ask(const char *prompt, bool hidden, char **ret, struct err *e)
{
	AUTO(buf_done) struct buf line = { 0 };
	struct termios before, quiet;
	bool changed = hidden && tcgetattr(STDIN_FILENO, &before) == 0;
	char c;

	fputs(prompt, stderr);
	fflush(stderr);
	if (changed) {
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	while (line.len < SECRET_MAX && read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
		buf_addc(&line, c);
	if (changed) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fputc('\n', stderr);
	}
	*ret = buf_take(&line);
	return *ret ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int read_password(char **ret, struct err *e)
{
	AUTO(buf_done) struct buf text = { 0 };
	int r = read_to_end(STDIN_FILENO, SECRET_MAX, &text);

	if (r < 0)
		return err_sys(e, -r, "read the password");
	while (text.len && strchr("\r\n", text.data[text.len - 1]))
		text.data[--text.len] = '\0';
	*ret = buf_take(&text);
	return *ret ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int take_words(struct login_args *a, struct err *e)
{
	bool terminal = isatty(STDIN_FILENO);
	int r = 0;

	if (a->password_stdin && a->password)
		return err_set(e, EINVAL, "--password and --password-stdin are mutually exclusive");
	if (a->password_stdin && !a->user)
		return err_set(e, EINVAL, "Must provide --username with --password-stdin");
	if (a->password)
		log_warn("Using --password via the CLI is insecure. Use --password-stdin.");
	if (!a->user && !terminal)
		return err_set(e, ENOTTY, "Cannot perform an interactive login from a non TTY device");
	if (!a->user)
		r = ask("Username: ", false, &a->user, e);
	if (r == 0 && a->password_stdin)
		r = read_password(&a->password, e);
	else if (r == 0 && !a->password && !terminal)
		r = err_set(e, ENOTTY, "Cannot perform an interactive login from a non TTY device");
	else if (r == 0 && !a->password)
		r = ask("Password: ", true, &a->password, e);
	if (r == 0 && (!*a->user || !*a->password))
		r = err_set(e, EINVAL, "a user name and a password are needed");
	if (r == 0 && strchr(a->user, ':'))
		r = err_set(e, EINVAL, "a user name has no \":\"");
	return r;
}

/* --- login */

static void put_credentials(struct registry_endpoint *ep, const struct login_args *a)
{
	credentials_done(&(struct credentials){ ep->user, ep->password, ep->identity_token });
	ep->user = strdup(a->user);
	ep->password = strdup(a->password);
	ep->identity_token = NULL;
}

static int login_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(registry_endpoint_done) struct registry_endpoint ep = { 0 };
	AUTO(buf_done) struct buf out = { 0 };
	autofree char *server = server_of(words), *token = NULL, *where = NULL;
	struct login_args *a = args;
	const struct registry_files files = { .auth = a->auth_file, .cert_dir = a->cert_dir };
	struct credentials keep;
	int r = server ? registry_resolve_server(&files, server, &ep, e)
		       : err_set(e, ENOMEM, "out of memory");

	if (r == 0)
		r = take_words(a, e);
	if (r < 0)
		return r;
	put_credentials(&ep, a);
	r = ep.user && ep.password ? image_login(&ep, a->timeout_s, &token, e)
				   : err_set(e, ENOMEM, "out of memory");
	keep = (struct credentials){ a->user, a->password, token };
	if (r == 0)
		r = auth_keep(a->auth_file, server, &keep, &where, e);
	if (r < 0)
		return r;
	if (where && *where == '/')
		log_warn("the password is kept in %s, readable by you; a credential helper would encrypt it",
			 where);
	buf_adds(&out, "Login Succeeded\n");
	return cli_print(&out, e);
}

const struct command cmd_login = {
	.name = "login",
	.usage = "[SERVER]",
	.summary = "Log in to a registry",
	.text = "The server is asked whether it takes them; then user name and password are kept in "
		"~/.docker/config.json or with the credential helper that it names.  $REGISTRY_AUTH_FILE "
		"and --authfile name another file.  They are sent to that server and the token server "
		"that it names, to no other.",
	.opts = login_opts,
	.args_size = sizeof(struct login_args),
	.max_words = 1,
	.run = login_run,
};

/* --- logout */

struct logout_args {
	char *auth_file;
	bool all;
};

static const struct opt logout_opts[] = {
	OPT(FLAG, 'a', "all", struct logout_args, all, NULL, "Forget every registry"),
	OPT(STR, 0, "authfile", struct logout_args, auth_file, "FILE", "Credentials are in this file"),
	{ 0 },
};

static int logout_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(buf_done) struct buf out = { 0 };
	autofree char *server = server_of(words);
	const struct logout_args *a = args;
	bool found = false;
	int r;

	if (!server)
		return err_set(e, ENOMEM, "out of memory");
	if (a->all && words->n)
		return err_set(e, EINVAL, "--all and a server exclude each other");
	r = auth_forget(a->auth_file, a->all ? NULL : server, &found, e);
	if (r < 0)
		return r;
	if (!found)
		buf_addf(&out, "Not logged in to %s\n", a->all ? "any registry" : server);
	else
		buf_addf(&out, "Removing login credentials for %s\n", a->all ? "all registries" : server);
	return cli_print(&out, e);
}

const struct command cmd_logout = {
	.name = "logout",
	.usage = "[SERVER]",
	.summary = "Log out from a registry",
	.opts = logout_opts,
	.args_size = sizeof(struct logout_args),
	.max_words = 1,
	.run = logout_run,
};
