package scenarios

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// ownServerFile writes a protocol file, and returns a scenario that names it, with that in its section "server".
func ownServerFile(t *testing.T, protocol, server string) (path, text string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "p.yaml"), []byte(protocol), 0o600); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "s.yaml"), "version: 1\nserver: {url: https://shop.example.org/api/, protocol: ./p.yaml" + server + "}\n" +
		"clients: {members: {count: 2, channel: lobby}}\nload: {talk: {by: members, rate: 1/s, for: 2s}}\n"
}

func TestOwnServer(t *testing.T) {
	t.Parallel()
	path, text := ownServerFile(t, `
version: 1
self_echo: stream
vars: {hub: /hub, topic: "${hub}/t"}
jwt: {pub: {key: "${env.KEY}", claims: '{"sub": "${client}"}', ttl: 1h}}
subscribe:
  request: {get: "${topic}?c=${channel|url}", headers: {Authorization: "Bearer ${jwt.pub}"}}
  ready: {match: {event: hello}, capture: {id: {json: clientId}}}
  after: [{post: /join, json: '{"id": ${id|json}}', status: 204}]
  reconnect: {least: 250ms, most: 5s, factor: 2, jitter: 25%}
events: {message: {match: {event: chat, json: {kind: create}, has: body}, payload: {json: body}}}
publish: {request: {post: /say, form: {text: "${payload}", as: "${user}"}}, ok: {json: {ok: "true"}}}
identity: {marker: hex16, server_seq: sse_id}
`, ", login: [{post: /login, capture: {user: {json: name}}}]")
	f, err := Parse(path, []byte(text), func(name string) (string, bool) { return "of " + name, true })
	if err != nil {
		t.Fatal(err)
	}
	s := &f.Server
	g := s.Protocol.Generic
	if s.URL.String() != "https://shop.example.org/api" || s.Protocol.Wire != GenericWire || g == nil {
		t.Fatalf("the server is %v by %q", s.URL, s.Protocol.Wire)
	}
	if got := g.Subscribe.Request.URL; !slices.Equal(got.Uses(), []string{"channel"}) {
		t.Errorf("the request of the stream names %v: constants are filled in", got.Uses())
	}
	url, missing := g.Subscribe.Request.URL.Append(nil, func(dst []byte, _ string) ([]byte, bool) { return append(dst, "a b"...), true })
	if string(url) != "/hub/t?c=a%20b" || missing != "" {
		t.Errorf("the stream is at %s", url)
	}
	if b := g.Subscribe.Reconnect; b.Least != 250*time.Millisecond || b.Most != 5*time.Second || b.Factor != 2 || b.Jitter != 0.25 || !b.Retry {
		t.Errorf("reconnect: %+v", b)
	}
	m := &g.Events.Message
	for data, want := range map[string]bool{
		`{"kind":"create","body":"x"}`: true, `{"kind":"create"}`: false, `{"kind":"delete","body":"x"}`: false, `no JSON`: false,
	} {
		if got := m.Matches("chat", []byte(data)); got != want {
			t.Errorf("%s is an event: %v", data, got)
		}
	}
	if m.Matches("message", []byte(`{"kind":"create","body":"x"}`)) {
		t.Error("an event of another name matches")
	}
	if !slices.Contains(f.Secrets(), "of KEY") {
		t.Error("what the environment gave to a protocol file is no secret")
	}
	if id := g.Identity; id.Form != MarkerHex16 || !id.SequenceID {
		t.Errorf("identity: %+v", id)
	}
}

