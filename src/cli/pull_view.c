/* pull_view.c - what a user sees of a pull or a push: lines in Docker's words, a bar on a terminal, or JSON
 *
 * The bar is one line for all layers: it has room for an image of 127 as for one.
 */
#include "cli/pull_view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/json.h"
#include "cli/text.h"
#include "oci/reference.h"

#define BAR_WIDTH 40
#define CLEAR	  "\r\033[K"

static const char *const words[] = {
	[BLOB_NONE] = "",	    [BLOB_EXISTS] = "Already exists",
	[BLOB_WAITS] = "Waiting",   [BLOB_MOVES] = "Downloading",
	[BLOB_RETRY] = "Retrying",  [BLOB_DONE] = "Download complete",
	[BLOB_MOUNTED] = "Mounted",
};

static const char *const push_words[] = {
	[BLOB_NONE] = "",
	[BLOB_EXISTS] = "Layer already exists",
	[BLOB_WAITS] = "Waiting",
	[BLOB_MOVES] = "Pushing",
	[BLOB_RETRY] = "Retrying",
	[BLOB_DONE] = "Pushed",
	[BLOB_MOUNTED] = "Mounted from another repository",
};

void pull_view_init(struct pull_view *v, FILE *out, const char *mode, bool quiet)
{
	bool json = mode && !strcmp(mode, "json");

	*v = (struct pull_view){
		.out = out,
		.json = json,
		.quiet = quiet,
		.bar = !json && !(mode && !strcmp(mode, "plain")) && isatty(fileno(out)),
	};
}

void pull_view_done(struct pull_view *v)
{
	if (v->drawn)
		fputs(CLEAR, v->out);
	fflush(v->out);
	free(take_ptr(v->intro));
	free(v->blobs);
	v->blobs = NULL;
	v->n_blobs = 0;
	v->drawn = false;
}

/* --- JSON, as Docker's interface streams it */

struct detail {
	uint64_t current, total;
};

struct json_line {
	char *status, *id;
	bool has_detail;
	struct detail detail;
};

static const struct jfield detail_fields[] = {
	J(J_U64, struct detail, current),
	J(J_U64, struct detail, total),
	{ 0 },
};
static const struct jtable detail_table = { sizeof(struct detail), detail_fields };
static const struct jfield line_fields[] = {
	J(J_STR, struct json_line, status),
	J(J_STR, struct json_line, id),
	JH(struct json_line, detail, has_detail, "progressDetail", &detail_table),
	{ 0 },
};
static const struct jtable line_table = { sizeof(struct json_line), line_fields };

static void say_json(struct pull_view *v, const char *status, const struct seen_blob *b)
{
	AUTO(buf_done) struct buf out = { 0 };
	/* borrowed: only printed */
	const struct json_line line = { .status = (char *)(uintptr_t)status,
					.id = b ? (char *)(uintptr_t)b->id : NULL,
					.has_detail = b && b->bytes,
					.detail = { b ? b->at : 0, b ? b->bytes : 0 } };

	if (json_print(&line_table, &line, 0, &out) == 0 && buf_ok(&out))
		fprintf(v->out, "%s\n", out.data);
	fflush(v->out);
}

/* --- lines */

static void say(struct pull_view *v, const struct seen_blob *b, const char *text)
{
	autofree char *intro = take_ptr(v->intro);
	AUTO(buf_done) struct buf line = { 0 };

	if (intro)
		say(v, NULL, intro);
	if (v->json) {
		say_json(v, text, b);
		return;
	}
	if (v->drawn)
		buf_adds(&line, CLEAR);
	v->drawn = false;
	if (b)
		buf_addf(&line, "%s: ", b->id);
	text_add(&line, text);
	if (!v->quiet && buf_ok(&line))
		fprintf(v->out, "%s\n", line.data);
	fflush(v->out);
}

static void draw(struct pull_view *v)
{
	static const char full[] = "########################################",
			  empty[] = "                                        ";
	AUTO(buf_done) struct buf sizes = { 0 };
	uint64_t at = 0, bytes = 0;
	size_t done = 0;
	int width;

	for (size_t i = 0; i < v->n_blobs; i++) {
		at += v->blobs[i].at;
		bytes += v->blobs[i].bytes;
		done += v->blobs[i].state != BLOB_MOVES && v->blobs[i].state != BLOB_WAITS &&
			v->blobs[i].state != BLOB_RETRY;
	}
	if (!v->bar || v->quiet || !bytes)
		return;
	width = at < bytes ? (int)((double)at * BAR_WIDTH / (double)bytes) : BAR_WIDTH;
	text_add_size(&sizes, at);
	buf_addc(&sizes, '/');
	text_add_size(&sizes, bytes);
	fprintf(v->out, CLEAR "[%.*s%.*s] %s, %zu of %zu layers", width, full, BAR_WIDTH - width, empty,
		buf_ok(&sizes) ? sizes.data : "", done, v->n_blobs);
	fflush(v->out);
	v->drawn = true;
}

