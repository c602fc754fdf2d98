/* fuzz_challenge.c - any text as WWW-Authenticate and as Location: refused, or within the rules of URLs */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/auto.h"
#include "distribution/challenge.h"
#include "distribution/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(challenge_done) struct challenge c = { 0 };
	autofree char *text = strndup((const char *)data, size), *to = NULL, *origin = NULL;

	if (!text)
		return 0;
	if (challenge_parse(text, &c) < 0 && (c.kind != CHALLENGE_NONE || c.realm))
		abort();
	if (c.kind == CHALLENGE_BEARER && !c.realm)
		abort();
	to = url_follow("https://a.example/v2/x?q", text);
	origin = to ? url_origin(to) : NULL;
	/* whatever leads somewhere leads to a server, and by no other scheme */
	if (to && strncmp(to, "http", 4) != 0 && strncasecmp(to, "http", 4) != 0)
		abort();
	if (origin && (strpbrk(origin + 8, "/?#@") ||
		       (strncmp(origin, "https://", 8) && strncmp(origin, "http://", 7))))
		abort();
	return 0;
}
