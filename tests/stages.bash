# stages.bash - the stages of test.sh; each speaks TAP (see there)

check() { # NAME COMMAND...: one test that is a command
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then
		echo "ok $name"
	else
		printf 'not ok %s\n%s\n' "$name" "$out" | sed '2,$s/^/# /'
	fi
}

setup_build() { # DIR OPTION...: configures it once, again when meson cannot go on from what is there
	local dir=$1
	shift
	[ -f "$dir/build.ninja" ] && meson configure "$dir" "$@" >/dev/null 2>&1 && return
	rm -rf "$dir/meson-private" "$dir/meson-info" "$dir/build.ninja"
	meson setup "$dir" "$@"
}

stage_build() {
	# without debug information it takes a fifth less
	setup_build "$BUILD" -Dwerror=true -Ddebug=false -Dunit=plain || return
	check "it builds with gcc without a warning" ninja --quiet -C "$BUILD"
	check "it installs programs, manual pages and completion" installs
}

installs() {
	local f prefix=$BUILD/installed/usr/local
	rm -rf "$BUILD/installed"
	DESTDIR=$BUILD/installed meson install -C "$BUILD" --no-rebuild >/dev/null || return
	for f in bin/ketch share/man/man1/ketch.1 share/man/man1/ketch-run.1 share/bash-completion/completions/ketch; do
		[ -s "$prefix/$f" ] || { echo "$f is not installed"; return 1; }
	done
}

unit_tests() { # BUILD [OPTION...]: every case of meson's tests, as TAP
	CMOCKA_MESSAGE_OUTPUT=TAP meson test -C "$1" --no-rebuild "${@:2}" >"$1/meson-logs/run.txt" 2>&1
	tools/meson-tap "$1"
}

