# registry.bats - pull and push with Debian's docker-registry, and with one of our own that misbehaves
load ../lib
load ../registry

setup_file() {
	store_open
	export HOST UMOCI HOME=$DIR/home CONTAINERS_REGISTRIES_CONF=$DIR/registries.conf
	unset REGISTRY_AUTH_FILE
	mkdir "$HOME" && : >"$CONTAINERS_REGISTRIES_CONF"
	HOST=$(registry_open plain)
	UMOCI=$("$FIXTURES/get" umoci)/layout
	put_layout "$UMOCI" "$HOST/test/umoci:1"
}
teardown_file() {
	[ ! -d "$DIR/gpg" ] || GNUPGHOME=$DIR/gpg gpgconf --kill all
	registries_close
	store_close
}

# What skopeo says of an image there, by its format.
remote() { skopeo inspect --tls-verify=false --format "$2" "docker://$1"; } # HOST/NAME:TAG FORMAT

@test "an image is the same by whoever it is pulled: digest, id, layers" {
	local digest
	digest=$(remote "$HOST/test/umoci:1" '{{.Digest}}')
	run --separate-stderr ketch pull "$HOST/test/umoci:1"
	is "$status" 0
	is "$stderr" ""
	like "$output" "Digest: $digest"
	is "$(tail -n 1 <<<"$output")" "$HOST/test/umoci:1"
	is "$(ketch images --digests --format '{{.Digest}}' "$HOST/test/umoci")" "$digest"
	is "$(ketch image inspect "$HOST/test/umoci:1" | jq -c '.[0].RootFS.Layers')" \
		"$(skopeo inspect --tls-verify=false --config "docker://$HOST/test/umoci:1" | jq -c .rootfs.diff_ids)"
	is "$(ketch pull -q "$HOST/test/umoci@$digest")" "$HOST/test/umoci@$digest"
	is "$(ketch pull --progress json "$HOST/test/umoci:1" | jq -r .status | tail -n 1)" \
		"Status: Image is up to date for $HOST/test/umoci:1"
	run --separate-stderr ketch image packages "$HOST/test/umoci:1"
	like "$output" '^TYPE ' && is "$stderr" "" # they were noted while it came
}

