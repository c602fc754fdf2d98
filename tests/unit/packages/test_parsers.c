/* test_parsers.c - what databases of package managers and lock files tell: each kind, and what is none of it */
#include "../cm.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "packages/parsers.h"

/* As "name version arch", a line each; then what went wrong. */
static char *parse(const char *path, const char *text, size_t n)
{
	const struct package_source *source = package_source_of(path);
	struct package_file f = { 0 };
	struct err e = { 0 };
	struct buf out = { 0 };
	char *data = test_malloc(n + 1);
	int r;

	assert_non_null(source);
	memcpy(data, text, n);
	r = source->parse(data, n, &f, &e);
	for (size_t i = 0; i < f.n; i++)
		buf_addf(&out, "%s %s %s\n", f.packages[i].name, f.packages[i].version,
			 f.packages[i].arch ? f.packages[i].arch : "-");
	if (f.n_bad)
		buf_addf(&out, "bad: %zu\n", f.n_bad);
	if (r < 0)
		buf_addf(&out, "error: %s\n", e.msg);
	package_file_done(&f);
	test_free(data);
	return buf_take(&out);
}

static void check(const char *path, const char *text, size_t n, const char *want)
{
	char *is = parse(path, text, n);

	assert_string_equal(is, want);
	free(is);
}