// What is wrong with a protocol file is said in its own lines, beside what is wrong with the scenario.
func TestWrongProtocolFiles(t *testing.T) {
	t.Parallel()
	const stream = "subscribe: {request: {get: /sub}}\n"
	for _, test := range []struct{ protocol, server, want string }{
		{"version: 1\n", "", `p.yaml:1:1: subscribe is missing`},
		{"version: 2\n", "", `p.yaml:1:10: version "2" of the language is not known`},
		{stream, "", `p.yaml:1:1: version is missing`},
		{"version: 1\nsubscribe: {request: {get: /sub, hedaers: {}}}\n", "", `p.yaml:2:34: unknown key "hedaers" in subscribe.request, did you mean "headers"?`},
		{"version: 1\nsubscribe: {request: {get: /sub, post: /sub}}\n", "", `one request has one method, and get and post are here`},
		{"version: 1\nsubscribe: {request: {headers: {}}}\n", "", `subscribe.request says not what is asked for`},
		{"version: 1\nsubscribe: {request: {get: sub}}\n", "", `"sub" is neither a path nor an address`},
		{"version: 1\nsubscribe: {request: {get: /sub, json: x}}\n", "", `a GET has no body`},
		{"version: 1\nsubscribe: {request: {get: /sub, headers: {Host: x}}}\n", "", `Host is set by holobench itself`},
		{"version: 1\nsubscribe: {request: {get: /sub, capture: {a: {json: b}}}}\n", "", `the answer to this request is the stream`},
		{"version: 1\nsubscribe: {request: {get: \"/sub/${chanel}\"}}\n", "", `nothing is known under the name "chanel", did you mean "channel"?`},
		{"version: 1\nsubscribe: {request: {get: \"/sub/${payload}\"}}\n", "", `nothing is known under the name "payload"`},
		{"version: 1\nsubscribe: {request: {get: \"/${channel|jsn}\"}}\n", "", `unknown filter "jsn", did you mean "json"?`},
		{"version: 1\nsetup: [{post: /a, status: 20}]\n" + stream, "", `"20" is no HTTP status`},
		{"version: 1\nsetup: [{post: /a, json: x, body: y}]\n" + stream, "", `a request has one body, and json and body are here`},
		{"version: 1\nsetup: [{post: /a, capture: {channel: whole}}]\n" + stream, "", `the name "channel" is one of holobench's own`},
		{"version: 1\nsetup: [{post: /a, capture: {a: wole}}]\n" + stream, "", `unknown word "wole", did you mean "whole"?`},
		{"version: 1\nsetup: [{post: /a, capture: {a: {regex: \"(\"}}}]\n" + stream, "", `"(" is no regular expression`},
		{"version: 1\nsetup: [{post: /a, capture: {a: {json: \"b..c\"}}}]\n" + stream, "", `"b..c" is no path into JSON`},
		{"version: 1\nvars: {a: \"${client}\"}\n" + stream, "", `a constant cannot hold "client"`},
		{"version: 1\njwt: {a: {claims: \"{}\"}}\n" + stream, "", `jwt.a: key is missing`},
		{"version: 1\nsubscribe: {request: {get: /sub}, framing: websocket}\n", "", `unknown word "websocket"`},
		{"version: 1\nsubscribe: {request: {get: /sub}, ready: {capture: {}}}\n", "", `subscribe.ready: match is missing`},
		{"version: 1\nsubscribe: {request: {get: /sub}, reconnect: {least: 5s, most: 1s}}\n", "", `1s is less than the first pause, 5s`},
		{"version: 1\nsubscribe: {request: {get: /sub}, reconnect: {jitter: 0.25}}\n", "", `"0.25" is no part of the pause`},
		{"version: 1\nevents: {ignore: [{}]}\n" + stream, "", `events.ignore[1] says nothing of the event`},
		{"version: 1\nevents: {react: [{match: {event: ping}}]}\n" + stream, "", `request is missing`},
		{"version: 1\npublish: {request: {post: /pub}}\n" + stream, "", `publish.request sends neither the payload nor the marker`},
		{"version: 1\npublish: {request: {post: /pub, json: '{\"n\": ${seq}, \"text\": ${payload}}'}}\n" + stream, "", `publish.request.json: ${payload} stands where a text of JSON belongs, and has no quotes`},
		{"version: 1\npublish: {request: {post: /pub, json: '{\"text\": \"${payload|json}\"}'}}\n" + stream, "", `publish.request.json: ${payload|json} brings its own quotes, and stands between others`},
		{"version: 1\npublish: {request: {post: /pub, body: \"${payload}\"}, reply: {end: {event: x}}}\n" + stream, "", `only an answer of events has one that ends it`},
		{"version: 1\nidentity: {marker: int53}\n" + stream, "", `identity.marker: any number could be one`},
		{"version: 1\nwire: hologram\n" + stream, "", `subscribe belongs to the wire generic, and the wire is hologram`},
		{"version: 1\napp: {page: /, module: M}\n" + stream, "", `app is about one on Hologram, and the wire is generic`},
		{"version: 1\nwire: hologram\napp: {page: /}\n", "", `app: module is missing`},
		{"version: 1\nwire: hologram\napp: {page: /, module: M, params: {a: b}}\n", "", `no param has the payload`},
		{"version: 1\na: {b: c\n", "", `p.yaml:`},
		{"version: 1\njwt: {a: {alg: RS256, key: secret, claims: \"{}\"}}\n" + stream, "", `RS256 signs by a private key in PEM, and this is none`},
		{"version: 1\njwt: {a: {alg: ES256, key: k, key_file: ./k.pem, claims: \"{}\"}}\n" + stream, "", `a token has one key, and key and key_file are here`},
		{"version: 1\njwt: {a: {key_file: ./nowhere.pem, claims: \"{}\"}}\n" + stream, "", `jwt.a.key_file: there is no file`},
		{"version: 1\nidentity: {foreign: sseid}\n" + stream, "", `unknown word "sseid", did you mean "sse_id"?`},
		{"version: 1\nidentity: {foreign: {header: Id}}\n" + stream, "", `an event has no header fields`},
		{"version: 1\nidentity: {reply_id: {reply: id, event: sse_id}}\n" + stream, "", `identity.reply_id: nobody can send`},
		{"version: 1\nidentity: {reply_id: {reply: id, event: sse_id}}\npublish: {request: {post: /p}, reply: {capture: {ID: whole}}}\n" + stream, "", `publish.reply.capture keeps nothing under the name "id", did you mean "ID"?`},
		{"version: 1\nidentity: {server_seq: {json: n, check: gaples}}\n" + stream, "", `unknown word "gaples", did you mean "gapless"?`},
		{"version: 1\nidentity: {server_seq: {json: n, scope: stream}}\n" + stream, "", `nothing is held against these numbers`},
		{"version: 1\nidentity: {server_seq: sse_id, marker: uuid}\nsubscribe: {request: {get: /sub}, framing: raw}\n", "", `framing: raw knows no events`},
		{"version: 1\nidentity: {server_seq: sse_id}\nsubscribe: {request: {get: /sub}, framing: ndjson}\n", "", `identity.server_seq: only server-sent events have an id, and the framing is ndjson`},
		{"version: 1\nidentity: {foreign: sse_id}\nsubscribe: {request: {get: /sub}, framing: long-poll}\n", "", `identity.foreign: only server-sent events have an id, and the framing is long-poll`},
		{"version: 1\nidentity: {marker: uuid}\nsubscribe: {request: {get: /sub}, framing: raw}\n", "", `framing: raw finds markers of the form text only`},
		{"version: 1\nsubscribe: {request: {get: /sub}, framing: raw, ready: {match: {event: hello}}}\n", "", `subscribe.ready: framing: raw knows no events`},
		{"version: 1\nevents: {ignore: [{event: ping}]}\nsubscribe: {request: {get: /sub}, framing: raw}\n", "", `events: framing: raw knows no events`},
		{
			"version: 1\npublish: {request: {post: /pub, body: \"${payload}\"}, reply: {stream: {json: id, is: a}}}\nsubscribe: {request: {get: /sub}, framing: raw}\n", "",
			`publish.reply.stream: framing: raw knows no events`,
		},
		{
			"version: 1\nidentity: {reply_id: {reply: id, event: sse_id}}\npublish: {request: {post: /p}, reply: {capture: {id: {header: X-Id}}}}\n" + stream, "",
			`identity.reply_id.reply: "id" is that of a header field`,
		},
		{"version: 1\npublish: {request: {post: /pub, body: \"${payload}\"}, reply: {stream: {json: id}}}\n" + stream, "", `publish.reply.stream: is is missing`},
		{"version: 1\npublish: {request: {post: /pub, body: \"${payload}\"}, reply: {framing: sse, stream: {json: id, is: a}}}\n" + stream, "", `the reply comes on the stream`},
		{"version: 1\nsubscribe: {request: {get: \"https://other.example.org/${channel}\"}}\npublish: {request: {post: /pub, body: \"${payload}\"}}\n", "", `the file asks for the stream at other.example.org, and the server is at shop.example.org`},
		{"version: 1\npublish: {request: {post: \"http://10.0.0.1:5561/pub\", body: \"${payload}\"}}\n" + stream, "", `two places go over plain http only`},
		{"version: 1\n" + stream, "", `the file does not say how a command is sent, and there is a load`},
		{"version: 1\n" + stream, ", bundled: {}", `server.bundled asks for the one that holobench brings along`},
		{"version: 1\n" + stream, ", insecure: maybe", `"maybe" is neither true nor false`},
	} {
		path, text := ownServerFile(t, test.protocol, test.server)
		_, err := Parse(path, []byte(text), nil)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s%s\nsays %v\nwant %s", test.protocol, test.server, err, test.want)
		}
	}
}