@test "a layer whose file has changed here comes again" {
	local layer file
	layer=$(ketch image inspect "$HOST/test/umoci:1" | jq -r '.[0].RootFS.Layers[0]')
	file=$KETCH_ROOT/layers/${layer#sha256:}.erofs
	[ -f "$file" ] || skip "this host keeps layers as directories: there is nothing to compare"
	printf X | dd of="$file" bs=1 seek=4200 conv=notrunc status=none
	refused 1 'has changed' ketch image verify "$HOST/test/umoci:1"
	refused 1 'was removed: load or pull the image again' ketch image verify --repair "$HOST/test/umoci:1"
	ketch pull -q "$HOST/test/umoci:1" >/dev/null
	is "$(ketch image verify "$HOST/test/umoci:1")" "$HOST/test/umoci:1: ok"
}

@test "what we push others read; its layers are mounted where the registry has them, and sent once" {
	ketch tag "$HOST/test/umoci:1" "$HOST/other/name:x"
	run ketch push "$HOST/other/name:x"
	like "$output" 'Mounted from another repository'
	unlike "$output" 'Pushed'
	is "$(remote "$HOST/other/name:x" '{{.Digest}}')" "$(remote "$HOST/test/umoci:1" '{{.Digest}}')"
	ketch tag ketch/base "$HOST/our/base:1" && ketch tag ketch/base "$HOST/our/base:2"
	like "$(ketch push -a "$HOST/our/base")" 'Pushed.*1: digest: sha256:[0-9a-f]{64} size: [0-9]+.*already exists.*2: digest'
	is "$(ketch push -q "$HOST/our/base:1")" "$HOST/our/base:1"
	ketch rmi "$HOST/our/base:1" "$HOST/our/base:2" >/dev/null
	is "$(ketch pull -a "$HOST/our/base" | grep -c 'Pulling from our/base')" 2
	is "$(ketch images --format '{{.Tag}}' "$HOST/our/base" | sort | xargs)" '1 2'
	skopeo copy -q --src-tls-verify=false "docker://$HOST/our/base:2" "oci:$DIR/back:1"
	umoci unpack --image "$DIR/back:1" "$DIR/tree" >/dev/null
	diff -r --no-dereference "$DIR/tree/rootfs" "$("$FIXTURES/get" base)/rootfs"
	is "$(podman --root "$DIR/pod" --runroot "$DIR/podrun" --storage-driver vfs pull -q --tls-verify=false "$HOST/our/base:1")" \
		"$(ketch image inspect -f '{{.Id}}' ketch/base | cut -d: -f2)"
	is "$(ketch search --format '{{.Name}}' "$HOST/base")" our/base
	refused 1 'does not exist locally with the tag' ketch push "$HOST/no/such"
}

@test "an image goes from one registry to another and keeps its id, and Docker's tools agree" {
	local second id config
	second=$(registry_open second)
	id=$(ketch image inspect -f '{{.Id}}' "$HOST/test/umoci:1")
	ketch tag "$HOST/test/umoci:1" "$second/far/umoci:1"
	like "$(ketch push "$second/far/umoci:1")" 'Pushed'
	like "$(ketch push "$second/far/umoci:1")" 'Layer already exists'
	config=$(skopeo inspect --raw --tls-verify=false "docker://$second/far/umoci:1" | jq -r .config.digest)
	is "$config" "$id"
	is "$(KETCH_ROOT=$DIR/third ketch pull -q "$second/far/umoci:1")" "$second/far/umoci:1"
	is "$(KETCH_ROOT=$DIR/third ketch image inspect -f '{{.Id}}' "$second/far/umoci:1")" "$id"
	is "$(podman --root "$DIR/pod" --runroot "$DIR/podrun" --storage-driver vfs pull -q --tls-verify=false "$second/far/umoci:1")" \
		"${id#sha256:}"
	id=$("$BATS_TEST_DIRNAME/../odd_layers.py" "$DIR/odd.tar")
	ketch load -i "$DIR/odd.tar" >/dev/null
	ketch tag odd:1 "$second/odd:1" && ketch push -q "$second/odd:1"
	is "$(KETCH_ROOT=$DIR/third ketch pull -q "$second/odd:1")" "$second/odd:1"
	is "$(KETCH_ROOT=$DIR/third ketch image inspect -f '{{.Id}}' "$second/odd:1")" "$id"
	rm -rf "$DIR/third"
	registry_close second
}

@test "a pull that is killed goes on where it stopped; two at a time share the work" {
	"$BATS_TEST_DIRNAME/../../registry/resume.py" "$KETCH" "$DIR/resume"
}

@test "login: a password is asked for, kept, used and forgotten" {
	local secret tls pass=$DIR/htpasswd
	python3 -W ignore -c 'import crypt; print("ann:" + crypt.crypt("secret", crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16)))' >"$pass"
	secret=$(registry_open locked "auth: {htpasswd: {realm: r, path: $pass}}")
	skopeo copy -q --dest-creds ann:secret --dest-tls-verify=false "oci:$UMOCI:latest" "docker://$secret/x:1"
	refused 1 'no basic auth|authentication required|unauthorized' ketch pull "$secret/x:1"
	refused 1 'a user name and a password are needed' ketch login -u ann --password-stdin "$secret"
	run --separate-stderr ketch login -u ann --password-stdin "$secret" <<<wrong
	is "$status" 1
	like "$stderr" 'authentication required|wrong user'
	is "$(ketch login -u ann --password-stdin "$secret" 2>/dev/null <<<secret)" 'Login Succeeded'
	is "$(stat -c %a "$HOME/.docker/config.json")" 600
	ketch pull -q "$secret/x:1"
	ketch tag "$secret/x:1" "$secret/y:1" && ketch push -q "$secret/y:1"
	like "$(ketch logout "$secret")" "Removing login credentials for $secret"
	refused 1 'authentication required|unauthorized' ketch pull "$secret/y:1"
	helper_keeps "$secret"
	registry_close locked
}

# The same with a credential helper: nothing of it stands in the file.
helper_keeps() { # HOST
	mkdir -p "$DIR/bin" "$HOME/.docker"
	cat >"$DIR/bin/docker-credential-test" <<-'EOF2'
		#!/bin/sh
		case $1 in
		store) cat >"$0.kept" ;;
		get) [ -e "$0.kept" ] && cat "$0.kept" || { echo credentials not found in native keychain; exit 1; } ;;
		erase) rm -f "$0.kept" ;;
		esac
	EOF2
	chmod +x "$DIR/bin/docker-credential-test"
	echo '{"credsStore":"test"}' >"$HOME/.docker/config.json"
	PATH=$DIR/bin:$PATH
	ketch login -u ann --password-stdin "$1" <<<secret >/dev/null
	is "$(jq -r .Username "$DIR/bin/docker-credential-test.kept")" ann
	is "$(cat "$HOME/.docker/config.json")" '{"credsStore":"test"}'
	ketch pull -q "$1/y:1"
	ketch logout "$1" >/dev/null
	[ ! -e "$DIR/bin/docker-credential-test.kept" ]
	rm -r "$HOME/.docker"
}

