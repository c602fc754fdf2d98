/* http_answer.c - what a server answers: its header, read strictly, and its body, to where it is wanted */
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/auto.h"
#include "base/parse.h"
#include "distribution/http_int.h"

void http_head_done(struct http_head *h)
{
	free(h->type);
	free(h->location);
	free(h->digest);
	free(h->link);
	free(h->range);
	strv_done(&h->challenges);
	*h = (struct http_head){ .length = -1 };
}

static int refuse(struct http_call *c, int no, const char *why)
{
	if (!c->refused)
		err_set(&c->err, no, "%s", why);
	c->refused = true;
	return -1;
}

/* "bytes 5-9/10" */
static int take_range(struct http_head *h, const char *value)
{
	unsigned long long from, to, total;
	char behind;

	if (sscanf(value, "bytes %llu-%llu/%llu%c", &from, &to, &total, &behind) != 3 || from > to ||
	    to >= total || total > INT64_MAX) /* scanf takes negative numbers, too */
		return -EINVAL;
	h->from = from;
	h->total = total;
	return 0;
}

/* One header: those that say twice what can be but once are refused. */
static int take_header(struct http_call *c, const char *name, const char *value)
{
	struct http_head *h = &c->head;
	struct {
		const char *name;
		char **to;
	} texts[] = { { "content-type", &h->type },
		      { "location", &h->location },
		      { "docker-content-digest", &h->digest },
		      { "link", &h->link },
		      { "range", &h->range } };
	uint64_t n;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (strcasecmp(name, texts[i].name) != 0)
			continue;
		if (*texts[i].to && strcmp(*texts[i].to, value) != 0)
			return refuse(c, EPROTO, "the answer has a header twice");
		free(*texts[i].to);
		*texts[i].to = strdup(value);
		return *texts[i].to ? 0 : refuse(c, ENOMEM, "out of memory");
	}
	if (!strcasecmp(name, "www-authenticate"))
		return strv_add(&h->challenges, value) < 0 ? refuse(c, ENOMEM, "out of memory") : 0;
	if (!strcasecmp(name, "content-range"))
		return take_range(h, value) < 0 ? refuse(c, EPROTO, "the answer has a wrong Content-Range")
						: 0;
	if (strcasecmp(name, "content-length") != 0)
		return 0;
	if (parse_u64(value, &n) < 0 || n > INT64_MAX || (h->length >= 0 && (uint64_t)h->length != n))
		return refuse(c, EPROTO, "the answer has a wrong Content-Length");
	h->length = (int64_t)n;
	return 0;
}

/* RFC 9110, 5.5: a line that is torn by a CR, or worse, may mean something else to others. */
static bool has_control(const char *value)
{
	for (; *value; value++)
		if (((unsigned char)*value < ' ' && *value != '\t') || *value == 0x7f)
			return true;
	return false;
}

size_t http_on_header(char *data, size_t size, size_t n, void *arg)
{
	struct http_call *c = arg;
	autofree char *line = strndup(data, size * n);
	char *value, *end;

	if (!line)
		return 0;
	if (!strncmp(line, "HTTP/", 5)) /* of an answer 100, maybe: what counts is the last */
		http_head_done(&c->head);
	c->head.bytes += size * n;
	if (c->head.bytes > HTTP_HEAD_MAX) {
		refuse(c, EFBIG, "the header of the answer is too long");
		return 0;
	}
	value = strchr(line, ':');
	if (!value)
		return size * n;
	*value++ = '\0';
	value += strspn(value, " \t");
	for (end = value + strlen(value); end > value && strchr(" \t\r\n", end[-1]); end--)
		end[-1] = '\0';
	if (has_control(value)) {
		refuse(c, EPROTO, "the header of the answer has a control character");
		return 0;
	}
	return take_header(c, line, value) < 0 ? 0 : size * n;
}

size_t http_on_body(char *data, size_t size, size_t n, void *arg)
{
	struct http_call *c = arg;
	long status = 0;

	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	c->status = (int)status;
	if (c->take && status >= 200 && status < 300) {
		struct err e = { 0 };

		if (c->take(c, data, n, &e) == 0)
			return n;
		refuse(c, e.no, e.msg);
		return 0;
	}
	if (c->text.len + n > HTTP_TEXT_MAX) {
		refuse(c, EFBIG, "the answer is larger than 4 MiB");
		return 0;
	}
	buf_add(&c->text, data, n);
	return buf_ok(&c->text) ? n : 0;
}