# What tests of C code need beside the programs: a static busybox, and a store with a kernel for virtual machines.
test_settings() {
	local kernel
	kernel=$(tests/fixtures/get kernel) || return
	KETCH_TEST_BUSYBOX=$(tests/fixtures/get base)/rootfs/bin/busybox
	export KETCH_TEST_BUSYBOX KETCH_TEST_STORE=$BUILD/test-store
	"$KETCH" --root "$KETCH_TEST_STORE" kernel import "$kernel"/boot/vmlinuz-* "$kernel"/lib/modules/*
}

stage_unit() { # what a sanitizer keeps from seeing, and virtual machines; stage_sanitize runs all else
	test_settings && unit_tests "$BUILD" --suite plain --suite vm
}

# Devices and jail of ketch-vmm with a small guest, where this machine's KVM runs one; the bed runs the same.
stage_vmm() {
	tests/vmm/hostile.py -n 20000 "$BUILD"
	tests/vmm/jail.py "$BUILD"
	tests/vmm/snapshot.py "$BUILD"
}

# The rule set with real packets, in network namespaces of its own.
stage_network() { tests/network/firewall.py "$BUILD"; }

stage_sanitize() {
	setup_asan || return
	check "it builds with clang and its sanitizers without a warning" ninja --quiet -C build-asan
	test_settings && unit_tests build-asan
}

# Data races, where one process has threads: ketch-vmm.
stage_threads() {
	local t tests=(vmm_threads virtio_threads virtio_block_life)
	CC="$(command -v ccache) clang-14" setup_build build-tsan -Dwerror=true -Db_sanitize=thread -Db_lundef=false \
		-Ddebug=false -Doptimization=1 -Dc_link_args=-fuse-ld=lld || return
	check "what has threads builds with ThreadSanitizer" \
		ninja --quiet -C build-tsan "${tests[@]/#/tests/unit/test_}"
	for t in "${tests[@]}"; do CMOCKA_MESSAGE_OUTPUT=TAP "build-tsan/tests/unit/test_$t"; done
}

stage_fuzz() {
	tools/fuzz-short build-asan "${FUZZ_SECONDS:-1}"
}

sources() { git ls-files -co --exclude-standard "$@"; }

# Without debug information, and not optimized, it compiles in half of the time, and lld links in half; a finding names
# its function, and with `meson configure build-asan -Ddebug=true` its line.
setup_asan() {
	CC="$(command -v ccache) clang-14" setup_build build-asan -Dwerror=true -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false \
		-Ddebug=false -Doptimization=0 -Dc_link_args=-fuse-ld=lld
}

tidy() { # OPTION...
	local said
	said=$(setup_asan) || { echo "$said"; return 1; }
	! sources 'src/*.c' | xargs -P 2 -n 30 clang-tidy-14 -p build-asan --quiet "$@" 2>/dev/null | grep -A 3 'error:'
}

# By hand only: clang's analyzer takes ten times as long as all else that clang-tidy does.  What is off has its reason:
# core, deadcode and unix.Malloc do not know cleanup; valist: wrong about va_list parameters in clang 14;
# insecureAPI: wants memcpy_s, which glibc lacks, and sees no bound of strcpy, which FORTIFY_SOURCE=3 holds.
stage_analyze() {
	local off=core,deadcode.DeadStores,unix.Malloc,valist.Uninitialized
	off+=,security.insecureAPI.DeprecatedOrUnsafeBufferHandling,security.insecureAPI.strcpy
	check "clang's analyzer finds nothing" tidy --checks="-*,clang-analyzer-*,-clang-analyzer-${off//,/,-clang-analyzer-}"
}

# memleak and resourceLeak: cppcheck does not know __attribute__((cleanup)); ASan finds the true ones.
run_cppcheck() {
	cppcheck -j 2 --quiet --error-exitcode=1 --enable=warning,performance,portability --std=c11 --inline-suppr \
		--suppress=memleak --suppress=resourceLeak -D_GNU_SOURCE -I src src
}

stage_static() {
	local code scripts bats programs
	check "includes follow layers.txt" tools/check-layers
	check "comments name what exists" tools/check-comments
	check "documents name commands and flags that exist" tools/check-docs "$KETCH"
	mapfile -t code < <(sources '*.c' '*.h')
	mapfile -t scripts < <(sources | xargs grep -lE '^#!/bin/(busybox |ba)?sh')
	mapfile -t bats < <(sources 'tests/*.bats' 'tests/*.bash')
	mapfile -t programs < <(find "$BUILD/src" -type f -executable)
	check "clang-format changes nothing" clang-format-14 --dry-run -Werror "${code[@]}"
	check "shellcheck finds nothing in scripts" shellcheck -S warning "${scripts[@]}"
	# SC2154, SC2034, SC2120: it does not know what bats and a sourcing script set and pass
	check "shellcheck finds nothing in tests" shellcheck -s bats -S warning -e SC2154,SC2034,SC2120 "${bats[@]}"
	check "cppcheck finds nothing" run_cppcheck
	check "clang-tidy finds nothing" tidy
	check "programs are hardened" tools/check-hardening "${programs[@]}"
}

stage_fixtures() {
	local f # all that there are: later there may be no network
	for f in tests/fixtures/*.sh; do
		f=$(basename "$f" .sh)
		check "test data: $f" tests/fixtures/get "$f"
	done
}

e2e() { # ISOLATION PATH...
	ISOLATION=$1 bats --tap --timing --setup-suite-file tests/e2e/setup_suite.bash "${@:2}"
}

stage_e2e_host() { e2e container tests/e2e/host; }
stage_e2e_container() { e2e container tests/e2e/both; }
stage_e2e_vm() { e2e vm tests/e2e/both; }

# The OCI runtime as its callers see it; everything in namespaces of its own, so two can run side by side.
stage_oci() {
	export RUNTIME=$BUILD/ketch-oci
	tests/oci/private bats --tap tests/oci/*.bats &
	local caller
	tests/oci/private tests/oci/validation/run
	for caller in tests/oci/callers/*.bats; do tests/oci/private bats --tap "$caller"; done
	wait
}

# The same commands given to dockerd and to ketch, their outputs compared field by field.
stage_peers() { tests/peers/run "$KETCH"; }

# What only shows where cgroups are unified, capabilities complete and KVM works; see tests/bed/bed.  Of all cases of
# virtual machines each commit takes another slice, or the one that is asked for with BED_SLICE.
stage_bed() {
	local number=${BED_SLICE:-$(git rev-list --count HEAD)}
	tests/bed/bed -t 1500 -- env KETCH="$KETCH" BED_SLICE="$number" tests/bed/cases
}