func TestWrongServers(t *testing.T) {
	t.Parallel()
	const rest = "\nclients: {members: {count: 2, channel: lobby}}\nload: {talk: {by: members, rate: 1/s, for: 2s}}\n"
	for server, want := range map[string]string{
		"url: ftp://x":                            "this is no address of a server",
		"url: https://u:hunter2@x":                "there is a user or a password in the address",
		"url: http://x?a=b":                       "this is no address of a server",
		"url: http://x, protocol: jsn":            `there is no protocol "jsn", did you mean "json"?`,
		"url: http://x, protocol: generic":        "the protocol generic is what a file says",
		"url: http://x, protocol: ./n.yaml":       "there is no file",
		"url: http://x, protocol: /dev/zero.yaml": "there is no file",
		"url: http://x, insecure: true":           "there is no certificate without TLS",
		"protocol: json":                          "is about a server of your own, and there is none",
		"login: []":                               "is about a server of your own, and there is none",
		`url: "${env.NOWHERE}"`:                   "the environment variable NOWHERE is not set",
	} {
		_, err := Parse("s.yaml", []byte("version: 1\nserver: {"+server+"}"+rest), nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\nsays %v\nwant %s", server, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error shows a password", server)
		}
	}
}

func FuzzProtocol(f *testing.F) {
	f.Add("version: 1\nsubscribe: {request: {get: \"/sub/${channel|url}\"}}\npublish: {request: {post: /pub, body: \"${payload}\"}}\n")
	f.Add("version: 1\nwire: hologram\napp: {page: /, module: M, params: {a: {integer: \"${payload}\"}}}\n")
	f.Add("version: 1\nvars: {a: b, c: \"${a}\"}\nsubscribe: {request: {get: \"${c}\"}, lost_if: {header: X, differs_from: \"${last_id}\"}}\n")
	f.Fuzz(func(t *testing.T, body string) {
		if err := protocolError(body); err != nil && len(err.Error()) == 0 {
			t.Error("an error without words")
		}
	})
}

