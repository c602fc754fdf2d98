/* http.c - HTTP requests, several at a time, over libcurl */
#include "distribution/http.h"

#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "distribution/http_int.h"

#define CONNECTIONS_MAX 16
#define READ_BYTES	(256L << 10)

struct http {
	CURLM *multi;
	bool by_name; /* the machine's authorities can be looked up one by one */
	int timeout_s;
};

/* OpenSSL finds an authority in a directory by a hash of its name (HASH.0, see openssl-rehash(1)) and reads no other.  To
 * read the bundle of all was a third of the work of a pull that finds everything here. */
static bool has_hashes(const char *dir)
{
	DIR *d = dir ? opendir(dir) : NULL;
	bool found = false;
	struct dirent *de;

	while (d && !found && (de = readdir(d)))
		found = strlen(de->d_name) == 10 && !strcmp(de->d_name + 8, ".0");
	if (d)
		closedir(d);
	return found;
}

struct http *http_new(int timeout_s)
{
	struct http *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->timeout_s = timeout_s;
	h->by_name = has_hashes(curl_version_info(CURLVERSION_NOW)->capath);
	h->multi = curl_multi_init();
	if (!h->multi)
		return http_free(h);
	curl_multi_setopt(h->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)CONNECTIONS_MAX);
	curl_multi_setopt(h->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
	return h;
}

struct http *http_free(struct http *h)
{
	if (h && h->multi)
		curl_multi_cleanup(h->multi);
	free(h);
	return NULL;
}

/* --- the body of a request */

static size_t on_send(char *to, size_t size, size_t n, void *arg)
{
	struct http_call *c = arg;
	uint64_t left = c->body_bytes - c->sent;
	size_t want = left < size * n ? (size_t)left : size * n;
	ssize_t got = (ssize_t)want;

	if (c->body)
		memcpy(to, (const char *)c->body + c->sent, want);
	else if (want)
		got = pread(c->body_fd, to, want, (off_t)(c->body_offset + c->sent));
	if (got < 0 || (want && !got))
		return CURL_READFUNC_ABORT;
	c->sent += (uint64_t)got;
	return (size_t)got;
}

static int on_rewind(void *arg, curl_off_t offset, int origin)
{
	struct http_call *c = arg;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > c->body_bytes)
		return CURL_SEEKFUNC_FAIL;
	c->sent = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

/* --- the request */

static bool add_line(struct http_call *c, const char *name, const char *value)
{
	autofree char *line = str_printf("%s: %s", name, value);
	struct curl_slist *more = line ? curl_slist_append(c->list, line) : NULL;

	if (more)
		c->list = more;
	return more;
}

static bool add_lines(struct http_call *c)
{
	bool ok = true;

	if (c->authorization)
		ok = add_line(c, "Authorization", c->authorization);
	for (size_t i = 0; ok && c->accept && i < c->accept->n; i++)
		ok = add_line(c, "Accept", c->accept->v[i]);
	if (ok && (c->content_type || c->body_bytes))
		ok = add_line(c, "Content-Type",
			      c->content_type ? c->content_type : "application/octet-stream");
	if (ok && c->content_range)
		ok = add_line(c, "Content-Range", c->content_range);
	return ok && add_line(c, "Expect", "");
}

static void set_trust(CURL *x, const struct http_trust *t)
{
	struct curl_blob blob = { .flags = CURL_BLOB_COPY };

	if (t->ca) {
		blob.data = (void *)(uintptr_t)t->ca;
		blob.len = strlen(t->ca);
		curl_easy_setopt(x, CURLOPT_CAINFO_BLOB, &blob);
	}
	if (!t->cert || !t->key)
		return;
	blob.data = (void *)(uintptr_t)t->cert;
	blob.len = strlen(t->cert);
	curl_easy_setopt(x, CURLOPT_SSLCERT_BLOB, &blob);
	blob.data = (void *)(uintptr_t)t->key;
	blob.len = strlen(t->key);
	curl_easy_setopt(x, CURLOPT_SSLKEY_BLOB, &blob);
}