@test "TLS: an authority of certs.d is trusted for its server, others are not, and our certificate is shown" {
	local tls dir=$DIR/certs
	mkdir "$dir"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=ca -keyout "$dir/ca.key" -out "$dir/ca.crt" 2>/dev/null
	certificate server "subjectAltName=IP:127.0.0.1"
	certificate client "extendedKeyUsage=clientAuth"
	tls=$(registry_open tls "  tls: {certificate: $dir/server.crt, key: $dir/server.key, clientcas: [$dir/ca.crt]}")
	refused 1 'certificate' ketch pull "$tls/x:1"
	mkdir -p "$DIR/certs.d/$tls"
	cp "$dir/ca.crt" "$DIR/certs.d/$tls/"
	refused 1 'certificate|peer' ketch pull --cert-dir "$DIR/certs.d" "$tls/x:1" # ours is not there yet
	cp "$dir/client.crt" "$DIR/certs.d/$tls/client.cert" && cp "$dir/client.key" "$DIR/certs.d/$tls/"
	ketch tag ketch/base "$tls/x:1"
	ketch push -q --cert-dir "$DIR/certs.d" "$tls/x:1"
	ketch rmi "$tls/x:1" >/dev/null && ketch pull -q --cert-dir "$DIR/certs.d" "$tls/x:1"
	registry_close tls
}

certificate() { # NAME EXTENSION: signed by the authority of the test
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$dir/$1.key" -out "$dir/$1.csr" 2>/dev/null
	openssl x509 -req -in "$dir/$1.csr" -CA "$dir/ca.crt" -CAkey "$dir/ca.key" -CAcreateserial -days 1 -out "$dir/$1.crt" \
		-extfile <(echo "$2") 2>/dev/null
}

@test "registries.conf: mirrors first, other places, short names, what is blocked; policy.json: what is rejected" {
	printf '[[registry]]\nprefix = "far.example"\nlocation = "127.0.0.1:1"\n[[registry.mirror]]\nlocation = "127.0.0.1:2"\n[[registry.mirror]]\nlocation = "%s"\n' "$HOST" >"$CONTAINERS_REGISTRIES_CONF"
	run ketch pull far.example/test/umoci:1
	is "$status" 0
	like "$output" '127.0.0.1:2: '
	is "$(ketch images -q far.example/test/umoci:1)" "$(ketch images -q far.example/test/umoci)"
	printf 'unqualified-search-registries = ["%s"]\n[[registry]]\nlocation = "no.example"\nblocked = true\n' "$HOST" >"$CONTAINERS_REGISTRIES_CONF"
	is "$(ketch pull -q test/umoci:1)" "$HOST/test/umoci:1"
	refused 1 'registries.conf blocks no.example/x' ketch pull no.example/x
	echo '{"default":[{"type":"insecureAcceptAnything"}],"transports":{"docker":{"'"$HOST"'/test":[{"type":"reject"}]}}}' >"$DIR/policy.json"
	refused 1 'policy.json rejects' ketch pull --signature-policy "$DIR/policy.json" "$HOST/test/umoci:1"
	ketch pull -q --signature-policy "$DIR/policy.json" "$HOST/our/base:1"
	echo 'x' >"$CONTAINERS_REGISTRIES_CONF"
	refused 1 'registries.conf:1: a = is missing' ketch pull "$HOST/test/umoci:1"
	: >"$CONTAINERS_REGISTRIES_CONF"
}

