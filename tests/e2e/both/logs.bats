# logs.bats - what an instance has written: from an end, of a time, followed, in files that are begun anew
load ../lib

setup_file() {
	store_open
	krun -d --name web --log-opt max-size=4k --log-opt max-file=3 ketch/base sh -c '
		trap "exit 0" TERM
		echo first; echo oops >&2
		mkfifo /go; while :; do read -r n </go && seq $n && echo end $n; done & wait' >/dev/null
	await 30 logged web first
	await 30 ketch exec web test -p /go
}
teardown_file() { store_close; }

go() { ketch exec web sh -c "echo $1 >/go" && await 20 logged web "^end $1$"; } # NUMBER

@test "stdout and stderr are parted; -t puts the time in front" {
	is "$(ketch logs web 2>/dev/null)" first
	is "$(ketch logs web 2>&1 >/dev/null)" oops
	like "$(ketch logs -t web 2>/dev/null)" '^20[0-9-]{8}T[0-9:]{8}\.[0-9]{9}Z first$'
	is "$(ketch logs --details web 2>/dev/null)" ' first' # as Docker's, where nothing was asked for
}

@test "--since and --until: a time stamp of -t, and durations" {
	local at
	go 3
	at=$(ketch logs -t web 2>/dev/null | sed -n 's/Z 1$/Z/p')
	is "$(ketch logs --since "$at" web 2>/dev/null | head -n1)" 1
	is "$(ketch logs --until "$at" web 2>/dev/null)" first
	is "$(ketch logs --since 10m web 2>/dev/null | head -n1)" first
	is "$(ketch logs --since 0s web)" ""
	is "$(ketch logs --since '' web 2>/dev/null | head -n1)" first # of a script whose variable is empty
	is "$(ketch logs --until 10m web)" ""
	refused 1 'until.*tomorrow' ketch logs --until tomorrow web
}

@test "-n counts lines" {
	is "$(ketch logs -n 2 web)" $'3\nend 3'
	is "$(ketch logs -n 0 web)" ""
	is "$(ketch logs --tail all web 2>/dev/null | wc -l)" 5
}

@test "a follower sees what comes, through files that are begun anew, and ends with the instance" {
	"$KETCH" logs -f -n 0 web >"$DIR/followed" 2>/dev/null 3>&- &
	echo $! >"$DIR/follower"
	watching() { readlink /proc/"$(<"$DIR/follower")"/fd/* | grep -q inotify; }
	await 20 watching
	local i
	for i in 150 151 152; do go "$i"; done
	await 20 grep -qx 'end 152' "$DIR/followed"
	is "$(grep -c '' "$DIR/followed")" $((150 + 151 + 152 + 3))
	is "$(sed -n '/^end 150/,/^end 151/p' "$DIR/followed" | sed '1d;$d' | sort -n | uniq | wc -l)" 151
}

@test "files are kept below their number and size; -n goes through them" {
	local dir=$KETCH_ROOT/instances f
	dir+=/$(inspect_of web .Id)
	[ -e "$dir/log.2" ]
	[ ! -e "$dir/log.3" ]
	for f in "$dir"/log*; do [ "$(stat -c %s "$f")" -le 4096 ]; done
	is "$(ketch logs -n 150 web | head -n1)" 4
	is "$(ketch logs -n 150 web | wc -l)" 150
	unlike "$(ketch logs web)" first
}

@test "a follower ends with the instance" {
	ketch stop -t 5 web
	await 20 gone "$(<"$DIR/follower")"
	is "$(ketch logs -f -n 1 web)" "end 152"
}

@test "none keeps nothing, and logs says so" {
	ketch run --isolation container --name silent --log-driver none ketch/base echo hello
	refused 1 'keeps no log.*--log-driver none' ketch logs silent
}

@test "journald: without one it is refused by name" {
	[ ! -S /run/systemd/journal/socket ] || skip "this host has a journald"
	refused 125 '--log-driver journald: there is no journald' krun --log-driver journald ketch/base true
}

@test "labels, variables and a tag go with the lines; --details shows them" {
	krun --name told --label a=1 --label c.d=e,f -e X='y z' -e Ya=1 --log-opt labels=a,nope --log-opt labels-regex='^c\.' \
		--log-opt env=X --log-opt env-regex=^Y --log-opt tag='{{.Name}}/{{.ImageName}}' ketch/base echo hi
	is "$(ketch logs --details told)" 'X=y+z,Ya=1,a=1,c.d=e%2Cf,tag=told%2Fketch%2Fbase hi'
	like "$(ketch logs -t --details told)" '^20[0-9-]{8}T[0-9:]{8}\.[0-9]{9}Z X=y\+z,.* hi$'
	is "$(ketch logs told)" hi
	is "$(inspect_of told '.HostConfig.LogConfig.Config | .labels + " " + ."env-regex"')" 'a,nope ^Y'
}

@test "what Docker's drivers can and ours cannot is refused by name" {
	refused 125 'compress: log files stay as they are written' krun --log-opt compress=true ketch/base true
	refused 125 'mode=non-blocking: a log in files loses no line' krun --log-opt mode=non-blocking ketch/base true
	refused 125 'max-buffer-size: no buffer' krun --log-opt max-buffer-size=4m ketch/base true
	refused 125 "mode: 'foo' must be" krun --log-opt mode=foo ketch/base true
	refused 125 'labels: log driver local has no such option' krun --log-driver local --log-opt labels=a ketch/base true
	refused 125 'max-size: log driver none has no such option' krun --log-driver none --log-opt max-size=1m ketch/base true
	refused 125 "labels-regex: '\(' is no regular expression" krun --log-opt 'labels-regex=(' ketch/base true
	refused 125 "tag: '\{\{.Nope}}' is not known: there are .*\.Name" krun --log-opt 'tag={{.Nope}}' ketch/base true
	krun --rm --log-opt compress=false --log-opt mode=blocking ketch/base true
}

@test "bad options are one line" {
	refused 125 'log-driver' krun --log-driver syslog ketch/base true
	refused 125 'log-opt.*max-size' krun --log-opt max-size=12q ketch/base true
	refused 125 'needs max-size' krun --log-opt max-file=3 ketch/base true
	refused 125 'log-opt.*color' krun --log-opt color=red ketch/base true
}