static void set_body(CURL *x, struct http_call *c)
{
	bool has_body = c->body_bytes || !strcmp(c->method, "POST") || !strcmp(c->method, "PUT") ||
			!strcmp(c->method, "PATCH");

	if (!strcmp(c->method, "HEAD"))
		curl_easy_setopt(x, CURLOPT_NOBODY, 1L);
	if (has_body) {
		curl_easy_setopt(x, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(x, CURLOPT_READFUNCTION, on_send);
		curl_easy_setopt(x, CURLOPT_READDATA, c);
		curl_easy_setopt(x, CURLOPT_SEEKFUNCTION, on_rewind);
		curl_easy_setopt(x, CURLOPT_SEEKDATA, c);
		curl_easy_setopt(x, CURLOPT_INFILESIZE_LARGE, (curl_off_t)c->body_bytes);
		curl_easy_setopt(x, CURLOPT_UPLOAD_BUFFERSIZE, READ_BYTES);
	}
	if (has_body || (strcmp(c->method, "GET") != 0 && strcmp(c->method, "HEAD") != 0))
		curl_easy_setopt(x, CURLOPT_CUSTOMREQUEST, c->method);
}

static void set_all(struct http *h, CURL *x, struct http_call *c)
{
	char range[32];

	curl_easy_setopt(x, CURLOPT_URL, c->url);
	curl_easy_setopt(x, CURLOPT_PRIVATE, c);
	curl_easy_setopt(x, CURLOPT_HTTPHEADER, c->list);
	curl_easy_setopt(x, CURLOPT_PROTOCOLS_STR, "https,http");
	curl_easy_setopt(x, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(x, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(x, CURLOPT_UNRESTRICTED_AUTH, 0L);
	curl_easy_setopt(x, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(x, CURLOPT_USERAGENT, "ketch/" KETCH_VERSION);
	curl_easy_setopt(x, CURLOPT_HEADERFUNCTION, http_on_header);
	curl_easy_setopt(x, CURLOPT_HEADERDATA, c);
	curl_easy_setopt(x, CURLOPT_WRITEFUNCTION, http_on_body);
	curl_easy_setopt(x, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(x, CURLOPT_BUFFERSIZE, READ_BYTES);
	curl_easy_setopt(x, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(x, CURLOPT_CONNECTTIMEOUT, (long)h->timeout_s);
	/* a byte in that time, else it is silent */
	curl_easy_setopt(x, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(x, CURLOPT_LOW_SPEED_TIME, (long)h->timeout_s);
	curl_easy_setopt(x, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)h->timeout_s);
	if (c->from || c->ranged) {
		snprintf(range, sizeof(range), "%llu-", (unsigned long long)c->from);
		curl_easy_setopt(x, CURLOPT_RANGE, range);
	}
	if (h->by_name)
		curl_easy_setopt(x, CURLOPT_CAINFO, NULL);
	if (c->trust)
		set_trust(x, c->trust);
	set_body(x, c);
}

int http_begin(struct http *h, struct http_call *c, struct err *e)
{
	CURL *x = curl_easy_init();

	c->easy = x;
	c->head.length = -1;
	if (!x || !add_lines(c))
		return err_set(e, ENOMEM, "out of memory");
	set_all(h, x, c);
	return curl_multi_add_handle(h->multi, x) == CURLM_OK ? 0
							      : err_set(e, EIO, "libcurl takes no request");
}

/* --- the end of a call */

static const char *reason(CURLcode code)
{
	return code == CURLE_PEER_FAILED_VERIFICATION ? "its certificate is not trusted"
						      : curl_easy_strerror(code);
}

/* Which failures may be otherwise the next time. */
static bool is_passing(CURLcode code)
{
	static const CURLcode passing[] = {
		CURLE_COULDNT_CONNECT, CURLE_PARTIAL_FILE, CURLE_OPERATION_TIMEDOUT,
		CURLE_GOT_NOTHING,     CURLE_SEND_ERROR,   CURLE_RECV_ERROR,
		CURLE_HTTP2,	       CURLE_HTTP2_STREAM
	};

	for (size_t i = 0; i < ARRAY_LEN(passing); i++)
		if (code == passing[i])
			return true;
	return false;
}

/* Why there is no connection; of several addresses, of the last. */
static void note_connect(struct http_call *c)
{
	long no = 0;

	curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &no);
	if (no)
		err_sys(&c->err, (int)no, "cannot connect");
	c->nobody = no == ECONNREFUSED || no == EHOSTUNREACH || no == ENETUNREACH;
}

static void finish(struct http_call *c, CURLcode code)
{
	long status = 0;

	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	c->status = (int)status;
	c->done = true;
	if (code == CURLE_OK) {
		c->again = status == 429 || status == 408 || status >= 500;
		return;
	}
	c->status = 0;
	if (!c->refused) {
		err_set(&c->err, code == CURLE_OPERATION_TIMEDOUT ? ETIMEDOUT : EIO, "%s", reason(code));
		c->again = is_passing(code);
	}
	if (code == CURLE_COULDNT_CONNECT)
		note_connect(c);
	c->no_tls = code == CURLE_SSL_CONNECT_ERROR;
}

/* An authority that is in the bundle and not in the directory: the call begins again, of which nothing was sent. */
static bool try_bundle(struct http *h, struct http_call *c, CURLcode code)
{
	if (code != CURLE_PEER_FAILED_VERIFICATION || !h->by_name || c->whole_bundle ||
	    (c->trust && c->trust->ca))
		return false;
	c->whole_bundle = true;
	curl_multi_remove_handle(h->multi, c->easy);
	curl_easy_setopt(c->easy, CURLOPT_CAINFO, curl_version_info(CURLVERSION_NOW)->cainfo);
	return curl_multi_add_handle(h->multi, c->easy) == CURLM_OK;
}

int http_work(struct http *h, int ms, struct http_call **ret, struct err *e)
{
	struct http_call *c;
	CURLcode code;
	CURLMsg *m;
	int left, running;

	*ret = NULL;
	if (curl_multi_perform(h->multi, &running) != CURLM_OK)
		return err_set(e, EIO, "libcurl does not work");
	m = curl_multi_info_read(h->multi, &left);
	if (!m && ms > 0) {
		curl_multi_poll(h->multi, NULL, 0, ms, NULL);
		curl_multi_perform(h->multi, &running);
		m = curl_multi_info_read(h->multi, &left);
	}
	if (!m || m->msg != CURLMSG_DONE)
		return 0;
	curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&c);
	code = m->data.result; /* the message goes with its handle */
	if (try_bundle(h, c, code))
		return 0;
	finish(c, code);
	*ret = c;
	return 0;
}

int http_run(struct http *h, struct http_call *c, struct err *e)
{
	struct http_call *ended = NULL;
	int r = http_begin(h, c, e);

	while (r == 0 && ended != c)
		r = http_work(h, 1000, &ended, e);
	return r;
}

void http_end(struct http *h, struct http_call *c)
{
	if (c->easy) {
		curl_multi_remove_handle(h->multi, c->easy);
		curl_easy_cleanup(c->easy);
	}
	curl_slist_free_all(c->list);
	c->easy = c->list = NULL;
	http_head_done(&c->head);
	buf_done(&c->text);
	c->status = 0;
	c->sent = 0;
	c->err = (struct err){ 0 };
	c->again = c->whole_bundle = c->nobody = c->no_tls = c->done = c->refused = false;
}
