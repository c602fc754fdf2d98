# events.bats - the journal of a store: what happens to instances and images, told in Docker's words
load ../lib

setup_file() {
	local begin
	store_open
	begin=$(date +%FT%T.%N%:z) # here: an asynchronous command would ask after what follows it
	"$KETCH" events --since "$begin" --filter type=container >"$DIR/live" 2>"$DIR/live.err" 3>&- &
	echo $! >"$DIR/follower"
	stay --name web --label tier=front >/dev/null
	ketch exec web sh -c 'exit 5' || :
	ketch kill -s WINCH web
	ketch stop -t 5 web
	ketch rm web
}
teardown_file() {
	kill "$(<"$DIR/follower")"
	store_close
}

past() { ketch events --stream=false "${@/#/--filter=}"; } # FILTER...
past_json() { ketch events --stream=false --format json "${@/#/--filter=}"; } # FILTER...
told() { past_json "$@" | jq -r .Action | sed 's/:.*//' | tr '\n' ' '; } # FILTER...: the actions, a word each

@test "the whole life of an instance is told, in order" {
	is "$(told container=web)" "create start exec_create exec_start exec_die kill kill die stop destroy "
}

@test "codes and signals are attributes" {
	local each='.Action + " " + (.Actor.Attributes | "\(.exitCode) \(.signal)")'
	is "$(past_json container=web event=exec_die | jq -r "$each")" "exec_die 5 null"
	like "$(past_json container=web event=kill | jq -r "$each")" $'kill null 28\nkill null 15'
	is "$(past_json container=web event=die | jq -r "$each")" "die 0 null"
}

@test "a template says what is printed of each" {
	is "$(ketch events --stream=false --filter container=web --filter event=exec_die \
		--format '{{.Type}} {{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.exitCode}}')" 'container exec_die web 5'
	is "$(ketch events --stream=false --filter container=web --filter event=die --filter event=stop \
		--format '{{.Action}} {{.Actor.Attributes.exitCode}}')" $'die 0\nstop <no value>'
	is "$(ketch events --stream=false --filter container=web --filter event=die \
		--format '{{.Status}} {{.From}} {{.Scope}} {{printf "%d" .Time | len}} {{len .ID}} {{.id}}' 2>&1)" \
		"die ketch/base local 10 64 $(past_json container=web event=die | jq -r .id)"
	refused 1 'unclosed action' ketch events --stream=false --format '{{.Type'
	refused 1 'no field .Typ ' ketch events --stream=false --format '{{.Typ}}'
}

@test "a line is Docker's, and the same for who follows" {
	local line
	line=$(past container=web event=start)
	like "$line" '^20[0-9-]+T[0-9:.]+Z container start [0-9a-f]{64} \(image=ketch/base, name=web, tier=front\)$'
	await 5 grep -q ' container destroy ' "$DIR/live"
	is "$(grep ' start ' "$DIR/live")" "$line"
	is "$(grep -c '' "$DIR/live")" 10
	is "$(<"$DIR/live.err")" ""
}

@test "--since and --until cut it out" {
	local at
	at=$(past container=web event=start)
	at=${at%% *}
	is "$(ketch events --since "$at" --until 0s --format json --filter container=web |
		jq -r .Action | head -n1)" start
	is "$(ketch events --until "$at" --stream=false --format json --filter container=web | jq -r .Action)" create
	is "$(ketch events --since 0s --until 0s)" ""
}

@test "labels, types and several values are filtered" {
	is "$(told label=tier=front event=start event=stop)" "start stop "
	is "$(told label=tier=back)" ""
	is "$(told type=image event=import)" "import "
}

@test "images: tag, untag and delete" {
	ketch tag ketch/base other:1
	ketch rmi other:1
	is "$(told type=image image=other:1)" "tag untag "
}

@test "bad words are one line" {
	refused 1 'since.*yesterday' ketch events --since yesterday
	refused 1 '--since 1h is after --until 2h' ketch events --since 1h --until 2h
	refused 1 '--since 2026-01-02 is after' ketch events --since 2026-01-02 --until 2026-01-01
	refused 1 'filter.*color' ketch events --filter color=red
}
