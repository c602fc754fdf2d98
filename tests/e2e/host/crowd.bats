# crowd.bats - many on one network, behind both walls: addresses, names and ways to each other, and that all of it goes
load ../lib

setup_file() { store_open; }
teardown_file() { store_close; }

CONTAINERS=60 MACHINES=4
all_names() { seq -f 'c%g' $CONTAINERS && seq -f 'v%g' $MACHINES; }
links() { ip -o link | grep -c ' k[vs]-' || :; }
no_links() { [ "$(links)" -eq 0 ]; }

# who of NAME... does not answer INSTANCE, by their names
unreached() { ketch exec "$1" sh -c 'for n; do ping -c 1 -W 20 "$n" >/dev/null || echo "$n"; done' - "${@:2}"; }
reaches_next() { # NUMBER: this container its neighbour and one of the machines
	local missed
	missed=$(unreached "c$1" "c$(($1 % CONTAINERS + 1))" "v$(($1 % MACHINES + 1))")
	[ -z "$missed" ] || echo "c$1 does not reach $missed"
}

@test "60 containers and 4 virtual machines on one network reach each other by name" {
	local all
	export -f ketch reaches_next unreached
	export CONTAINERS MACHINES
	ketch network create --subnet 10.9.0.0/24 crowd >/dev/null
	seq $MACHINES | xargs -P 2 -I{} "$KETCH" run -d --vm -m 64m --name v{} --network crowd --cap-add net_raw ketch/base \
		"${STAY[@]}" >/dev/null
	seq $CONTAINERS | xargs -P 4 -I{} "$KETCH" run -d --isolation container --name c{} --network crowd --cap-add net_raw \
		ketch/base "${STAY[@]}" >/dev/null
	is "$(ketch network inspect crowd | jq -r '.[0].Containers[] | .Name' | sort)" "$(all_names | sort)"
	is "$(ketch network inspect crowd | jq -r '.[0].Containers[] | .IPv4Address' | sort -u | wc -l)" 64
	mapfile -t all < <(all_names)
	is "$(unreached c1 "${all[@]}")" ""
	is "$(unreached v1 "${all[@]}")" ""
	is "$(seq $CONTAINERS | xargs -P 4 -I{} bash -c 'reaches_next {}')" ""
}

@test "when all are removed at once nothing of them is left" {
	local all
	mapfile -t all < <(all_names)
	ketch rm -f "${all[@]}" >/dev/null
	ketch network rm crowd >/dev/null
	await 60 no_links
	audit
}
