/* url.h - as much of URLs (RFC 3986) as a registry's answers have; pure */
#ifndef DISTRIBUTION_URL_H
#define DISTRIBUTION_URL_H

#include <stdbool.h>

#define URL_MAX 8192 /* signed URLs of stores are long */

/* "https://host[:port]", lower case, without the usual port; owned.  NULL: neither http nor https, a user in it, a
 * character that no URL has, or too long. */
char *url_origin(const char *url);
bool url_is_tls(const char *url);
/* Where `location` of an answer to `url` leads; owned, NULL: nowhere. */
char *url_follow(const char *url, const char *location);
/* Appends "&key=value" (or "?key=value"), the value encoded. */
struct buf;
void url_add_query(struct buf *url, const char *key, const char *value);

#endif
