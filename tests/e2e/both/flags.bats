# flags.bats - the flags of run that change what the process gets, seen from inside
load ../lib

setup_file() {
	store_open
	local report
	report=$(cat "$E2E/report.sh")
	mkdir "$DIR/src" "$DIR/ro"
	echo from the host >"$DIR/src/file"
	echo one file >"$DIR/one"
	printf '# a comment\nFILE_VAR=from file\nBOTH=file\n\nEMPTY=\nCALLER\n' >"$DIR/env"
	CALLER=of-caller KETCH_TEST_PASSED=passed krun --name full -i \
		-e A=1 -e 'SPACES=a  b' -e BOTH=flag -e KETCH_TEST_PASSED -e KETCH_TEST_ABSENT --env-file "$DIR/env" \
		-w /made/here -u ketch:users -h 'box of 1' --label tier=web --label 'note=a b' \
		--ulimit nofile=100:200 --ulimit core=0 --tmpfs /scratch:size=1m,mode=700 --tmpfs /plain \
		-v "$DIR/src:/src" -v "$DIR/one:/etc/one:ro" -v "$DIR/ro:/ro:ro" -m 64m --pids-limit 100 --cpus 0.5 \
		--stop-signal USR1 --init ketch/base \
		sh -c "$report
			df -k /scratch | awk 'NR == 2 { print \"scratch.kb=\" \$2 }'
			echo src=\$(cat /src/file)
			echo one=\$(cat /etc/one)
			touch /ro/x 2>/dev/null && echo ro=writable || echo ro=refused
			(: >>/etc/one) 2>/dev/null && echo one.ro=writable || echo one.ro=refused" \
		>"$DIR/report" </dev/null
	krun --name bare --read-only --cap-drop all --cap-add net_admin --cap-add CAP_SYS_TIME --network none \
		--security-opt no-new-privileges --security-opt seccomp=unconfined -v "$DIR/src:/src" \
		--entrypoint sh --tmpfs /tmp ketch/base -c "$report
			echo inside >/src/made; mkdir -p /src/dir; ln -s made /src/link" >"$DIR/bare"
}
teardown_file() { store_close; }

of() { sed -n "s|^$1=||p" "$DIR/report"; } # NAME: of the instance with many flags
bare() { sed -n "s|^$1=||p" "$DIR/bare"; } # NAME: of the other

@test "-e sets, and passes on the caller's variable when it has no value" {
	is "$(of env.A)" 1
	is "$(of env.SPACES)" 'a  b'
	is "$(of env.KETCH_TEST_PASSED)" passed
	unlike "$(cat "$DIR/report")" KETCH_TEST_ABSENT
}

@test "--env-file sets, skips comments, and gives way to -e" {
	is "$(of env.FILE_VAR)" 'from file'
	is "$(of env.BOTH)" flag
	is "$(of env.CALLER)" of-caller
	grep -q '^env.EMPTY=$' "$DIR/report"
}

@test "-w: the directory is made and entered" { is "$(of cwd)" /made/here; }

@test "-u takes names of the image's own passwd and group" {
	is "$(of uid)" '1000 gid=100 groups=100'
	is "$(of env.HOME)" /home/ketch
}

@test "another user than root has no effective capability" {
	is "$(of status.CapEff)" 0000000000000000
	is "$(of status.CapBnd)" 00000000800405fb
}

@test "-h sets the host name" { is "$(of hostname)" 'box of 1'; }
@test "--label is kept" { is "$(inspect_of full '.Config.Labels | .tier + "," + .note')" 'web,a b'; }

@test "--ulimit sets soft and hard limit" {
	is "$(of 'limit.Max open files')" 100:200
	is "$(of 'limit.Max core file size')" 0:0
}

@test "--tmpfs takes size and mode; without options it is nosuid, nodev, noexec" {
	is "$(of scratch.kb)" 1024
	like "$(of mount./scratch)" 'rw.* tmpfs .*mode=700'
	like "$(of mount./plain)" 'nosuid.*nodev.*noexec'
}

@test "-v shares a directory, and a single file, with the host" {
	is "$(of src)" 'from the host'
	is "$(of one)" 'one file'
}

@test "-v :ro cannot be written" {
	is "$(of ro)" refused
	is "$(of one.ro)" refused
	[ ! -e "$DIR/ro/x" ]
}

@test "--init: the command is not the first process" { unlike "$(of pid)" '^1$'; }

@test "-i: stdin is a pipe of its own, not /dev/null" { like "$(of stdin)" 'pipe|socket'; }

@test "inspect tells what was asked" {
	is "$(inspect_of full .HostConfig.Memory)" 67108864
	is "$(inspect_of full .HostConfig.NanoCpus)" 500000000
	is "$(inspect_of full .HostConfig.PidsLimit)" 100
	is "$(inspect_of full .Config.StopSignal)" SIGUSR1
	is "$(ketch inspect -f '{{range .Mounts}}{{.Destination}}={{.Mode}} {{end}}' full | tr ' ' '\n' | LC_ALL=C sort | tr '\n' ' ')" \
		' /etc/one=ro /plain= /ro=ro /scratch=size=1m,mode=700 /src= '
}

@test "--read-only: the root cannot be written, --tmpfs can" {
	is "$(bare write./)" no
	is "$(bare write./tmp)" yes
}

@test "--cap-drop all --cap-add: just these" {
	is "$(bare status.CapEff)" 0000000002001000
	is "$(bare status.CapBnd)" 0000000002001000
}

@test "--security-opt: no_new_privs on, seccomp off" {
	is "$(bare status.NoNewPrivs)" 1
	is "$(bare status.Seccomp)" 0
}

@test "--entrypoint replaces the program" { is "$(bare pid)" 1; }

@test "what is written in a shared directory is on the host, owned by root" {
	is "$(cat "$DIR/src/made")" inside
	is "$(stat -c %u:%g "$DIR/src/made")" 0:0
	is "$(readlink "$DIR/src/link")" made
	[ -d "$DIR/src/dir" ]
}
