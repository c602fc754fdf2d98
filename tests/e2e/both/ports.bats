#!/usr/bin/env bats
# ports.bats - published ports: from the host, from another machine, who comes is seen, one port has one holder; they change
load ../lib
load ../second

WEB='mkdir -p /w/cgi-bin; printf "#!/bin/sh\nprintf \"Content-Type: text/plain\\n\\n\"; echo \$REMOTE_ADDR\n" >/w/cgi-bin/who
chmod +x /w/cgi-bin/who; cp /etc/hostname /w/name; httpd -p 80 -h /w; echo ready; trap "exit 0" TERM; tail -f /dev/null & wait'

setup_file() {
	store_open
	second_machine
	krun -d --name web --hostname webhost -p 8080:80 -p 192.168.7.1:8081:80 -p 192.168.7.1:8081:81/udp -p '[::1]:8082:80' \
		ketch/base sh -c "$WEB" >/dev/null
	await 60 logged web ready
	gcc -static -x c -o "$DIR/echo" - <<-EOF
		#include <sys/socket.h>
		#include <netinet/in.h>
		int main(void)
		{
			struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(81) };
			socklen_t n = sizeof(a);
			char c[100];
			int s = socket(AF_INET, SOCK_DGRAM, 0);
			if (bind(s, (void *)&a, n) < 0)
				return 1;
			for (;;)
				sendto(s, c, recvfrom(s, c, sizeof(c), 0, (void *)&a, &n), 0, (void *)&a, n);
		}
	EOF
	ketch cp "$DIR/echo" web:/echo
	ketch exec -d web /echo
}

teardown_file() {
	kill "$(cat "$DIR/second")"
	store_close
}

who() { curl -sS -m 20 "http://$1/cgi-bin/who" | sed "s/.*::ffff://; s/]//"; } # HOST:PORT

@test "published on 127.0.0.1 where no address is given: reached from the host, from nowhere else" {
	is "$(curl -sS -m 20 http://127.0.0.1:8080/name)" webhost
	like "$(who 127.0.0.1:8080)" '^10\.'
	run second "curl -sS -m 1 http://192.168.7.1:8080/name"
	[ "$status" -ne 0 ]
}

@test "published on an address: reached from another machine, whose address is seen" {
	like "$(second "curl -sS -m 20 http://192.168.7.1:8081/cgi-bin/who")" '192\.168\.7\.2]?$'
	is "$(who 192.168.7.1:8081)" 192.168.7.1
}

@test "published on [::1], which Linux does not route" {
	is "$(curl -sS -m 20 'http://[::1]:8082/name')" webhost
}