static void files_are_known_by_path_or_name(void **state)
{
	static const struct {
		const char *path, *type;
	} cases[] = {
		{ "var/lib/dpkg/status", "deb" },
		{ "srv/chroot/var/lib/dpkg/status", NULL },
		{ "var/lib/dpkg/status.d/base", "deb" },
		{ "var/lib/dpkg/status.d/base.md5sums", NULL },
		{ "var/lib/dpkg/status.d/x/base", NULL },
		{ "lib/apk/db/installed", "apk" },
		{ "usr/lib/apk/db/installed", "apk" },
		{ "usr/lib/sysimage/rpm/rpmdb.sqlite", "rpm" },
		{ "var/lib/rpm/Packages", "rpm" },
		{ "package-lock.json", "npm" },
		{ "srv/app/package-lock.json", "npm" },
		{ "srv/app/node_modules/x/package-lock.json", NULL },
		{ "my-package-lock.json", NULL },
		{ "usr/lib/python3/dist-packages/six-1.16.0.egg-info/PKG-INFO", "pypi" },
		{ "opt/venv/lib/python3.11/site-packages/six-1.16.0.dist-info/METADATA", "pypi" },
		{ "METADATA", NULL },
		{ "a/Cargo.lock", "cargo" },
		{ "a/go.sum", "golang" },
		{ "a/Gemfile.lock", "gem" },
		{ "app/yarn.lock", "npm" },
		{ "app/pnpm-lock.yaml", "npm" },
		{ "a/composer.lock", "composer" },
		{ "", NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct package_source *s = package_source_of(cases[i].path);

		if (!s != !cases[i].type || (s && strcmp(s->type, cases[i].type) != 0))
			fail_msg("%s is %s", cases[i].path, s ? s->type : "nothing");
	}
}

static void every_kind_of_text_tells_its_packages(void **state)
{
	static const struct {
		const char *path, *text, *want;
	} cases[] = {
		{ "var/lib/dpkg/status",
		  "Package: base-files\nEssential: yes\nStatus: install ok installed\nMaintainer: M <m@x>\n"
		  "Architecture: amd64\nVersion: 12.4+deb12u5\nConffiles:\n /etc/debian_version 1\n Version: "
		  "9\n"
		  "Description: base\n Package: none\n .\n more\n\n"
		  "Package: gone\nStatus: deinstall ok config-files\nArchitecture: all\nVersion: 1:2.0-1\n\n"
		  "Package: half\nStatus: install ok half-installed\nArchitecture: all\nVersion: 3\n\n"
		  "Package: never\nStatus: unknown ok not-installed\n\n"
		  "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2.15-2+b2\n",
		  "base-files 12.4+deb12u5 amd64\nbash 5.2.15-2+b2 amd64\n" },
		{ "var/lib/dpkg/status.d/tzdata",
		  "Package: tzdata\nVersion: 2024a-0+deb12u1\nArchitecture: all\n",
		  "tzdata 2024a-0+deb12u1 all\n" },
		{ "var/lib/dpkg/status",
		  "Package: a\nStatus: install ok installed\nVersion: \303\274\n\n"
		  "Package: b\nStatus: install ok installed\nVersion: 2\n\n"
		  "Package: c\nStatus: install ok installed\n",
		  "b 2 -\nbad: 2\n" },
		{ "lib/apk/db/installed",
		  "C:Q1hash=\nP:musl\nV:1.2.4-r2\nA:x86_64\nS:407278\nT:the musl c "
		  "library\np:so:libc.musl.so.1=1\n"
		  "F:lib\nR:ld-musl-x86_64.so.1\na:0:0:755\nZ:Q1x=\n\n"
		  "C:Q1x=\nP:busybox\nV:1.36.1-r5\nA:x86_64\n\n",
		  "musl 1.2.4-r2 x86_64\nbusybox 1.36.1-r5 x86_64\n" },
		{ "x/six-1.16.0.dist-info/METADATA",
		  "Metadata-Version: 2.1\r\nName: six\r\nVersion: 1.16.0\r\nSummary: S\r\n\r\nVersion: "
		  "2\r\nName: other\r\n",
		  "six 1.16.0 -\n" },
		{ "x/six-1.16.0.dist-info/METADATA", "\nName: six\n", "error: it names no package\n" },
		{ "package-lock.json",
		  "{\"name\":\"app\",\"version\":\"1.0.0\",\"lockfileVersion\":3,\"requires\":true,"
		  "\"packages\":{"
		  "\"\":{\"name\":\"app\",\"version\":\"1.0.0\",\"dependencies\":{\"ms\":\"^2\"}},"
		  "\"node_modules/ms\":{\"version\":\"2.1.3\",\"resolved\":\"https://r/"
		  "ms.tgz\",\"license\":\"MIT\"},"
		  "\"node_modules/@s/x\":{\"version\":\"0.1.0\",\"dev\":true},"
		  "\"node_modules/a/node_modules/ms\":{\"version\":\"2.0.0\"},"
		  "\"node_modules/alias\":{\"name\":\"real\",\"version\":\"4.0.0\"},"
		  "\"node_modules/part\":{\"resolved\":\"part\",\"link\":true},"
		  "\"part\":{\"version\":\"9.0.0\"}}}",
		  "ms 2.1.3 -\n@s/x 0.1.0 -\nms 2.0.0 -\nreal 4.0.0 -\n" },
		{ "package-lock.json",
		  "{\"name\":\"app\",\"version\":\"1.0.0\",\"lockfileVersion\":1,\"requires\":true,"
		  "\"dependencies\":{"
		  "\"ms\":{\"version\":\"2.1.3\",\"resolved\":\"https://r/"
		  "ms.tgz\",\"integrity\":\"sha512-x\"},"
		  "\"@s/x\":{\"version\":\"0.1.0\",\"dev\":true,\"requires\":{\"ms\":\"^2.0.0\"},"
		  "\"dependencies\":{\"ms\":{\"version\":\"2.0.0\",\"bundled\":true,"
		  "\"dependencies\":{\"deep\":{\"version\":\"3.0.0-rc.1\"}}}}},"
		  "\"alias\":{\"version\":\"npm:@s/real@4.0.0\"},"
		  "\"odd\":{\"version\":\"npm:@s\"},"
		  "\"none\":{\"bundled\":true},"
		  "\"own\":{\"version\":\"git+https://g/own.git#0123456\"},"
		  "\"part\":{\"version\":\"file:../part\"}}}",
		  "ms 2.1.3 -\n@s/x 0.1.0 -\nms 2.0.0 -\ndeep 3.0.0-rc.1 -\n@s/real 4.0.0 -\n" },
		{ "package-lock.json", "{\"dependencies\":{\"ms\":{\"version\":\"2.1.3\"}}}",
		  "ms 2.1.3 -\n" },
		{ "package-lock.json", /* both forms in one: each package once */
		  "{\"lockfileVersion\":2,\"packages\":{\"node_modules/ms\":{\"version\":\"2.1.3\"}},"
		  "\"dependencies\":{\"ms\":{\"version\":\"2.1.3\"}}}",
		  "ms 2.1.3 -\n" },
		{ "package-lock.json", "{\"dependencies\":{\"ms\":{\"dependencies\":{\"x\":\"^1\"}}}}",
		  "error: dependencies.ms.dependencies.x: wrong type, an object is wanted\n" },
		{ "Pipfile.lock",
		  "{\"_meta\":{\"hash\":{\"sha256\":\"x\"}},\"default\":{\"click\":{\"hashes\":[\"sha256:x\"]"
		  ","
		  "\"version\":\"==8.1.7\"},\"own\":{\"git\":\"https://g\",\"ref\":\"1\"}},"
		  "\"develop\":{\"pytest\":{\"version\":\"==8.0.0\"}}}",
		  "click 8.1.7 -\npytest 8.0.0 -\n" },
		{ "composer.lock",
		  "{\"packages\":[{\"name\":\"psr/"
		  "log\",\"version\":\"3.0.0\",\"require\":{\"php\":\">=8\"}}],"
		  "\"packages-dev\":[{\"name\":\"a/b\",\"version\":\"v1.2\"}]}",
		  "psr/log 3.0.0 -\na/b v1.2 -\n" },
		{ "Cargo.lock",
		  "# generated\nversion = 3\n\n[[package]]\nname = \"libc\"\nversion = \"0.2.153\"\nsource = "
		  "\"registry\"\n"
		  "checksum = \"x\"\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n "
		  "\"libc\",\n]\n\n"
		  "[metadata]\nname = \"none\"\nversion = \"0\"\n",
		  "libc 0.2.153 -\napp 0.1.0 -\n" },
		{ "poetry.lock",
		  "[[package]]\nname = \"idna\"\nversion = \"3.6\"\ndescription = \"version = 9\"\nfiles = "
		  "[\n"
		  "    {file = \"idna.whl\", hash = \"sha256:x\"},\n]\n\n[package.extras]\nname = "
		  "\"x\"\nversion = \"1\"\n",
		  "idna 3.6 -\n" },
		{ "go.sum",
		  "golang.org/x/sys v0.17.0 h1:x=\ngolang.org/x/sys v0.17.0/go.mod h1:y=\n"
		  "golang.org/x/old v0.1.0/go.mod h1:z=\ngopkg.in/yaml.v3 v3.0.1 h1:w=\n",
		  "golang.org/x/sys v0.17.0 -\ngopkg.in/yaml.v3 v3.0.1 -\n" },
		{ "requirements.txt",
		  "# all\nflask==2.0\nrequests[socks] == 2.31.0 ; python_version > "
		  "\"3\"\nDjango>=4\nx==1.*\n-r other.txt\n"
		  "attrs===23.2.0 \\\n    --hash=sha256:x\n",
		  "flask 2.0 -\nrequests 2.31.0 -\nattrs 23.2.0 -\n" },
		{ "Gemfile.lock",
		  "GEM\n  remote: https://rubygems.org/\n  specs:\n    rack (3.0.9)\n    rails (7.1.3)\n     "
		  " rack (>= 2.2)\n"
		  "    nokogiri (1.16.2-x86_64-linux)\n\nPLATFORMS\n  x86_64-linux\n\nDEPENDENCIES\n  rails "
		  "(~> 7)\n"
		  "    none (1)\n",
		  "rack 3.0.9 -\nrails 7.1.3 -\nnokogiri 1.16.2-x86_64-linux -\n" },
		{ "yarn.lock",
		  "# yarn lockfile v1\n"
		  "\n"
		  "\n"
		  "\"@babel/core@^7.0.0\", \"@babel/core@^7.12.3\":\n"
		  "  version \"7.12.10\"\n"
		  "  resolved \"https://registry.yarnpkg.com/@babel/core/-/core-7.12.10.tgz#x\"\n"
		  "  dependencies:\n"
		  "    version \"^9.0.0\"\n"
		  "\n"
		  "ms@2.1.3, ms@^2.1.0:\n"
		  "  version \"2.1.3\"\n"
		  "\n"
		  "\"old@npm:real@^1.0.0\":\n"
		  "  version \"1.0.1\"\n",
		  "@babel/core 7.12.10 -\nms 2.1.3 -\nreal 1.0.1 -\n" },
		{ "yarn.lock",
		  "__metadata:\n"
		  "  version: 6\n"
		  "  cacheKey: 8\n"
		  "\n"
		  "\"@s/x@npm:^1.0.0, @s/x@npm:^1.2.0\":\n"
		  "  version: 1.2.5\n"
		  "  resolution: \"@s/x@npm:1.2.5\"\n"
		  "  dependencies:\n"
		  "    version: ^9.0.0\n"
		  "  languageName: node\n"
		  "  linkType: hard\n"
		  "\n"
		  "\"app@workspace:.\":\n"
		  "  version: 0.0.0-use.local\n"
		  "  resolution: \"app@workspace:.\"\n"
		  "\n"
		  "\"old@npm:@s/real@^1.0.0\":\n"
		  "  version: 1.0.1\n",
		  "@s/x 1.2.5 -\n@s/real 1.0.1 -\n" },
		{ "pnpm-lock.yaml",
		  "lockfileVersion: 5.4\n"
		  "\n"
		  "specifiers:\n"
		  "  react: 17.0.2\n"
		  "\n"
		  "dependencies:\n"
		  "  react: 17.0.2\n"
		  "\n"
		  "packages:\n"
		  "\n"
		  "  /@s/x/7.12.0_react@17.0.2:\n"
		  "    resolution: {integrity: sha512-x}\n"
		  "    dev: false\n"
		  "\n"
		  "  /string_decoder/1.3.0:\n"
		  "    resolution: {integrity: sha512-y}\n"
		  "    dependencies:\n"
		  "      safe-buffer: 5.2.1\n"
		  "\n"
		  "  github.com/a/b/0123456:\n"
		  "    resolution: {tarball: https://codeload.github.com/a/b/tar.gz/0123456}\n"
		  "    version: 1.0.0\n",
		  "@s/x 7.12.0 -\nstring_decoder 1.3.0 -\n" },
		{ "pnpm-lock.yaml",
		  "lockfileVersion: '6.0'\n"
		  "\n"
		  "packages:\n"
		  "\n"
		  "  /@s/x@7.12.0(react@17.0.2):\n"
		  "    resolution: {integrity: sha512-x}\n"
		  "\n"
		  "  /ms@2.1.3:\n"
		  "    resolution: {integrity: sha512-y}\n",
		  "@s/x 7.12.0 -\nms 2.1.3 -\n" },
		{ "pnpm-lock.yaml",
		  "lockfileVersion: '9.0'\n"
		  "\n"
		  "importers:\n"
		  "  .:\n"
		  "    dependencies:\n"
		  "      ms:\n"
		  "        specifier: ^2.1.0\n"
		  "        version: 2.1.3\n"
		  "\n"
		  "packages:\n"
		  "\n"
		  "  '@s/x@7.12.0':\n"
		  "    resolution: {integrity: sha512-x}\n"
		  "\n"
		  "  ms@2.1.3:\n"
		  "    resolution: {integrity: sha512-y}\n"
		  "\n"
		  "  b@https://codeload.github.com/a/b/tar.gz/0123456:\n"
		  "    resolution: {tarball: https://codeload.github.com/a/b/tar.gz/0123456}\n"
		  "\n"
		  "snapshots:\n"
		  "\n"
		  "  never@1.0.0:\n"
		  "    dependencies:\n",
		  "@s/x 7.12.0 -\nms 2.1.3 -\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(cases[i].path, cases[i].text, strlen(cases[i].text), cases[i].want);
}

static void more_packages_than_there_may_be_are_refused(void **state)
{
	struct buf text = { 0 };
	struct package_file f = { 0 };
	struct err e = { 0 };

	for (int i = 0; i <= PACKAGES_FILE_MAX; i++)
		buf_addf(&text, "P:p%d\nV:1\n\n", i);
	assert_int_equal(apk_parse(text.data, text.len, &f, &e), -E2BIG);
	assert_int_equal(f.n, PACKAGES_FILE_MAX);
	package_file_done(&f);
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_known_by_path_or_name),
		cmocka_unit_test(every_kind_of_text_tells_its_packages),
		cmocka_unit_test(more_packages_than_there_may_be_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
