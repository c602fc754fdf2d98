/* test_manifest.c - image configs, manifests, indexes and docker's manifest.json: what is taken, what is refused */
#include "../cm.h"

#include <errno.h>
#include <stdlib.h>

#include "base/auto.h"
#include "base/buf.h"
#include "oci/manifest.h"

#define D1		   "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2		   "sha256:2222222222222222222222222222222222222222222222222222222222222222"
#define OCI		   "application/vnd.oci.image."
#define DESC(type, digest) "{\"mediaType\":\"" type "\",\"digest\":\"" digest "\",\"size\":7}"
#define CONFIG		   DESC(OCI "config.v1+json", D1)
#define LAYER		   DESC(OCI "layer.v1.tar+gzip", D2)
#define MAN		   DESC(OCI "manifest.v1+json", D1)
#define V2		   "\"schemaVersion\":2,"

static int parse(const char *text, enum media_type type, struct manifest *m)
{
	struct err e = { 0 };
	int r = manifest_parse(text, strlen(text), type, m, &e);

	assert_true(r == 0 || *e.msg);
	return r;
}

static void a_manifest_gives_its_config_and_layers(void **state)
{
	struct manifest m;
	char text[DIGEST_TEXT];

	assert_int_equal(
		parse("{" V2 "\"config\":" CONFIG ",\"layers\":[" LAYER "," LAYER "]}", MEDIA_MANIFEST, &m),
		0);
	assert_int_equal(m.n_layers, 2);
	digest_text(&m.layers[1].id, text);
	assert_string_equal(text, D2);
	assert_int_equal(m.config.size, 7);
	manifest_done(&m);
}

static void dockers_media_types_are_the_same(void **state)
{
	struct manifest m;

	assert_int_equal(
		parse("{" V2 "\"mediaType\":\"application/"
		      "vnd.docker.distribution.manifest.v2+json\",\"config\":" DESC(
			      "application/vnd.docker.container.image.v1+json",
			      D1) ",\"layers\":[" DESC("application/vnd.docker.image.rootfs.diff.tar.gzip",
						       D2) "]}",
		      MEDIA_MANIFEST, &m),
		0);
	manifest_done(&m);
	assert_int_equal(media_type_of("application/vnd.docker.distribution.manifest.list.v2+json"),
			 MEDIA_INDEX);
	assert_int_equal(media_type_of("application/vnd.docker.distribution.manifest.v1+json"), MEDIA_NONE);
	assert_int_equal(media_type_of(NULL), MEDIA_NONE);
}

static void an_index_chooses_by_platform(void **state)
{
	struct manifest m;
	struct platform other = { .architecture = (char[]){ "s390x" }, .os = (char[]){ "linux" } };
	struct platform host = { .architecture = (char *)(uintptr_t)platform_host(),
				 .os = (char[]){ "linux" } };
	struct platform windows = { .architecture = host.architecture, .os = (char[]){ "windows" } };

	assert_int_equal(parse("{" V2 "\"manifests\":[{\"mediaType\":\"" OCI
			       "manifest.v1+json\",\"digest\":\"" D1
			       "\",\"size\":1,\"annotations\":{\"a\":\"b=c\"}}]}",
			       MEDIA_INDEX, &m),
			 0);
	assert_true(platform_fits(&m.manifests[0].platform));
	assert_string_equal(descriptor_annotation(&m.manifests[0], "a"), "b=c");
	assert_null(descriptor_annotation(&m.manifests[0], "b"));
	manifest_done(&m);
	assert_true(platform_fits(&host));
	assert_false(platform_fits(&other));
	assert_false(platform_fits(&windows));
}

