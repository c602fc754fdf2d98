# format.bats - --format, --filter and the other words of lists: Docker's, the same for both walls
load ../lib

setup_file() {
	store_open
	stay --name one --label com.example.rank=1 --label x -v "$DIR:/data" >/dev/null
	ketch run --isolation container --name two ketch/base sh -c 'exit 3' || true
}
teardown_file() { store_close; }

@test "ps takes templates, tables of templates and JSON" {
	is "$(ketch ps -a --format '{{.Names}}')" $'two\none'
	is "$(ketch ps --format '{{.Names}} {{.State}} {{.Isolation}} {{.Label "com.example.rank"}}')" "one running $ISOLATION 1"
	is "$(ketch ps --format '{{upper .Names}}|{{len .ID}}|{{json .Labels}}')" 'ONE|12|"com.example.rank=1,x="'
	is "$(ketch ps -a --format 'table {{.Names}}\t{{.State}}\t{{.Label "com.example.rank"}}')" \
		$'NAMES     STATE     RANK\ntwo       exited    \none       running   1'
	is "$(ketch ps -a --format '{{define "row"}}{{.Names}}{{end}}<{{template "row" .}}>')" $'<two>\n<one>'
	is "$(ketch ps --format json | jq -r .Names)" one
	is "$(ketch ps --no-trunc --format '{{len .ID}} {{.Command}}')" "64 \"sh -c 'trap \\\"exit 0\\\" TERM INT; tail -f /dev/null & echo ready; wait'\""
	like "$(ketch ps -a --format '{{.Status}}' | head -1)" '^Exited \(3\) (Less than a second|[0-9]+ seconds?|About a minute|[0-9]+ minutes) ago$'
	like "$(ketch ps --format '{{.Status}};{{.RunningFor}};{{.Image}};{{.Mounts}};{{.Networks}};{{.CreatedAt}}')" \
		'^Up (Less than a second|[0-9]+ seconds?|About a minute|[0-9]+ minutes);.* ago;ketch/base;/[^,]*;bridge;20[0-9-]+ [0-9:]+ [+-][0-9]{4} [A-Z+0-9-]+$'
}

@test "ps shows those that filters fit, and the last" {
	names() { ketch ps --format '{{.Names}}' "$@"; }
	is "$(names)" one
	is "$(names -l)" two
	is "$(names -n 2)" $'two\none'
	is "$(names -a -f name=on)" one
	is "$(names -a -f name=^o -f name=two)" $'two\none'
	is "$(names -a -f name=^/one$ -f name=/tw)" $'two\none'
	is "$(names -a -f name=^/ne)" ""
	is "$(names -f status=exited)" two
	is "$(names -a -f exited=3)" two
	is "$(names -a -f exited=0)" ""
	is "$(names -a -f label=x -f label=com.example.rank=1)" one
	is "$(names -a -f label=x -f label=com.example.rank=2)" ""
	is "$(names -a -f before=two)" one
	is "$(names -a -f since=one)" two
	is "$(names -a -f "isolation=$ISOLATION" -f name=one)" one
	is "$(names -a -f isolation=container -f name=two)" two
	is "$(names -a -f isolation=vm -f name=two)" ""
	is "$(names -a -f volume=/data)" one
	is "$(names -a -f ancestor=ketch/base -f name=two)" two
	is "$(names -a -f "ancestor=$(ketch inspect one | jq -r '.[0].Image')" -f name=two)" two
	is "$(names -a -f "id=$(ketch ps -q)")" one
	is "$(names -a -f network=host)" ""
	is "$(names -a -f health=none)" $'two\none'
	is "$(names -a -f health=healthy -f health=starting)" ""
}

@test "inspect: exposed ports are keys, as scripts for Docker go through them" {
	ketch create --isolation "$ISOLATION" --name ports --expose 80 --expose 53/udp ketch/base true >/dev/null
	is "$(ketch inspect -f '{{range $p, $_ := .Config.ExposedPorts}}{{$p}} {{end}}' ports one)" '53/udp 80/tcp '
	is "$(inspect_of one .Config.ExposedPorts)" '{}'
	ketch rm ports >/dev/null
}

@test "what a template or a filter cannot be is one line" {
	refused 1 'template parsing error: template: :1:2: no field .Nmes \(did you mean .Names\?\)' ketch ps --format '{{.Nmes}}'
	refused 1 'template parsing error: .* unclosed action' ketch ps --format '{{.Names'
	refused 1 'invalid filter: nmae \(did you mean name\?\)' ketch ps -f nmae=x
	refused 1 'invalid filter: status=asleep must be one of' ketch ps -f status=asleep
	refused 1 'invalid filter: exited=none must be a number' ketch ps -f exited=none
	refused 1 'no such instance: nosuch' ketch ps -f before=nosuch
}