/* --- events */

/* The short id of a digest, if it is one. */
static bool short_id(const char *digest, char ret[13])
{
	struct digest d;
	char hex[DIGEST_HEX];

	if (!digest || digest_parse(digest, &d) < 0)
		return false;
	digest_hex(&d, hex);
	memcpy(ret, hex, 12);
	ret[12] = '\0';
	return true;
}

static struct seen_blob *find(struct pull_view *v, const char *id)
{
	struct seen_blob *more;

	for (size_t i = 0; i < v->n_blobs; i++)
		if (!strcmp(v->blobs[i].id, id))
			return &v->blobs[i];
	more = reallocarray(v->blobs, v->n_blobs + 1, sizeof(*more));
	if (!more)
		return NULL;
	v->blobs = more;
	more[v->n_blobs] = (struct seen_blob){ 0 };
	memcpy(more[v->n_blobs].id, id, sizeof(more->id));
	return &more[v->n_blobs++];
}

static void take_blob(struct pull_view *v, const struct pull_event *ev)
{
	struct seen_blob *b;
	const char *word;
	char id[13];
	int before;

	if (!short_id(ev->digest, id) || ev->state <= BLOB_NONE || ev->state > BLOB_MOUNTED)
		return;
	b = find(v, id);
	if (!b)
		return;
	before = b->state;
	word = (v->push ? push_words : words)[ev->state];
	b->state = ev->state;
	b->at = ev->state == BLOB_EXISTS ? 0 : ev->at;
	b->bytes = ev->state == BLOB_EXISTS ? 0 : ev->bytes;
	if (before == BLOB_NONE && ev->state == BLOB_MOVES && !v->bar)
		say(v, b, v->push ? "Preparing" : "Pulling fs layer");
	else if (before != b->state && ev->state != BLOB_MOVES)
		say(v, b, word);
	else if (v->json)
		say(v, b, word);
	draw(v);
}

/* Is anything still on its way? */
static bool is_moving(const struct pull_view *v)
{
	for (size_t i = 0; i < v->n_blobs; i++)
		if (v->blobs[i].state == BLOB_MOVES || v->blobs[i].state == BLOB_WAITS ||
		    v->blobs[i].state == BLOB_RETRY)
			return true;
	return false;
}

static void begin(struct pull_view *v, const struct pull_event *ev)
{
	autofree char *whole = reference_whole_name(ev->text);
	const char *path = whole ? strchr(whole, '/') : NULL;

	v->n_blobs = 0;
	if (!v->intro) /* run has its own */
		v->intro = str_printf("%s: Pulling from %s", ev->tag, path ? path + 1 : ev->text);
}

static void end(struct pull_view *v, const struct pull_event *ev)
{
	autofree char *digest = str_printf("Digest: %s", ev->digest);
	autofree char *status =
		str_printf("Status: %s %s",
			   ev->fresh ? "Downloaded newer image for" : "Image is up to date for", ev->text);

	for (size_t i = 0; i < v->n_blobs; i++)
		if (v->blobs[i].state == BLOB_DONE)
			say(v, &v->blobs[i], "Pull complete");
	if (digest && status) {
		say(v, NULL, digest);
		say(v, NULL, status);
	}
}

void pull_view_tell(void *arg, const struct pull_event *ev)
{
	struct pull_view *v = arg;
	autofree char *said = NULL;

	switch (ev->kind) {
	case PULL_BEGINS:
		begin(v, ev);
		break;
	case PULL_BLOB:
		take_blob(v, ev);
		break;
	case PULL_UNPACK:
		if (v->bar && !v->quiet && *ev->text && !v->json && !is_moving(v)) {
			fprintf(v->out, CLEAR "Unpacking: %.60s", ev->text);
			fflush(v->out);
			v->drawn = true;
		}
		break;
	case PULL_NOTE:
		say(v, NULL, ev->text);
		break;
	case PUSH_BEGINS:
		v->push = true;
		v->intro = str_printf("The push refers to repository [%s]", ev->text);
		break;
	case PUSH_DONE:
		said = str_printf("%s: digest: %s size: %llu", ev->tag, ev->digest,
				  (unsigned long long)ev->bytes);
		break;
	case PULL_DONE:
		end(v, ev);
		break;
	}
	if (said)
		say(v, NULL, said);
}