static void confused_documents_are_refused(void **state)
{
	static const struct {
		enum media_type type;
		const char *text;
	} cases[] = {
		{ MEDIA_MANIFEST, "" },
		{ MEDIA_MANIFEST, "{}" },
		{ MEDIA_MANIFEST, "[]" },
		{ MEDIA_MANIFEST, "null" },
		{ MEDIA_MANIFEST, "{" V2 "\"layers\":[]}" },
		{ MEDIA_MANIFEST, "{\"config\":" CONFIG ",\"layers\":[]}" },
		{ MEDIA_MANIFEST, "{\"schemaVersion\":1,\"config\":" CONFIG ",\"layers\":[]}" },
		{ MEDIA_MANIFEST, "{\"schemaVersion\":\"2\",\"config\":" CONFIG ",\"layers\":[]}" },
		{ MEDIA_MANIFEST, "{" V2 V2 "\"config\":" CONFIG ",\"layers\":[]}" },
		{ MEDIA_MANIFEST, "{" V2 "\"config\":" CONFIG ",\"layers\":[],\"manifests\":[" MAN "]}" },
		{ MEDIA_MANIFEST,
		  "{" V2 "\"mediaType\":\"" OCI "index.v1+json\",\"config\":" CONFIG ",\"layers\":[]}" },
		{ MEDIA_MANIFEST, "{" V2 "\"mediaType\":\"\",\"config\":" CONFIG ",\"layers\":[]}" },
		{ MEDIA_MANIFEST, "{" V2 "\"config\":" LAYER ",\"layers\":[]}" },
		{ MEDIA_MANIFEST, "{" V2 "\"config\":" CONFIG ",\"layers\":[" CONFIG "]}" },
		{ MEDIA_MANIFEST, "{" V2 "\"config\":" CONFIG ",\"layers\":[" DESC("text/plain", D1) "]}" },
		{ MEDIA_MANIFEST,
		  "{" V2 "\"config\":" CONFIG ",\"layers\":[" DESC(OCI "layer.v1.tar", "md5:00") "]}" },
		{ MEDIA_MANIFEST,
		  "{" V2 "\"config\":" CONFIG ",\"layers\":[" DESC(OCI "layer.v1.tar", "") "]}" },
		{ MEDIA_MANIFEST, "{" V2 "\"config\":" CONFIG ",\"layers\":[{}]}" },
		{ MEDIA_MANIFEST, "{" V2 "\"config\":" CONFIG ",\"layers\":[null]}" },
		{ MEDIA_MANIFEST, "{" V2 "\"config\":" CONFIG ",\"layers\":{}}" },
		{ MEDIA_MANIFEST, "{" V2 "\"config\":[],\"layers\":[]}" },
		{ MEDIA_MANIFEST, "{" V2 "\"config\":{\"mediaType\":\"" OCI
				  "config.v1+json\",\"digest\":\"" D1 "\",\"size\":-1},\"layers\":[]}" },
		{ MEDIA_MANIFEST,
		  "{" V2 "\"config\":{\"mediaType\":\"" OCI "config.v1+json\",\"digest\":\"" D1
		  "\",\"size\":99999999},\"layers\":[]}" },
		{ MEDIA_MANIFEST, "{" V2 "\"config\":" CONFIG ",\"layers\":[]} x" },
		{ MEDIA_INDEX, "{}" },
		{ MEDIA_INDEX, "{" V2 "\"manifests\":[{}]}" },
		{ MEDIA_INDEX, "{" V2 "\"manifests\":[" DESC(OCI "manifest.v1+json", "x") "]}" },
		{ MEDIA_INDEX, "{" V2 "\"manifests\":[" MAN "],\"config\":" CONFIG "}" },
		{ MEDIA_INDEX, "{" V2 "\"manifests\":[" MAN "],\"layers\":[" LAYER "]}" },
		{ MEDIA_INDEX, "{" V2 "\"mediaType\":\"" OCI "manifest.v1+json\",\"manifests\":[]}" },
		{ MEDIA_CONFIG, "{" V2 "\"manifests\":[]}" },
		{ MEDIA_NONE, "{" V2 "\"manifests\":[]}" },
	};
	struct manifest m;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (parse(cases[i].text, cases[i].type, &m) == 0)
			fail_msg("accepted: %s", cases[i].text);
}

static void too_many_layers_are_refused(void **state)
{
	AUTO(buf_done) struct buf b = { 0 };
	struct manifest m;

	buf_adds(&b, "{" V2 "\"config\":" CONFIG ",\"layers\":[" LAYER);
	for (int i = 0; i < IMAGE_LAYERS_MAX; i++)
		buf_adds(&b, "," LAYER);
	buf_adds(&b, "]}");
	assert_int_equal(parse(b.data, MEDIA_MANIFEST, &m), -E2BIG);
}

static void a_config_gives_what_a_container_runs(void **state)
{
	static const char text[] =
		"{\"created\":\"2020-01-02T03:04:05Z\",\"architecture\":\"amd64\",\"os\":\"linux\","
		"\"config\":{\"User\":\"u\",\"ExposedPorts\":{\"80/tcp\":{}},\"Env\":[\"A=1\"],"
		"\"Entrypoint\":[\"/e\"],\"Cmd\":null,\"Volumes\":{\"/v\":{}},\"WorkingDir\":\"/w\","
		"\"Labels\":{\"k\":\"v\"},\"StopSignal\":\"SIGINT\",\"Unknown\":[1,{}]},"
		"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" D1 "\",\"" D2 "\",\"" D1 "\"]},"
		"\"history\":[{\"created_by\":\"x\"}]}";
	AUTO(strv_done) struct strv stack = { 0 };
	struct image_config c;
	struct err e = { 0 };

	assert_int_equal(image_config_parse(text, sizeof(text) - 1, &c, &e), 0);
	assert_string_equal(c.config.exposed_ports.v[0], "80/tcp");
	assert_string_equal(c.config.labels.v[0], "k=v");
	assert_string_equal(c.config.volumes.v[0], "/v");
	assert_int_equal(c.config.cmd.n, 0);
	assert_int_equal(c.rootfs.diff_ids.n, 3);
	assert_int_equal(image_config_stack(&c, &stack), 0);
	assert_int_equal(stack.n, 2);
	assert_string_equal(stack.v[0], D2);
	assert_string_equal(stack.v[1], D1);
	json_done(&image_config_table, &c);
}

