package har_test

import (
	"encoding/json"
	"strings"
	"testing"

	"holobench/wire/hologram"
)

// TestHologramApp: an app on Hologram with a login, whose room is a number, and one parameter of which a protocol file cannot speak.
func TestHologramApp(t *testing.T) {
	t.Parallel()
	const a = "https://chat.example.org"
	command := func(text string) asked {
		body := hologram.AppendCommand(nil, hologram.Command{
			InstanceID: "b0c4de9f-1111-4aaa-8bbb-0123456789ab", Module: "Elixir.Chat.RoomPage", Name: "send_message", Target: "chat", Receipts: []string{"t0k3n1a2b3c"},
			Params: hologram.Map(hologram.Atom("room"), hologram.Int(42), hologram.Atom("kind"), hologram.Atom("plain"), hologram.Atom("text"), hologram.Text(text),
				hologram.Atom("zoom"), hologram.Float(0.5), hologram.Atom("tags"), hologram.List(hologram.Text("a"))),
		})
		reply := `{"action":"Type.atom(\"nil\")","selfEchoes":"Type.list([Type.tuple([Type.atom(\"said\"), Type.map([[Type.atom(\"text\"), Type.bitstring(\"` + text + `\")]])])])","status":1}`
		return asked{url: "POST " + a + "/hologram/command", body: string(body), kind: jsonType, is: jsonType, answer: reply}
	}
	recording := recordingOf(t,
		asked{url: "POST " + a + "/session", body: "user=ann&password=hunter2", kind: formType, status: 303, answers: []string{"Set-Cookie: _chat_key=9f8e7d6c5b"}},
		asked{url: "GET " + a + "/rooms/42?tab=notes", header: []string{"Cookie: _chat_key=9f8e7d6c5b"}, is: "text/html", answer: `<script>globalThis.Hologram.instanceId = "b0c4de9f-1111-4aaa-8bbb-0123456789ab";</script>`},
		command("loading"), command("good morning 17"), command("good evening 18"),
	)
	files, err := convert(t, recording, "made")
	if err != nil {
		t.Fatal(err)
	}
	const want = `app:
  page: '/rooms/${channel|url}?tab=notes'
  module: Elixir.Chat.RoomPage
  command: send_message
  cid: chat
  params:
    room: {integer: '${channel}'}
    kind: {atom: plain}
    text: '${payload}'
    zoom: {float: '0.5'}
    # CHECK: the parameter "tags" is a list, which a protocol file cannot say; it was left out
  sub_receipts: true
`
	if !strings.HasSuffix(files.Protocol, want) {
		t.Error(files.Protocol)
	}
	for _, part := range []string{"protocol: ./made.protocol.yaml", "login:", "- post: /session", "password: '${env.PASSWORD}'", "redirects: none", "channel: '42'"} {
		if !strings.Contains(files.Scenario, part) {
			t.Errorf("nowhere stands %s:\n%s", part, files.Scenario)
		}
	}
	if err := check(t, files, "made"); err != nil {
		t.Error(err)
	}
}

// TestPhoenixApp: an app on Phoenix Channels that sends more than a text. The built-in protocol cannot, and the scenario says so.
func TestPhoenixApp(t *testing.T) {
	t.Parallel()
	frame := func(kind, text string) map[string]any { return map[string]any{"type": kind, "opcode": 1, "data": text} }
	recording, err := json.Marshal(map[string]any{"log": map[string]any{"entries": []any{map[string]any{
		"_resourceType": "websocket", "request": map[string]any{"method": "GET", "url": "wss://chat.example.org/socket/websocket?token=s3cr3t1a2b&vsn=2.0.0"},
		"response": map[string]any{"status": 101},
		"_webSocketMessages": []any{
			frame("send", `["1","1","room:7","phx_join",{"as":"ann"}]`), frame("receive", `["1","1","room:7","phx_reply",{"response":{},"status":"ok"}]`),
			frame("send", `[null,"2","phoenix","heartbeat",{}]`), frame("send", `["1","3","room:7","typing",{"on":true}]`),
			frame("send", `["1","4","room:7","new_msg",{"body":"good morning 17","kind":"text"}]`), frame("receive", `[null,null,"room:7","new_msg",{"body":"good morning 17"}]`),
			frame("receive", `no message`),
		},
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	files, err := convert(t, recording, "made")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"url: 'https://chat.example.org'", "protocol: phoenix-channels", "channel: 'room:7'", "send: new_msg",
		`# CHECK: the browser sent an object with "body", "kind"; the protocol phoenix-channels sends {"payload": TEXT}.`, "# CHECK: the topic was joined with parameters",
	} {
		if !strings.Contains(files.Scenario, part) {
			t.Errorf("nowhere stands %s:\n%s", part, files.Scenario)
		}
	}
	if files.Protocol != "" || strings.Contains(files.Scenario, "s3cr3t") {
		t.Errorf("%s\n%s", files.Scenario, files.Protocol)
	}
	if err := check(t, files, "made"); err != nil {
		t.Error(err)
	}
}
