/* url.c - as much of URLs (RFC 3986) as a registry's answers have; pure */
#include "distribution/url.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/auto.h"
#include "base/buf.h"

static bool is_clean(const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] <= ' ' || (unsigned char)s[i] >= 0x7f || s[i] == '\\' || s[i] == '"')
			return false;
	return n && n <= URL_MAX;
}

bool url_is_tls(const char *url)
{
	return !strncasecmp(url, "https://", 8);
}

/* The length of "scheme://authority"; 0: not such a URL. */
static size_t origin_length(const char *url)
{
	size_t scheme = url_is_tls(url) ? 8 : !strncasecmp(url, "http://", 7) ? 7 : 0, n;

	if (!scheme)
		return 0;
	n = strcspn(url + scheme, "/?#");
	return n && !memchr(url + scheme, '@', n) ? scheme + n : 0;
}

char *url_origin(const char *url)
{
	size_t n = is_clean(url) ? origin_length(url) : 0;
	char *s = n ? strndup(url, n) : NULL, *port;

	if (!s)
		return NULL;
	for (char *p = s; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	port = strrchr(s, ':');
	if (!strcmp(port, url_is_tls(s) ? ":443" : ":80"))
		*port = '\0';
	return s;
}

char *url_follow(const char *url, const char *location)
{
	size_t n = origin_length(url), path;

	if (!n || !is_clean(location))
		return NULL;
	if (origin_length(location))
		return strdup(location);
	if (strstr(location, "://") && strstr(location, "://") < location + strcspn(location, "/?#"))
		return NULL; /* another scheme */
	if (!strncmp(location, "//", 2))
		return str_printf("%.*s%s", url_is_tls(url) ? 6 : 5, url, location);
	if (*location == '/')
		return str_printf("%.*s%s", (int)n, url, location);
	path = strcspn(url, "?#");
	if (*location == '?')
		return str_printf("%.*s%s", (int)path, url, location);
	while (path > n && url[path - 1] != '/')
		path--;
	return str_printf("%.*s%s%s", (int)path, url, path == n ? "/" : "", location);
}

void url_add_query(struct buf *url, const char *key, const char *value)
{
	static const char hex[] = "0123456789ABCDEF";

	buf_addf(url, "%c%s=", url->data && strchr(url->data, '?') ? '&' : '?', key);
	for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
		if (isalnum(*p) || strchr("-._~:/,", *p)) {
			buf_addc(url, (char)*p);
			continue;
		}
		buf_addc(url, '%');
		buf_addc(url, hex[*p >> 4]);
		buf_addc(url, hex[*p & 15]);
	}
}