@test "inspect takes a template for each, and a kind" {
	is "$(ketch inspect -f '{{.Name}} {{.State.Status}} {{.State.ExitCode}}' two)" 'two exited 3'
	is "$(ketch inspect --format='{{.State.Running}}' one two)" $'true\nfalse'
	is "$(ketch inspect -f '{{.Config.Labels.x}}|{{.Config.Labels.y}}|{{if .Config.Labels.y}}y{{end}}' one)" '|<no value>|'
	is "$(ketch inspect -f '{{.NetworkSettings.Networks.mine.IPAddress}}' one)" '<no value>'
	refused 1 'no field .status \(did you mean .Status\?\)' ketch inspect -f '{{.State.status}}' one
	is "$(ketch inspect -f '{{.Name}}' /two)" two # as Docker's own inspect prints it
	is "$(ketch inspect -f '{{index .Config.Labels "com.example.rank"}}{{index .Config.Labels "nope"}}' one)" 1
	is "$(ketch inspect -f '{{range .Mounts}}{{.Type}} {{.Destination}} {{.RW}}{{end}}' one)" 'bind /data true'
	is "$(ketch inspect -f '{{join .HostConfig.Binds ","}}' one)" "$DIR:/data"
	is "$(ketch inspect -f '{{json .HostConfig.Isolation}} {{.Isolation}}' one)" "\"$ISOLATION\" $ISOLATION"
	is "$(ketch inspect -f '{{.NetworkSettings.IPAddress}}{{range $k, $v := .NetworkSettings.Networks}}{{$k}}{{end}}' one)" 10.88.0.2bridge
	is "$(ketch inspect -f '{{len .Id}} {{.Platform}} {{.LogPath}}' one)" \
		"64 linux $KETCH_ROOT/instances/$(ketch ps -q --no-trunc)/log"
	[ -f "$(ketch inspect -f '{{.LogPath}}' one)" ]
	is "$(ketch inspect -f '{{json .HostConfig.LogConfig}}' one)" '{"Type":"json-file","Config":{}}'
	is "$(ketch inspect -f '{{.HostConfig.RestartPolicy}} {{.HostConfig.LogConfig}}' one)" '{no 0} {json-file map[]}'
	is "$(ketch inspect -f '{{.ID}} {{.HostConfig.NanoCPUs}} {{.HostConfig.CPUShares}}' one)" \
		"$(ketch inspect -f '{{.Id}} {{.HostConfig.NanoCpus}} {{.HostConfig.CpuShares}}' one)"
	is "$(ketch inspect -f '{{.Config.Volumes}}' one)" 'map[]'
	is "$(ketch inspect -f '{{println .Path}}{{range .Args}}{{println .}}{{end}}' two)" $'sh\n-c\nexit 3'
	is "$(ketch inspect --format json one | jq -r '.[0].Name')" one
	is "$(ketch inspect --format json one | wc -l)" 1
	is "$(ketch inspect -f '{{index .RepoTags 0}} {{.Os}} {{.Config.WorkingDir}}' ketch/base)" 'ketch/base:latest linux '
	is "$(ketch inspect --type image -f '{{.Id}}' ketch/base)" "$(ketch inspect -f '{{.Image}}' one)"
	case $ISOLATION in
	container) [ -d "$(ketch inspect -f '{{.GraphDriver.Data.UpperDir}}' one)" ] ;;
	vm) [ -f "$(ketch inspect -f '{{.GraphDriver.Data.Disk}}' one)" ] ;;
	esac
}

@test "inspect: a wrong template, kind or name is one line" {
	refused 1 'no such instance: ketch/base' ketch inspect --type container ketch/base
	refused 1 'no such image: one' ketch inspect --type image one
	refused 125 'must be one of' ketch inspect --type thing one
	refused 1 'template parsing error: template: :1:2: no field .Stat \(did you mean .State\?\)' ketch inspect -f '{{.Stat}}' one
	refused 1 'function "foo" not defined' ketch inspect -f '{{foo .Id}}' one
	run --separate-stderr ketch inspect -f '{{.Name}}' nosuch one
	is "$status" 1 && is "$output" one && like "$stderr" 'no such instance or image: nosuch'
}

@test "images take templates and filters" {
	local id
	id=$(ketch images -q ketch/base)
	is "$(ketch image inspect -f "{{.RepoTags}}" "$id" "sha256:$id")" $'[ketch/base:latest]\n[ketch/base:latest]'
	ketch tag ketch/base other:1
	is "$(ketch images --format '{{.Repository}}:{{.Tag}} {{.Digest}}' other)" 'other:1 <none>'
	is "$(ketch images -q 'ketch/*')" "$(ketch inspect -f '{{slice .Id 7 19}}' ketch/base)"
	is "$(ketch images -f reference=oth?r --format '{{.Tag}}')" 1
	is "$(ketch images -f dangling=true -q)" ""
	like "$(ketch images --digests)" '^REPOSITORY +TAG +DIGEST +IMAGE ID +CREATED +SIZE'
	is "$(ketch images --no-trunc --format '{{len .ID}}' other)" 71
	ketch rmi other:1
}
