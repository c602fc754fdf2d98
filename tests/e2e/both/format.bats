# format.bats - --format, --filter and the other words of lists: Docker's, the same for both walls
load ../lib

setup_file() {
	store_open
	stay --name one --label com.example.rank=1 --label x -v "$DIR:/data" >/dev/null
	krun --name two ketch/base sh -c 'exit 3' || true
}
teardown_file() { store_close; }

@test "ps takes templates, tables of templates and JSON" {
	is "$(ketch ps -a --format '{{.Names}}')" $'two\none'
	is "$(ketch ps --format '{{.Names}} {{.State}} {{.Isolation}} {{.Label "com.example.rank"}}')" "one running $ISOLATION 1"
	is "$(ketch ps --format '{{upper .Names}}|{{len .ID}}|{{json .Labels}}')" 'ONE|12|"com.example.rank=1,x="'
	is "$(ketch ps -a --format 'table {{.Names}}\t{{.State}}\t{{.Label "com.example.rank"}}')" \
		$'NAMES     STATE     RANK\ntwo       exited    \none       running   1'
	is "$(ketch ps --format json | jq -r .Names)" one
	is "$(ketch ps --no-trunc --format '{{len .ID}} {{.Command}}')" "64 \"sh -c trap \"exit 0\" TERM INT; tail -f /dev/null & echo ready; wait\""
	like "$(ketch ps -a --format '{{.Status}}' | head -1)" '^Exited \(3\) (Less than a second|[0-9]+ seconds?|About a minute|[0-9]+ minutes) ago$'
	like "$(ketch ps --format '{{.Status}};{{.RunningFor}};{{.Image}};{{.Mounts}};{{.Networks}};{{.CreatedAt}}')" \
		'^Up (Less than a second|[0-9]+ seconds?|About a minute|[0-9]+ minutes);.* ago;ketch/base;/tmp/[^,]*;none;20[0-9-]+ [0-9:]+ [+-][0-9]{4} [A-Z+0-9-]+$'
}

@test "ps shows those that filters fit, and the last" {
	names() { ketch ps --format '{{.Names}}' "$@"; }
	is "$(names)" one
	is "$(names -l)" two
	is "$(names -n 2)" $'two\none'
	is "$(names -a -f name=on)" one
	is "$(names -a -f name=^o -f name=two)" $'two\none'
	is "$(names -f status=exited)" two
	is "$(names -a -f exited=3)" two
	is "$(names -a -f exited=0)" ""
	is "$(names -a -f label=x -f label=com.example.rank=1)" one
	is "$(names -a -f label=x -f label=com.example.rank=2)" ""
	is "$(names -a -f before=two)" one
	is "$(names -a -f since=one)" two
	is "$(names -a -f "isolation=$ISOLATION")" $'two\none'
	is "$(names -a -f volume=/data)" one
	is "$(names -a -f ancestor=ketch/base -f name=two)" two
	is "$(names -a -f "ancestor=$(ketch inspect one | jq -r '.[0].Image')" -f name=two)" two
	is "$(names -a -f "id=$(ketch ps -q)")" one
	is "$(names -a -f network=host)" ""
}

@test "what a template or a filter cannot be is one line" {
	refused 1 'template parsing error: template: :1:2: no field .Nmes \(did you mean .Names\?\)' ketch ps --format '{{.Nmes}}'
	refused 1 'template parsing error: .* unclosed action' ketch ps --format '{{.Names'
	refused 1 'invalid filter: nmae \(did you mean name\?\)' ketch ps -f nmae=x
	refused 1 'invalid filter: status=asleep must be one of' ketch ps -f status=asleep
	refused 1 'no such instance: nosuch' ketch ps -f before=nosuch
}
