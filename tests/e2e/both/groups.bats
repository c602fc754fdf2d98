#!/usr/bin/env bats
# one moment of several instances, containers and virtual machines alike: all of them or none

load ../lib

setup_file() { store_open; }
teardown_file() { store_close; }

within() { ketch exec "$1" sh -c "$2"; } # INSTANCE COMMAND
counted() { within "$1" 'cat /n'; }
all_names() { ketch snapshot ls -q "$1" | sort | xargs; }

@test "a group that runs is snapshotted at one moment, with volumes and memory, and goes back whole" {
	local kept g1_holds=disk
	[ "$ISOLATION" = container ] || g1_holds="disk, memory"
	# one behind the wall of this run, two quick ones, of which one does not run; a stranger has their volume, too
	stay --name g1 -m 64m -l set=it >/dev/null
	ISOLATION=container stay --name g2 -l set=it -v gv:/v >/dev/null
	ketch create --isolation container --name g3 -l set=it -v gv:/v ketch/base true >/dev/null
	ISOLATION=container stay --name stranger -v gv:/v >/dev/null
	for i in g1 g2; do within $i 'echo one >/n; echo one >/dev/shm/n'; done
	within stranger 'echo one >/v/n'
	is "$(ketch snapshot create --group g1,g2,g3@m)" $'g1@m\ng2@m\ng3@m'
	is "$(for i in g1 g2 g3; do ketch snapshot ls --format '{{.Holds}}' $i; done)" "$g1_holds"$'\ndisk, 1 volume\ndisk, 1 volume'
	for i in g1 g2; do within $i 'echo two >/n; echo two >/dev/shm/n'; done # all go on
	within stranger 'echo two >/v/n'
	is "$(ketch snapshot create --disk-only --no-volumes --label set=it | sort)" $'g1@group0\ng2@group0\ng3@group0'
	is "$(for i in g1 g2 g3; do ketch snapshot ls --format '{{.Holds}}' $i | tail -n 1; done)" $'disk\ndisk\ndisk'

	refused 1 'g1 is running: stop it first, or add --stop' ketch rollback --group g1,g2,g3@m
	refused 1 'stranger runs with the volume gv: stop it first' ketch rollback --stop --group g1,g2,g3@m
	status_is g1 running && status_is g2 running
	ketch rm -f stranger >/dev/null
	# the last one cannot, which nobody sees before: the other is again what it was, and the volume that both have
	kept=$KETCH_ROOT/volumes/gv/snapshots/$(ketch snapshot inspect -f '{{.id}}' g3@m)
	mv "$kept/data" "$kept/away"
	refused 1 'what was kept of the volume gv' ketch rollback --stop --group g2,g3@m
	is "$(all_names g2) / $(all_names g3)" "group0 m / group0 m"
	ketch start g2 >/dev/null
	is "$(counted g2) $(within g2 'cat /v/n')" "two two"
	mv "$kept/away" "$kept/data"

	ketch rollback --stop --label set @m >/dev/null
	is "$(all_names g1) / $(all_names g2) / $(all_names g3)" "group0 m / group0 m / group0 m"
	[ "$ISOLATION" = container ] || is "$(within g1 'cat /dev/shm/n')" one # it goes on with its memory
	for i in g1 g2; do
		ketch start $i >/dev/null
		await 60 status_is $i running
		is "$(counted $i)" one
	done
	is "$(within g2 'cat /v/n')" one
}

@test "where one member cannot, none does" {
	ketch snapshot create --disk-only g2@taken >/dev/null
	refused 1 'g2 has a snapshot "taken" already' ketch snapshot create --group g1,g2@taken
	is "$(all_names g1)" "group0 m"
	refused 1 'g1 has no snapshot "taken"' ketch rollback --stop --group g2,g1@taken
	status_is g2 running
	refused 1 'g1 is in the group twice' ketch snapshot create --group g1,g1
	refused 1 'no such instance: nobody' ketch snapshot create --group g1,nobody
	refused 1 'no instance has the label none=such' ketch snapshot create --label none=such
	refused 1 'exclude each other' ketch snapshot create --group g1 --label set
	refused 1 'exclude each other' ketch snapshot create --group g1 --memory --disk-only
	refused 1 'g2 is a container: the memory of virtual machines alone is saved' ketch snapshot create --memory --group g2,g1
	refused 1 'name an instance, or give --group or --label' ketch snapshot create
	refused 1 'to which snapshot' ketch rollback --group g1,g2
	ketch pause g2 >/dev/null
	refused 1 'g2 is paused' ketch snapshot create --group g1,g2@p
	is "$(all_names g1)" "group0 m"
	ketch unpause g2 >/dev/null
}