@test "UDP" {
	await 10 second "python3 -c 'import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.settimeout(5)
s.connect((\"192.168.7.1\", 8081)); s.send(b\"echo\"); assert s.recv(9) == b\"echo\"'"
}

@test "what is not published is not reached, though its machine knows the way" {
	local address
	address=$(ketch exec web hostname -i)
	like "$address" '^10\.'
	is "$(curl -sS -m 20 "http://$address/name")" webhost
	run second "curl -sS -m 1 http://$address/name"
	[ "$status" -ne 0 ]
}

@test "an instance reaches its own published port" {
	like "$(ketch exec web wget -q -O - http://192.168.7.1:8081/cgi-bin/who)" '10\.'
}

@test "somebody deletes all rules: the next command that starts something puts them back" {
	nft flush ruleset
	run curl -sS -m 1 http://127.0.0.1:8080/name
	[ "$status" -ne 0 ]
	ketch run --isolation container --rm ketch/base true
	is "$(curl -sS -m 20 http://127.0.0.1:8080/name)" webhost
}

@test "a port that is taken is refused, by the name of who has it" {
	refused 125 'port 8080/tcp of 127.0.0.1 is in use by web' krun --rm -p 8080:80 ketch/base true
	refused 125 'port 8081/udp of 0.0.0.0 is in use by web' krun --rm -p 0.0.0.0:8081:80/udp ketch/base true
	python3 -c 'import socket, time; s = socket.create_server(("127.0.0.1", 8099)); print(flush=True); time.sleep(60)' >"$DIR/held" &
	await 30 test -s "$DIR/held"
	refused 125 "8099/tcp .* in use by python3 \(process $!\)" krun --rm -p 8099:80 ketch/base true
	kill $!
	refused 125 'in use by web' krun --rm -p 8080-8080:80 ketch/base true
	refused 125 '192.0.2.1 is not an address of this host' krun --rm -p 192.0.2.1:80:80 ketch/base true
	run python3 -c 'import socket; socket.create_server(("127.0.0.1", 8080))' # nor can anybody else have it
	[ "$status" -ne 0 ]
}

@test "port add, rm: what is published of one that runs changes, and who has a port is told" {
	is "$(ketch port add web 8090:80 '[::1]:8091:80' 0:80)" "$(ketch port web | tail -3)"
	is "$(curl -sS -m 20 http://127.0.0.1:8090/name)" webhost
	is "$(curl -sS -m 20 'http://[::1]:8091/name')" webhost
	is "$(curl -sS -m 20 "http://$(ketch port web 80 | tail -1)/name")" webhost
	like "$(ketch ps --format '{{.Ports}}')" '127.0.0.1:8090->80/tcp, \[::1\]:8091->80/tcp'
	refused 1 'port 8090/tcp of 127.0.0.1 is in use by web' ketch port add web 8092:80 8090:80
	refused 125 'port 8090/tcp of 127.0.0.1 is in use by web' krun --rm -p 8090:80 ketch/base true
	nothing_at 'http://127.0.0.1:8092' # all or none
	refused 1 "no public port '127.0.0.1:8092:80/tcp' published for web" ketch port rm web 8090:80 8092:80
	is "$(curl -sS -m 20 http://127.0.0.1:8090/name)" webhost
	ketch port rm web 8090:80 '[::1]:8091:80' '[::1]:8082:80'
	for at in 127.0.0.1:8090 '[::1]:8091' '[::1]:8082'; do nothing_at "http://$at"; done
	is "$(ketch port add web '[::1]:8082:80')" '80/tcp -> [::1]:8082'
	is "$(curl -sS -m 20 'http://[::1]:8082/name')" webhost
	python3 -c 'import socket; socket.create_server(("127.0.0.1", 8090))'
	ketch rename web add # a name that is a word of ours, too
	is "$(ketch port -- add 80 | head -1)" 127.0.0.1:8080
	is "$(ketch container port add 80 | head -1)" 127.0.0.1:8080
	ketch rename add web
	refused 1 'invalid containerPort: apple' ketch port add web 8090:apple
}
nothing_at() { # URL
	run curl -sS -m 1 "$1/name"
	[ "$status" -ne 0 ]
}

@test "a range, and one that does not run: its record changes" {
	ketch pause web
	ketch port add web 8093-8094:80-81/udp # the monitor does not stand still
	ketch unpause web
	is "$(ketch port web 81/udp | grep -c 8094)" 1
	ketch create --isolation "$ISOLATION" --name later -p 8095:80 ketch/base true >/dev/null
	is "$(ketch port add later 8096:80 127.0.0.1::81)" ""
	refused 1 'in use by later' ketch port add later 8096:82
	ketch port rm later 80
	refused 1 "no public port '127.0.0.1::80/tcp'" ketch port rm later 80
	is "$(inspect_of later '.HostConfig.PortBindings|tojson')" '{"81/tcp":[{"HostIp":"127.0.0.1","HostPort":""}]}'
	ketch rm later
	ketch run -d --isolation container --network none --name alone ketch/base "${STAY[@]}" >/dev/null
	refused 1 'port publishing and --network none' ketch port add alone 8097:80
	refused 1 'no such instance' ketch port add nobody 8097:80
	ketch rm -f alone
}

@test "what was added is there after a restart, what was taken away is not" {
	ketch port rm web 8080:80
	ketch restart -t 0 web >/dev/null
	await 60 reached 'http://[::1]:8082'
	nothing_at http://127.0.0.1:8080
	is "$(ketch port web 81/udp | grep -c 8094)" 1
	ketch port add web 8080:80
	is "$(curl -sS -m 20 http://127.0.0.1:8080/name)" webhost
}
reached() { curl -s -m 2 "$1/name"; } # URL

@test "a monitor that is killed leaves its ports free" {
	ketch run -d --isolation container --name gone -p 8085:80 ketch/base "${STAY[@]}" >/dev/null # networks.bats kills a machine's
	kill -9 "$(monitor_of gone)"
	await 10 python3 -c 'import socket; socket.create_server(("127.0.0.1", 8085))'
	await 20 status_is gone exited
	run grep -c "$(inspect_of gone .Id)" <(nft list ruleset)
	is "$output" 0
	ketch rm gone
}

@test "whoever hears of the end can publish the port again at once" {
	local i
	for i in {1..4}; do
		krun --rm -p 127.0.0.1:8090:80 -p '[::1]:8090:80' ketch/base true
		krun --rm -p 127.0.0.1:8090:80 ketch/base nosuch 2>/dev/null || is "$?" 127
	done
	run -0 krun --name again -d -p 127.0.0.1:8090:80 ketch/base true
	is "$(ketch wait again)" 0
	krun --rm -p 127.0.0.1:8090:80 ketch/base true
	ketch rm again
}