@test "policy.json: what must be signed comes in only with a signature by that key, of that image, under that name" {
	local dir=$DIR/keys sign=$BATS_TEST_DIRNAME/../../registry/sign.py
	mkdir "$dir"
	openssl ecparam -name prime256v1 -genkey -noout -out "$dir/a.key" && openssl ec -in "$dir/a.key" -pubout -out "$dir/a.pub" 2>/dev/null
	openssl genrsa -out "$dir/b.key" 2048 2>/dev/null && openssl rsa -in "$dir/b.key" -pubout -out "$dir/b.pub" 2>/dev/null
	put_layout "$UMOCI" "$HOST/signed/x:1"
	wants "$dir/a.pub" matchRepository
	signed() { ketch pull -q --signature-policy "$dir/policy.json" "$HOST/signed/x:1"; }
	refused 1 'policy.json wants a signature: nobody has signed it' signed
	"$sign" "$HOST" signed/x 1 "$dir/b.key"
	refused 1 'it is signed by another key' signed
	"$sign" "$HOST" signed/x 1 "$dir/a.key" "$HOST/other/x"
	refused 1 "it is signed as $HOST/other/x, not as $HOST/signed/x" signed
	is "$(ketch images -q "$HOST/signed/x")" ""
	"$sign" "$HOST" signed/x 1 "$dir/a.key"
	is "$(signed)" "$HOST/signed/x:1"
	wants "$dir/b.pub" matchRepository
	refused 1 'it is signed by another key' signed # also of what is here
	"$sign" "$HOST" signed/x 1 "$dir/b.key" "$HOST/signed/x:1"
	wants "$dir/b.pub" matchRepoDigestOrExact
	is "$(signed)" "$HOST/signed/x:1"
}

# Signs FILE (a manifest) as REFERENCE, as signature-NUMBER of the image gpg/x.
gpg_sign() { # KEY FILE REFERENCE NUMBER
	mkdir -p "$SIGNATURES"
	skopeo standalone-sign "$2" "$3" "$(gpg --with-colons --list-keys "$1" | awk -F: '/^fpr/ { print $10; exit }')" \
		-o "$SIGNATURES/signature-$4" >/dev/null
}

