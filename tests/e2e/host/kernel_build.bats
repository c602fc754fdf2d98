# kernel_build.bats - ketch kernel build, with a fake source of Linux: a real one takes too long here
load ../lib

setup_file() { store_open; }
teardown_file() { store_close; }

setup() { SOURCE=$DIR/linux; }

# What `make` is told to do in place of configuring and of compiling.
fake_source() { # CONFIGURE COMPILE
	rm -rf "$SOURCE"
	mkdir -p "$SOURCE/scripts"
	touch "$SOURCE/Kconfig"
	# the smallest that passes for a kernel image: boot flag, "HdrS", protocol 2.15, 64-bit, its version
	python3 - "$SOURCE/image" <<-'PY'
		import sys
		b = bytearray(4096)
		b[0x1f1] = 4
		b[0x1fe:0x200] = b"\x55\xaa"
		b[0x202:0x208] = b"HdrS\x0f\x02"
		b[0x20e:0x210] = b"\x00\x04"
		b[0x236] = 1
		b[0x600:0x615] = b"6.1.999-ketch (x) #1\0"
		open(sys.argv[1], "wb").write(b)
	PY
	printf 'kernel/%s.ko\n' virtio_mmio virtio_blk virtio_net virtio_rng erofs ext4 overlay virtiofs virtio_console \
		vmw_vsock_virtio_transport pvpanic_mmio >"$SOURCE/builtin"
	printf 'allnoconfig:\n\t@%s\nbzImage:\n\t@mkdir -p $(O)/arch/x86/boot; %s\n\t@cp image $(O)/arch/x86/boot/bzImage; cp builtin $(O)/modules.builtin\n' "$1" "$2" >"$SOURCE/Makefile"
}

COPY="cp \$(KCONFIG_ALLCONFIG) \$(O)/.config"
build() { "$KETCH" kernel build --jobs 1 --source "$SOURCE"; }

# What a build needs is no package of ours: without it there is only its refusal to test.
needs_tools() {
	fake_source false :
	run build
	rm -f "$KETCH_ROOT/kernels/build.log"
	[[ ! $output =~ apt-get ]] || skip "${output#ketch: }"
}

nothing_left() { # [NAME...]: the kernels of the store are as before, but for these
	is "$(find "$KETCH_ROOT/kernels" -mindepth 1 -maxdepth 1 ! -name '*-amd64' -printf '%f ')" "${*:+$* }"
}

@test "bad words and sources are refused with one line" {
	refused 125 'jobs' ketch kernel build --jobs many
	refused 1 '--jobs: 1025 is not from 1 to 1024' ketch kernel build --jobs 1025
	refused 1 '/no/such: no such file' ketch kernel build --source /no/such
	refused 1 'no source of Linux: it has no Makefile' ketch kernel build --source "$DIR"
	fake_source : :
	touch "$SOURCE/.config"
	refused 1 'was built in; clean it with: make -C' ketch kernel build --source "$SOURCE"
}

@test "what is missing is named with the command that gets it" {
	fake_source "$COPY" :
	mkdir -p "$DIR/empty"
	# in a mount namespace of its own the machine's directories stay as they are
	refused 1 'to build a kernel, first: apt-get install .*libc6-dev libelf-dev$' \
		unshare -m --propagation private sh -c 'mount --bind "$1" /usr/include; exec "$2" kernel build --source "$3"' \
		sh "$DIR/empty" "$KETCH" "$SOURCE"
	nothing_left
}

@test "a kernel is built, listed, found and removed" {
	needs_tools
	fake_source "$COPY" "echo '  CC      a.o'"
	is "$(build)" 6.1.999-ketch
	nothing_left 6.1.999-ketch
	is "$(ketch kernel ls -q | grep -c -x 6.1.999-ketch)" 1
	is "$(ketch kernel ls --format json | jq -r 'select(.Version == "6.1.999-ketch").From')" store
	ketch kernel rm 6.1.999-ketch
	nothing_left
}

@test "a failing compiler is one line, and its log stays until the next build" {
	needs_tools
	fake_source "$COPY" 'echo "a.c:7: error: no such thing"; exit 1'
	refused 1 'cannot compile the kernel: a.c:7: error: no such thing; all of it: /.*/kernels/build.log$' \
		build
	grep -q 'a.c:7' "$KETCH_ROOT/kernels/build.log"
	nothing_left build.log
	fake_source 'echo CONFIG_SMP=y >$(O)/.config' :
	refused 1 'cannot be configured as wanted: LOCALVERSION=' build
	fake_source "$COPY" :
	build
	ketch kernel rm 6.1.999-ketch
	nothing_left
}

# Starts a build that stays; $PID is ketch's.
start_staying() {
	fake_source "$COPY" "echo compiling; sleep 1000 & wait"
	"$KETCH" kernel build --source "$SOURCE" >"$DIR/out" 2>&1 &
	PID=$!
	await 30 grep -qs compiling "$KETCH_ROOT/kernels/build.log"
}

@test "interrupted it ends with status 130 and leaves nothing" {
	needs_tools
	start_staying
	kill -TERM "$PID"
	wait "$PID" || is $? 130
	is "$(cat "$DIR/out")" 'ketch: interrupted'
	nothing_left
}

@test "killed it leaves what the next command sweeps; nothing of it runs on" {
	needs_tools
	start_staying
	refused 1 'another ketch kernel build is under way' build
	kill -KILL "$PID"
	wait "$PID" || is $? 137
	await 20 no_process "$SOURCE"
	fake_source "$COPY" :
	build
	ketch kernel rm 6.1.999-ketch
	nothing_left
}
no_process() { ! pgrep -f -- "make -C $1 " >/dev/null; } # SOURCE
