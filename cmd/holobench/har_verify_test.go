package main

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var recordings = flag.String("recordings", "", "directory that the recordings are kept in (make verify-har)")

// answer is how a person answers a guess: by writing something else where it stands.
type answer struct{ check, old, new string }

// told is a design of the target, or a wire of it, as one tab sees it.
type told struct {
	name    string
	serve   []string
	page    string
	sends   string // an expression that sends two texts, and is done when they came back
	answers []answer
}

// byPage has the page of the target send two texts, one after the other.
const byPage = `(async () => {
	for (const text of ["good morning 17", "good evening 18"]) {
		document.getElementById("text").value = text;
		document.querySelector("#say button").click();
		%s
	}
})()`

// untilShown waits until the page shows the text.
const untilShown = `while (!document.getElementById("rows").textContent.includes(text)) await new Promise((wake) => setTimeout(wake, 20));`

func recordedDesigns() []told {
	seen, sent := strings.Replace(byPage, "%s", untilShown, 1), strings.Replace(byPage, "%s", "await new Promise((wake) => setTimeout(wake, 300));", 1)
	page := func(design string) told {
		return told{name: design, serve: []string{"--design", design}, page: "/?channel=lobby", sends: seen}
	}
	all := []told{page("single-channel"), page("sequenced"), page("state-sync"), page("ephemeral"), page("hologram"), page("long-poll"), page("channels")}
	all[3].sends = sent // nobody hears of his own there
	for i := range 3 {  // more than one channel, as the comment says
		all[i].answers = []answer{{`"lobby" was taken for the channel`, "channel: lobby", `channel: {pattern: "room-${n}", count: 2}`}}
	}
	all[0].answers = append(all[0].answers, answer{"the browser made it up", "page-${run.id}-${client}&", "${group}-${run.id}-${client}&"},
		answer{"made it up; here each client makes one of its own\n    post", "page-${run.id}-${client}", "${group}-${run.id}-${client}"})
	return append(all,
		told{name: "hologram-wire", serve: []string{"--design", "hologram", "--wire", "hologram"}, page: "/hologram/room?channel=lobby", sends: hologramTab},
		told{name: "long-poll-wire", serve: []string{"--design", "long-poll", "--wire", "long-poll"}, page: "/?channel=elsewhere", sends: longPollTab},
		told{name: "channels-wire", serve: []string{"--design", "channels", "--wire", "channels"}, page: "/?channel=elsewhere", sends: channelsTab},
	)
}

// What the page of an app on Hologram does, as far as a server sees it.
const hologramTab = `(async () => {
	const hex = (text) => "b0" + [...new TextEncoder().encode(text)].map((b) => b.toString(16).padStart(2, "0")).join("");
	const html = document.documentElement.outerHTML;
	const { csrfToken, instanceId } = globalThis.Hologram;
	const Type = new Proxy({}, { get: (_, kind) => (value) => ({ kind, value }) });
	const tokens = Hologram.pageMountData({ Type }).subReceiptAdds.value.map((r) => r.value[2].value);
	const pairs = (all) => ({ t: "m", d: all });
	const post = (url, term) => fetch(url, { method: "POST", headers: { "Content-Type": "application/json", "X-Csrf-Token": csrfToken }, body: JSON.stringify([3, term]) });
	const shake = await (await post("/hologram/sse/handshake", pairs([["ainstance_id", hex(instanceId)], ["areceipts", { t: "l", d: tokens.map(hex) }]]))).json();
	const stream = new EventSource("/hologram/sse?instance_id=" + encodeURIComponent(instanceId) + "&handshake_id=" + encodeURIComponent(shake.handshakeId));
	await new Promise((open) => { stream.onopen = open; });
	for (const text of ["good morning 17", "good evening 18"]) {
		const answer = await post("/hologram/command", pairs([["ainstance_id", hex(instanceId)], ["amodule", "aElixir.Holobench.Page"], ["aname", "asend"],
			["aparams", pairs([["achannel", hex("lobby")], ["apayload", hex(text)]])], ["atarget", hex("page")]]));
		if (!(await answer.text()).includes(text)) throw new Error("no echo");
	}
})()`

// What Phoenix's own client does over long polling.
const longPollTab = `(async () => {
	const url = "/socket/longpoll?vsn=2.0.0";
	const { token } = await (await fetch(url)).json();
	const at = url + "&token=" + encodeURIComponent(token);
	let heard = "";
	(async () => { for (;;) heard += await (await fetch(at)).text(); })();
	const push = (message) => fetch(at, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(message) });
	const until = async (text) => { while (!heard.includes(text)) await new Promise((wake) => setTimeout(wake, 20)); };
	await push(["1", "1", "lobby", "phx_join", {}]);
	await until("phx_reply");
	for (const [n, text] of [[2, "good morning 17"], [3, "good evening 18"]]) {
		await push(["1", String(n), "lobby", "message", { payload: text }]);
		await until(text);
	}
})()`