@test "policy.json: signedBy asks gpgv: by that key, of that image, under that name; from a directory and from a server" {
	local dir=$DIR/gpg url
	export GNUPGHOME=$dir SIGNATURES
	mkdir -m 700 "$dir" && mkdir -p "$HOME/.config/containers/registries.d" "$DIR/sigs" "$DIR/sigserver"
	for url in a b; do
		gpg --batch --quiet --passphrase '' --quick-generate-key "$url@ketch" ed25519 sign never 2>/dev/null
	done
	gpg --armor --export a@ketch >"$dir/a.asc"
	put_layout "$UMOCI" "$HOST/gpg/x:1"
	skopeo inspect --raw --tls-verify=false "docker://$HOST/gpg/x:1" >"$dir/manifest"
	SIGNATURES=$DIR/sigs/gpg/x@sha256=$(sha256sum <"$dir/manifest" | cut -d' ' -f1)
	printf 'docker:\n  "%s/gpg":\n    lookaside: file://%s # here\n' "$HOST" "$DIR/sigs" >"$HOME/.config/containers/registries.d/x.yaml"
	gpg_wants() { # IDENTITY KEY: VALUE
		echo '{"default":[{"type":"reject"}],"transports":{"docker":{"'"$HOST"'/gpg":[{"type":"signedBy","keyType":"GPGKeys","'"$2"'":"'"$3"'","signedIdentity":{"type":"'"$1"'"}}]}}}' >"$dir/policy.json"
	}
	gpg_wants matchExact keyPath "$dir/a.asc"
	signed() { ketch pull -q --signature-policy "$dir/policy.json" "$HOST/gpg/x:1"; }
	refused 1 'policy.json wants a signature: nobody has signed it' signed
	gpg_sign b@ketch "$dir/manifest" "$HOST/gpg/x:1" 1
	refused 1 'policy.json wants a signature: it is signed by another key' signed
	echo junk >"$SIGNATURES/signature-1"
	refused 1 'policy.json wants a signature: it is no OpenPGP signature' signed
	gpg_sign a@ketch "$dir/manifest" "$HOST/other/x:1" 1
	refused 1 "it is signed as $HOST/other/x:1, not as $HOST/gpg/x:1" signed
	jq . "$dir/manifest" >"$dir/other"
	gpg_sign a@ketch "$dir/other" "$HOST/gpg/x:1" 1
	refused 1 'a signature of another image' signed
	is "$(ketch images -q "$HOST/gpg/x")" ""
	gpg_sign a@ketch "$dir/manifest" "$HOST/gpg/x:1" 2 # the first is no good, the second is
	is "$(signed)" "$HOST/gpg/x:1"

	python3 -u -m http.server --bind 127.0.0.1 -d "$DIR/sigs" 0 >"$DIR/sigserver/log" 2>&1 3>&- &
	echo $! >"$DIR/sigserver/pid"
	await 20 grep -q '^Serving HTTP' "$DIR/sigserver/log"
	url=$(sed -n 's|^Serving HTTP.*(\(http://.*\)/).*|\1|p' "$DIR/sigserver/log")
	printf 'default-docker:\n  lookaside: %s/\n' "$url" >"$HOME/.config/containers/registries.d/x.yaml"
	gpg_wants matchRepository keyData "$(gpg --export b@ketch | base64 -w0)"
	refused 1 'policy.json wants a signature: it is signed by another key' signed # also of what is here
	gpg_wants matchRepository keyData "$(gpg --export a@ketch | base64 -w0)"
	is "$(signed)" "$HOST/gpg/x:1"
	registry_close sigserver
	echo 'docker: [x]' >"$HOME/.config/containers/registries.d/x.yaml"
	refused 1 'registries.d/x.yaml: line 1: only "key: word" is understood' signed
	rm "$HOME/.config/containers/registries.d/x.yaml"
	[ -z "$(ls -A "$KETCH_ROOT/tmp")" ]
}

wants() { # KEY IDENTITY
	echo '{"default":[{"type":"reject"}],"transports":{"docker":{"'"$HOST"'/signed":[{"type":"sigstoreSigned","keyPath":"'"$1"'","signedIdentity":{"type":"'"$2"'"}}]}}}' >"$DIR/keys/policy.json"
}

@test "the process that speaks with the network has a user of its own, no rights and no files" {
	"$BATS_TEST_DIRNAME/../../registry/rights.py" "$KETCH" "$DIR/rights"
}

misbehave() { "$BATS_TEST_DIRNAME/../../registry/misbehave.py" "$KETCH" "$@"; }

@test "a registry that cuts, stalls, lies or leads astray: the image, or one line and the store as it was" {
	misbehave cuts 4
	misbehave stalls 1
	misbehave lies 18
	misbehave redirects 6
}

@test "whoever asks for a password: only the server that it is for sees it" {
	misbehave auth 16
}

@test "mutants of manifests, indexes and configs change nothing" {
	misbehave mutants 18
}
