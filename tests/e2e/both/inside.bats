# inside.bats - flags about the inside: environment, names, /etc, kernel settings, masks, what is refused
load ../lib

setup_file() {
	store_open
	printf 'A=file\n# no\nB=file\n' >"$DIR/env"
	printf 'from=file\n# no\nbare\n' >"$DIR/labels"
	http_proxy=http://p:1 stay --name in -h box --domainname dom.example --add-host "db:10.1.2.3" --add-host 'six:[fd00::1]' \
		--sysctl net.core.somaxconn=77 --sysctl kernel.shmmax=123456789 --shm-size 8m --umask 0007 --group-add 1234 \
		--tz Asia/Tokyo --env-file "$DIR/env" -e B=option --env-merge 'PATH=/first:${PATH}' --unsetenv LANG --http-proxy \
		--label-file "$DIR/labels" -l own=1 --annotation k=v --security-opt unmask=/proc/kcore:/proc/keys \
		--security-opt mask=/proc/version:/nosuch --security-opt no-new-privileges:true --security-opt label=disable \
		--security-opt proc-opts=hidepid=2 --device-cgroup-rule 'c 10:229 rwm' --platform linux/amd64 --pull missing \
		-q --disable-content-trust >/dev/null
}
teardown_file() { store_close; }

@test "names: host, domain, and /etc/hosts with what was added" {
	is "$(ketch exec in sh -c 'hostname; cat /proc/sys/kernel/domainname')" $'box\ndom.example'
	run ketch exec in cat /etc/hosts
	like "$output" $'10\\.[0-9.]+\tbox.dom.example box'
	like "$output" $'10.1.2.3\tdb'
	like "$output" $'fd00::1\tsix'
}

@test "kernel settings and the size of /dev/shm" {
	is "$(ketch exec in cat /proc/sys/net/core/somaxconn /proc/sys/kernel/shmmax)" $'77\n123456789'
	is "$(ketch exec in df -k /dev/shm | awk 'NR == 2 { print $2 }')" 8192
}

@test "--umask, --group-add and --tz, also for exec" {
	is "$(ketch exec in sh -c 'umask; id -G; date -d @0 +%z' | tr '\n' ' ')" '0007 0 1234 +0900 '
}

@test "environment: files, then options; merged, left out, proxies" {
	is "$(ketch exec in sh -c 'echo $A $B $http_proxy ${PATH%%:*} ${LANG-none}')" 'file option http://p:1 /first none'
}

@test "--unsetenv-all leaves what is asked for, and what nothing runs without; --sysctl of the kernel: a machine has its own" {
	local own=(--sysctl vm.overcommit_ratio=33) seen=/proc/sys/vm/overcommit_ratio value='33 '
	if [ "$ISOLATION" = container ]; then
		refused 125 '--sysctl vm.overcommit_ratio: belongs to no namespace' krun "${own[@]}" ketch/base true
		own=() seen='' value=''
	fi
	is "$(krun --rm --unsetenv-all -e X=1 "${own[@]}" ketch/base cat /proc/self/environ $seen | tr '\0' '\n' | sort | tr '\n' ' ')" \
		"${value}HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin X=1 "
}

@test "masks: what is asked for besides, and what is not masked" {
	is "$(ketch exec in sh -c 'wc -c </proc/version; [ -c /proc/keys ] && echo hidden || echo shown; [ -c /proc/timer_list ] && echo hidden')" $'0\nshown\nhidden'
	like "$(ketch exec in grep ' /proc proc' /proc/self/mounts)" hidepid
	is "$(ketch exec in grep NoNewPrivs /proc/self/status)" $'NoNewPrivs:\t1'
}

@test "inspect shows them as Docker does" {
	is "$(inspect_of in '.HostConfig | [.ShmSize, .Sysctls["net.core.somaxconn"], .GroupAdd[0], .Annotations.k, .DeviceCgroupRules[0]] | @csv')" \
		'8388608,"77","1234","v","c 10:229 rwm"'
	is "$(inspect_of in '.Config | [.Domainname, .Labels.from, .Labels.bare, .Labels.own] | @csv')" '"dom.example","file","","1"'
}

@test "--no-hosts leaves the image's file; --timeout kills; systempaths=unconfined shows all" {
	run krun --rm --no-hosts --timeout 1 --security-opt systempaths=unconfined ketch/base \
		sh -c 'cat /etc/hosts; [ -c /proc/timer_list ] && echo hidden; exec tail -f /dev/null'
	is "$status" 137
	unlike "$output" 'box|ip6-localnet|hidden'
}

@test "what cannot be: one line that begins with the flag, and nothing is made" {
	local flag
	for flag in --publish=80:0 --expose=0 --dns=x --ip=10.0.0.1 --gpus=all --kernel-memory=1g --network-alias=x/y; do
		refused 125 '^ketch: (-p|--ip|--[a-z-]+:|network alias) ' krun "$flag" ketch/base true
	done
	refused 125 '--add-host' krun --add-host nowhere ketch/base true
	refused 125 '--add-host' krun --add-host :host-gateway ketch/base true
	refused 125 'exclude' krun --no-hosts --add-host a:1.1.1.1 ketch/base true
	refused 125 '--tz' krun --tz Nowhere/Land ketch/base true
	refused 125 '--tz' krun --tz ../../etc/passwd ketch/base true
	refused 125 '--umask' krun --umask 8 ketch/base true
	refused 125 '--sysctl' krun --sysctl net..x=1 ketch/base true
	refused 125 '--platform linux/arm64: the image' krun --platform linux/arm64 ketch/base true
	refused 125 '--security-opt' krun --security-opt nonsense ketch/base true
	refused 125 '--security-opt proc-opts' krun --security-opt proc-opts=hidepid=2,suid ketch/base true
	refused 125 '--device-cgroup-rule' krun --device-cgroup-rule 'x 1:1 r' ketch/base true
	refused 125 '--env-merge' krun --env-merge NAME ketch/base true
	is "$(ketch ps -aq | wc -l)" 1
}

@test "devices of the host: for a container; a machine of its own says no" {
	if [ "$ISOLATION" = vm ]; then
		refused 125 '^ketch: --device works for containers only' krun --device /dev/fuse ketch/base true
		return
	fi
	run krun --rm --device /dev/kmsg:/dev/log/k:r --device /dev/zero:/dev/z ketch/base \
		sh -c 'stat -c "%t:%T" /dev/log/k; head -c 3 /dev/z | wc -c; : >/dev/log/k'
	is "${lines[0]}" 1:b
	is "${lines[1]}" 3
	like "${lines[2]}" 'not permitted'
	refused 125 '--device: /etc/passwd is not a device' krun --device /etc/passwd ketch/base true
	refused 125 '--device: /dev/nosuch: no such' krun --device /dev/nosuch ketch/base true
	refused 125 '--device: invalid access' krun --device /dev/null:/dev/n:rx ketch/base true
}