// What Phoenix's own client does over a WebSocket.
const channelsTab = `(async () => {
	const socket = new WebSocket("ws://" + location.host + "/socket/websocket?vsn=2.0.0");
	let heard = "";
	socket.onmessage = ({ data }) => { heard += data; };
	await new Promise((open) => { socket.onopen = open; });
	const until = async (text) => { while (!heard.includes(text)) await new Promise((wake) => setTimeout(wake, 20)); };
	socket.send(JSON.stringify(["1", "1", "lobby", "phx_join", {}]));
	await until("phx_reply");
	for (const [n, text] of [[2, "good morning 17"], [3, "good evening 18"]]) {
		socket.send(JSON.stringify(["1", String(n), "lobby", "message", { payload: text }]));
		await until(text);
	}
})()`

// TestVerifyHAR records one tab of a real browser at each design, makes files of that, answers what is marked in them, and runs them.
func TestVerifyHAR(t *testing.T) {
	if !*verify {
		t.Skip("starts a browser: make verify-har")
	}
	for _, d := range recordedDesigns() {
		t.Run(d.name, func(t *testing.T) {
			server := startServe(t, "127.0.0.1:0", d.serve...)
			r := record(t)
			r.open("http://" + server.addr + d.page)
			if strings.HasPrefix(d.page, "/?") {
				r.until(isOpen)
			}
			r.eval(d.sends)
			verifyRecording(t, r, server.addr, d)
		})
	}
}

// pocketBaseTab is what an app on PocketBase does that has its users log in.
const pocketBaseTab = `(async () => {
	const post = async (url, body, headers = {}) => {
		const answer = await fetch(url, { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body) });
		if (!answer.ok) throw new Error(url + ": " + answer.status);
		return answer.status === 204 ? null : answer.json();
	};
	const { token, record } = await post("/api/collections/users/auth-with-password", { identity: "ann@example.org", password: "open sesame 12" });
	const stream = new EventSource("/api/realtime");
	let heard = "";
	await new Promise((ready, failed) => stream.addEventListener("PB_CONNECT", ({ data }) => {
		post("/api/realtime", { clientId: JSON.parse(data).clientId, subscriptions: ["messages/*"] }, { Authorization: token }).then(ready, failed);
	}));
	stream.addEventListener("messages/*", ({ data }) => { heard += data; });
	for (const text of ["good morning 17", "good evening 18"]) {
		await post("/api/collections/messages/records", { sender: record.id, body: text }, { Authorization: token });
		while (!heard.includes(text)) await new Promise((wake) => setTimeout(wake, 20));
	}
})()`

// TestVerifyHARPocketBase records a tab of an app on a server that is not ours: there is a login, a token in an answer, and a name in the
// first event of the stream.
func TestVerifyHARPocketBase(t *testing.T) {
	if !*verify {
		t.Skip("starts a browser: make verify-har")
	}
	addr := startPocketBase(t, `"@request.auth.id != ''"`)
	r := record(t)
	r.open("http://" + addr + "/api/health")
	r.eval(pocketBaseTab)
	t.Setenv("PASSWORD", "open sesame 12")
	verifyRecording(t, r, addr, told{name: "pocketbase"})
}

// verifyRecording saves a recording, has it made into files, and runs them. The recording that is kept in testdata became the same.
func verifyRecording(t *testing.T, r *recorder, addr string, d told) {
	t.Helper()
	const kept = "127.0.0.1:8080" // where all servers of the kept ones are said to be
	dir, name := t.TempDir(), "chromium-"+d.name
	path, scenario := filepath.Join(dir, name+".har"), filepath.Join(dir, name+".yaml")
	r.save(path)
	if *recordings != "" {
		r.save(filepath.Join(*recordings, name+".har"), addr, kept)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), program, "new", "--from", path, "-o", scenario)
	c.Args[0] = "holobench"
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	golden, err := os.ReadFile(filepath.Join("../../internal/har/testdata", name+".golden"))
	if err != nil {
		t.Fatal(err)
	}
	_, want, _ := strings.Cut(string(golden), "\n\n")
	if got := strings.ReplaceAll(filesOf(t, scenario), addr, kept); got != want {
		t.Errorf("it became something else than the recording that is kept:\n%s", got)
	}
	for _, a := range d.answers {
		answerCheck(t, dir, name, a)
	}
	_, rep := holobenchRun(t, scenario)
	all := rep.Order.Overall.All
	t.Logf("%s: everybody got everything, once; %d pairs at risk, %d divergent", d.name, all.AtRisk, all.Divergent)
}

// filesOf is the text of a scenario, and of the protocol file beside it.
func filesOf(t *testing.T, scenario string) string {
	t.Helper()
	text, err := os.ReadFile(scenario)
	if err != nil {
		t.Fatal(err)
	}
	protocol, err := os.ReadFile(strings.TrimSuffix(scenario, ".yaml") + ".protocol.yaml")
	if os.IsNotExist(err) {
		return string(text)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n---\n" + string(protocol)
}

// answerCheck answers one guess in the files of a recording: what is replaced must stand behind the comment that asks.
func answerCheck(t *testing.T, dir, name string, a answer) {
	t.Helper()
	for _, file := range []string{name + ".yaml", name + ".protocol.yaml"} {
		path := filepath.Join(dir, file)
		text, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if before, behind, ok := strings.Cut(string(text), a.check); ok && strings.Contains(behind, a.old) {
			answered := before + a.check + strings.Replace(behind, a.old, a.new, 1)
			if err := os.WriteFile(path, []byte(answered), 0o600); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("no comment says %q with %q behind it", a.check, a.old)
}