// What is secret in a login does not reach run.json.
func TestLoginIsMasked(t *testing.T) {
	t.Parallel()
	const text = "version: 1\nserver:\n  url: http://x\n  login:\n    - post: /login\n      form: {user: ada, password: hunter2hunter2, again: \"${env.PASS}\"}\n" +
		"      headers: {X-Api-Key: opensesame, Accept: text/html, Authorization: \"Bearer ${env.PASS}\"} # hunter2hunter2\n" +
		"clients: {members: {count: 2, channel: lobby}}\nload: {talk: {by: members, rate: 1/s, for: 2s}}\n"
	f, err := Parse("s.yaml", []byte(text), func(string) (string, bool) { return "topsecret", true })
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"hunter2", "opensesame", "topsecret"} {
		if strings.Contains(f.Text, secret) {
			t.Errorf("the text for run.json has %s:\n%s", secret, f.Text)
		}
	}
	for _, kept := range []string{"ada", "text/html", "Bearer ${env.PASS}"} {
		if !strings.Contains(f.Text, kept) {
			t.Errorf("the text for run.json has lost %s:\n%s", kept, f.Text)
		}
	}
	if !slices.Contains(f.Secrets(), "topsecret") {
		t.Error("the environment of a login is no secret")
	}
}

// A protocol file says how events are named, and is kept without what is secret in it.
func TestOwnIdentity(t *testing.T) {
	t.Parallel()
	path, text := ownServerFile(t, `
version: 1
promises: {broadcast: per room}
vars: {api_key: opensesame, room: /r}
jwt:
  pub:
    key: hunter2hunter2
    claims: "{}"
setup: [{post: /login, form: {password: swordfish, user: ada}}]
subscribe: {request: {get: "${room}/events"}, node: "${header.x-node}", resume: {X-Cursor-Token: goldfinger}}
publish:
  request: {post: "${room}/votes", body: hello, headers: {Authorization: "Bearer ${jwt.pub}"}}
  reply: {capture: {id: {json: vote.id}}, stream: {json: re, is: "q${seq}"}}
identity: {reply_id: {reply: id, event: {json: id}}, foreign: data, server_seq: {json: n, check: gapless, scope: stream}}
`, "")
	f, err := Parse(path, []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &f.Server.Protocol
	for _, secret := range []string{"opensesame", "hunter2", "swordfish", "goldfinger"} {
		if strings.Contains(p.Text, secret) {
			t.Errorf("the text for run.json has %s:\n%s", secret, p.Text)
		}
	}
	if !strings.Contains(p.Text, "user: ada") || !strings.Contains(p.Text, "Bearer ${jwt.pub}") || p.Promises[Broadcast] != "per room" {
		t.Errorf("the text for run.json is\n%s", p.Text)
	}
	if _, err := Parse(path, []byte(strings.Replace(text, "for: 2s", "for: 2s, flow: [{think: 1s}]", 1)), nil); err != nil {
		t.Errorf("who only looks on: %v", err)
	}
	if _, err := Parse(path, []byte(strings.Replace(text, "channel: lobby", "channel: lobby, http: 2", 1)), nil); err == nil ||
		!strings.Contains(err.Error(), "clients.members.http: over HTTP/2 no command is answered on the stream") {
		t.Errorf("answers on the stream over HTTP/2: %v", err)
	}
	if _, err := Parse(path, []byte(strings.Replace(text, "channel: lobby", "stream: none", 1)), nil); err == nil ||
		!strings.Contains(err.Error(), "load.talk.by: the clients members hold no stream, and by publish.reply.stream that is where a command is answered") {
		t.Errorf("answers on a stream that nobody holds: %v", err)
	}
	id := &p.Generic.Identity
	if id.Reply == nil || id.Reply.JSON != "vote.id" || id.Check != CheckGapless || !id.PerStream || id.SequenceID || id.Sequence.JSON != "n" {
		t.Errorf("identity: %+v", id)
	}
	name, ok := id.Event.Of("x", []byte(`{"id":17}`))
	if string(name) != "17" || !ok {
		t.Errorf("the event is called %q", name)
	}
	if _, ok = id.Event.Of("x", []byte(`{"id":""}`)); ok {
		t.Error("an empty name is one")
	}
	if name, ok = id.Foreign.Of("x", []byte("all")); string(name) != "all" || !ok {
		t.Errorf("a foreign event is called %q", name)
	}
	is, _ := p.Generic.Publish.Reply.Stream.Is.Append(nil, func(dst []byte, _ string) ([]byte, bool) { return append(dst, '3'), true })
	if string(is) != "q3" || p.Generic.Subscribe.Node.Empty() {
		t.Errorf("an answer has %q", is)
	}
}

// Nor do the parameters of an app on Hologram.
func TestParamsAreMasked(t *testing.T) {
	t.Parallel()
	path, text := ownServerFile(t, "version: 1\nwire: hologram\napp: {page: /, module: M, params: {text: \"${payload}\", room: lobby, api_token: opensesame}}\n", "")
	f, err := Parse(path, []byte(strings.Replace(text, "/api/", "", 1)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if shown := f.Server.Protocol.Text; strings.Contains(shown, "opensesame") || !strings.Contains(shown, "room: lobby") || !strings.Contains(shown, "${payload}") {
		t.Errorf("the text for run.json is\n%s", shown)
	}
}

// A key in a file of its own is what stands there, without the end of its line.
func TestKeyFile(t *testing.T) {
	t.Parallel()
	path, text := ownServerFile(t, "version: 1\njwt: {pub: {key_file: ./k, claims: \"{}\"}}\nsubscribe: {request: {get: /sub}}\npublish: {request: {post: /pub, body: \"${payload}\"}}\n", "")
	parse := func(key string) (*File, error) {
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), "k"), []byte(key), 0o600); err != nil {
			t.Fatal(err)
		}
		return Parse(path, []byte(text), nil)
	}
	f, err := parse("opensesame\r\n")
	if err != nil {
		t.Fatal(err)
	}
	if key, _ := f.Server.Protocol.Generic.Tokens[0].Key.Constant(); key != "opensesame" || !slices.Contains(f.Secrets(), key) {
		t.Errorf("the key is %q, the secrets are %q", key, f.Secrets())
	}
	if _, err := parse("\n"); err == nil || !strings.Contains(err.Error(), "jwt.pub.key_file: there is no key in ") {
		t.Errorf("an empty file: %v", err)
	}
}
