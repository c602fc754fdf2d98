# report.sh - run inside (sh -c): what a process sees of its world, as NAME=VALUE lines
echo "pid=$$"
echo "args=$*"
echo "uid=$(id -u) gid=$(id -g) groups=$(id -G)"
echo "cwd=$(pwd)"
echo "hostname=$(hostname)"
echo "umask=$(umask)"
echo "fds=$(cd /proc/self/fd && echo *)"
echo "stdin=$(readlink /proc/$$/fd/0)"
awk '/^(Cap|NoNewPrivs|Seccomp:)/ { sub(":", ""); print "status." $1 "=" $2 }' /proc/$$/status
awk -F'  +' 'NR > 1 { print "limit." $1 "=" $2 ":" $3 }' /proc/$$/limits
env | sed 's/^/env./'
awk '{ print "mount." $5 "=" $6 " " $(NF - 2) " " $NF }' /proc/$$/mountinfo
for d in /dev/*; do echo "dev.${d#/dev/}=$(stat -c '%F %t:%T %a' "$d")"; done
for i in /sys/class/net/*; do echo "net.${i##*/}=$(ifconfig "${i##*/}" | grep -c UP)"; done
for p in /proc/kcore /proc/keys /proc/timer_list /proc/sched_debug; do
	[ ! -e $p ] || echo "masked.$p=$(head -c 100 $p 2>/dev/null | wc -c)"
done
[ ! -d /sys/firmware ] || echo "masked./sys/firmware=$(ls /sys/firmware | wc -l)"
for p in / /proc/sys /proc/sysrq-trigger /sys /tmp /dev /dev/shm; do
	if [ -d $p ]; then touch $p/.t 2>/dev/null && { rm $p/.t; echo "write.$p=yes"; } || echo "write.$p=no"
	else (: >>$p) 2>/dev/null && echo "write.$p=yes" || echo "write.$p=no"; fi
done
echo "cgroup=$(cat /proc/$$/cgroup | sed 's/^[0-9]*:[^:]*://' | sort -u | tr '\n' ' ')"
echo "processes=$(ls /proc | grep -c '^[0-9]')"