static void bad_configs_are_refused(void **state)
{
#define ROOTFS "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}"
#define HEAD   "\"architecture\":\"amd64\",\"os\":\"linux\""
	static const char *const cases[] = {
		"",
		"{}",
		"[]",
		"{" HEAD "}",
		"{\"os\":\"linux\"," ROOTFS "}",
		"{\"architecture\":\"amd64\"," ROOTFS "}",
		"{\"architecture\":\"\",\"os\":\"linux\"," ROOTFS "}",
		"{\"architecture\":\"amd64\",\"os\":\"windows\"," ROOTFS "}",
		"{" HEAD "," ROOTFS "," ROOTFS "}",
		"{" HEAD ",\"rootfs\":{\"type\":\"magic\",\"diff_ids\":[]}}",
		"{" HEAD ",\"rootfs\":{\"diff_ids\":[]}}",
		"{" HEAD ",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"x\"]}}",
		"{" HEAD ",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[1]}}",
		"{" HEAD ",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[null]}}",
		"{" HEAD ",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":\"" D1 "\"}}",
		"{" HEAD ",\"config\":[]," ROOTFS "}",
		"{" HEAD ",\"config\":{\"Env\":\"A=1\"}," ROOTFS "}",
		"{" HEAD ",\"config\":{\"Env\":[1]}," ROOTFS "}",
		"{" HEAD ",\"config\":{\"User\":0}," ROOTFS "}",
		"{" HEAD ",\"config\":{\"Labels\":{\"a\":1}}," ROOTFS "}",
		"{" HEAD ",\"config\":{\"Labels\":[]}," ROOTFS "}",
		"{" HEAD ",\"config\":{\"User\":\"a\",\"User\":\"b\"}," ROOTFS "}",
		"{" HEAD ",\"config\":{\"User\":\"a\\u0000b\"}," ROOTFS "}",
		"{" HEAD "," ROOTFS "}}",
	};
	struct image_config c;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (image_config_parse(cases[i], strlen(cases[i]), &c, &e) == 0)
			fail_msg("accepted: %s", cases[i]);
}

static void docker_manifests_are_lists_of_images(void **state)
{
	static const char text[] =
		"[{\"Config\":\"c.json\",\"RepoTags\":null,\"Layers\":[\"a/layer.tar\"],\"Parent\":\"\"},"
		"{\"Config\":\"d.json\",\"RepoTags\":[\"x:1\",\"y:2\"],\"Layers\":[]}]";
	static const char *const refused[] = {
		"",
		"{}",
		"[]",
		"[1]",
		"[[]]",
		"[null]",
		"[{}]",
		"[{\"Config\":\"\"}]",
		"[{\"Config\":1}]",
		"[{}",
		"[{\"Config\":\"a\",\"Layers\":\"b\"}]",
		"[{\"Config\":\"a\",\"Layers\":[[]]}]",
		"[{\"Config\":\"a\",\"Config\":\"a\"}]",
		"[{\"Config\":\"a\"}] []",
	};
	struct docker_image *images;
	size_t n;
	struct err e;

	assert_int_equal(docker_manifest_parse(text, sizeof(text) - 1, &images, &n, &e), 0);
	assert_int_equal(n, 2);
	assert_int_equal(images[0].repo_tags.n, 0);
	assert_string_equal(images[1].repo_tags.v[1], "y:2");
	docker_images_free(images, n);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if (docker_manifest_parse(refused[i], strlen(refused[i]), &images, &n, &e) == 0)
			fail_msg("accepted: %s", refused[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_manifest_gives_its_config_and_layers),
		cmocka_unit_test(dockers_media_types_are_the_same),
		cmocka_unit_test(an_index_chooses_by_platform),
		cmocka_unit_test(confused_documents_are_refused),
		cmocka_unit_test(too_many_layers_are_refused),
		cmocka_unit_test(a_config_gives_what_a_container_runs),
		cmocka_unit_test(bad_configs_are_refused),
		cmocka_unit_test(docker_manifests_are_lists_of_images),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
