# hooks.bats - the six hooks: order, namespaces, state on stdin, failure, timeout
load lib

# hook NAME: one that writes a line "NAME STATUS PID MOUNT-NAMESPACE HAS-BUNDLE ENV" to $DIR/hooks
setup() {
	rm -f "$DIR/hooks"
	cat >"$DIR/hook" <<-END
		#!/bin/busybox sh
		state=\$(/bin/busybox cat)
		status=\${state#*\"status\":}; status=\${status#*\"}; status=\${status%%\"*}
		bundle=no; case \$state in *\"bundle\":*) bundle=yes ;; esac
		echo "\$1 \$status \$(/bin/busybox readlink /proc/self/ns/mnt) \$bundle \$V \$#" >>\$2
		exit \${3:-0}
	END
	chmod +x "$DIR/hook"
	install -D "$DIR/rootfs/bin/busybox" "$DIR/tools/busybox"
	sed -i "1s#/bin/busybox#$DIR/tools/busybox#; s#/bin/busybox#$DIR/tools/busybox#g" "$DIR/hook"
	printf '#!/bin/busybox sh\n/bin/busybox cat >/inside.state; echo inside >>/inside\n' >"$DIR/rootfs/inside-hook"
	chmod +x "$DIR/rootfs/inside-hook"
}

# hooks NAME EXTRA: a JQ filter that sets all but startContainer, with the exit status of one: "name=status"
hooks() {
	local name status filter='.hooks = {}'
	for name in prestart createRuntime createContainer poststart poststop; do
		status=0
		[ "${1%=*}" != $name ] || status=${1#*=}
		filter+=" | .hooks.$name = [{path: \"$DIR/hook\", args: [\"hook\", \"$name\", \"$DIR/hooks\", \"$status\"], env: [\"V=value\"]}]"
	done
	echo "$filter"
}
names() { cut -d' ' -f1 "$DIR/hooks" 2>/dev/null | paste -sd' '; }

@test "order, state on stdin, arguments and environment" {
	beyond runc "runs poststart hooks at create"
	local host
	host=$(readlink /proc/self/ns/mnt)
	bundle hooks "$(hooks)" sleep 1000
	create hooks
	is "$(names)" 'prestart createRuntime createContainer'
	start hooks
	is "$(names)" 'prestart createRuntime createContainer poststart'
	remove hooks
	is "$(names)" 'prestart createRuntime createContainer poststart poststop'
	is "$(cut -d' ' -f4- "$DIR/hooks" | sort -u)" 'yes value 3'
	is "$(grep -v createContainer "$DIR/hooks" | cut -d' ' -f3 | sort -u)" "$host" # those run in the runtime's namespaces
	unlike "$(grep createContainer "$DIR/hooks")" "$(sed 's/[][]/\\&/g' <<<"$host")" # this one in the container's
	is "$(grep poststop "$DIR/hooks" | cut -d' ' -f2)" stopped
	is "$(grep poststart "$DIR/hooks" | cut -d' ' -f2)" running
}

@test "startContainer runs inside, before the program" {
	rm -f "$DIR/rootfs/inside"*[!k]
	is "$(printed inside '.hooks = {startContainer: [{path: "/inside-hook"}]}' cat /inside)" inside
	like "$(cat "$DIR/rootfs/inside.state")" "\"id\": ?\"$TAG-inside\""
	rm -f "$DIR/rootfs/inside" "$DIR/rootfs/inside.state"
}

@test "a hook that fails before start fails create, and nothing is left; poststop has run" {
	local name
	for name in prestart createRuntime createContainer; do
		rm -f "$DIR/hooks"
		bundle fails "$(hooks $name=3)" sleep 1000
		says 1 'hook' rt create --bundle "$DIR/b/fails" "$TAG-fails"
		audit
	done
}

@test "a startContainer hook that fails: start fails, the program does not run" {
	bundle fails '.hooks = {startContainer: [{path: "/bin/false"}]}' sh -c 'echo ran'
	create fails
	run rt start "$TAG-fails"
	ended fails
	is "$(out fails | grep -c ran || :)" 0
	remove fails
}

@test "a poststart or poststop hook that fails is a warning" {
	beyond runc 'a failed poststart hook ends the container'
	bundle warn "$(hooks poststart=3)" sleep 1000
	create warn
	run rt start "$TAG-warn"
	is "$status" 0
	is "$(status_of warn)" running
	bundle warn "$(hooks poststop=3)" sleep 1000
	run remove warn
	is "$status" 0
}

@test "a timeout ends the hook, and create" {
	local before=$SECONDS
	bundle slow ".hooks = {createRuntime: [{path: \"$DIR/tools/busybox\", args: [\"sleep\", \"60\"], timeout: 1}]}" true
	says 1 '' rt create --bundle "$DIR/b/slow" "$TAG-slow"
	[ $((SECONDS - before)) -lt 20 ]
	audit
	is "$(pgrep -fc 'sleep 60' || :)" 0
}

@test "a hook gets none of the container's pipes" {
	beyond runc 'not looked at'
	bundle pipe ".hooks = {poststart: [{path: \"$DIR/tools/busybox\", args: [\"sh\", \"-c\", \"ls /proc/self/fd >$DIR/fds\"]}]}" true
	sed -i "s#ls /proc#$DIR/tools/busybox ls /proc#" "$DIR/b/pipe/config.json"
	up pipe
	ended pipe
	is "$(paste -sd' ' "$DIR/fds")" '0 1 2 3' # 3 is the directory that ls reads
	remove pipe
}
