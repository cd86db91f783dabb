package scenarios

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// acting is a scenario in which members go through a flow; bots have no stream and no channel.
func acting(flow string) string {
	return `version: 1
seed: 7
values:
  bid: {int: 1..100}
  key: uuid
clients:
  members: {count: 10, channel: {pattern: "room-${n}", count: 5}}
  bots: {count: 2, stream: none}
load:
  edits:
    by: members
    rate: 5/s
    for: 10s
    flow: ` + flow + "\n"
}

// flowOf parses a flow of members.
func flowOf(t *testing.T, flow string) ([]Step, error) {
	t.Helper()
	f, err := Parse("s.yaml", []byte(acting(flow)), tokens)
	if err != nil {
		return nil, err
	}
	return f.Load[0].Flow, nil
}

// told writes a flow out, with the paths of its steps.
func told(flow []Step) string {
	var b strings.Builder
	Walk(flow, func(step Step) {
		path := strings.TrimPrefix(step.Where().Path, "load.edits.")
		switch s := step.(type) {
		case *Send:
			fmt.Fprintf(&b, "%s send %s to %q size %v with %d, %d replies\n", path, s.Name, s.Channel.Text, s.Payload.Size.Draw(0.5), len(s.With), len(s.OnReply))
		case *Get:
			fmt.Fprintf(&b, "%s get %s, %d replies\n", path, s.Path.Text, len(s.OnReply))
		case *Resend:
			fmt.Fprintf(&b, "%s resend %d\n", path, s.Times)
		case *Subscribe:
			fmt.Fprintf(&b, "%s subscribe %s\n", path, s.Channel.Text)
		case *Unsubscribe:
			fmt.Fprintf(&b, "%s unsubscribe %s\n", path, s.Channel.Text)
		case *Think:
			fmt.Fprintf(&b, "%s think %v\n", path, s.For.Duration(0.5))
		case *Expect:
			fmt.Fprintf(&b, "%s expect %s on %q within %v, %d or %v\n", path, s.Event, s.Channel.Text, s.Within, s.Count, s.Until != nil)
		case *Capture:
			fmt.Fprintf(&b, "%s capture %s from %s by %q %q %q\n", path, s.Name, s.From, s.By.JSON, s.By.Regex, s.By.Header)
		case *Repeat:
			fmt.Fprintf(&b, "%s repeat %d\n", path, s.Times.Whole(0.5))
		case *Choose:
			fmt.Fprintf(&b, "%s choose of %d\n", path, len(s.Ways))
		case *If:
			fmt.Fprintf(&b, "%s if %s %s %s\n", path, s.Value.Text, s.Is, s.Operand.Text)
		case *Barrier:
			fmt.Fprintf(&b, "%s barrier %s within %v\n", path, s.Name, s.Within)
		case *Disconnect:
			fmt.Fprintf(&b, "%s disconnect\n", path)
		case *Reconnect:
			fmt.Fprintf(&b, "%s reconnect within %v\n", path, s.Within)
		case *Log:
			fmt.Fprintf(&b, "%s log %s\n", path, s.Text.Text)
		}
	})
	return b.String()
}

func TestFlowReadsEveryStep(t *testing.T) {
	t.Parallel()
	flow, err := flowOf(t, `
      - send: edit
        channel: "doc-${n}"
        payload: {size: 1KiB, text: "${bid}"}
        with: {version: "${version|default:0}", text: "${payload}"}
        on_reply:
          409:
            - {get: "/doc/${channel}", on_reply: {404: [{log: gone}]}}
            - capture: {version: {json: document.version}, tag: {header: etag}}
            - resend: 3
          failed: [{think: 1s}]
      - expect: {event: own, channel: "doc-${n}", within: 2s, until: {json: done, is: "true"}}
      - expect: others
      - repeat: {times: 2..4, flow: [{send: cursor}]}
      - choose: [{share: 30%, flow: [{disconnect: {}}, {reconnect: {within: 3s}}]}, {share: 70%, flow: []}]
      - if: {value: "${reply.status}", is_not: "409", then: [{subscribe: "more-${client}"}], else: [{unsubscribe: "more-${client}"}]}
      - barrier: half-time
      - log: "${version} of ${key}"`)
	if err != nil {
		t.Fatal(err)
	}
	const want = `flow[1] send edit to "doc-${n}" size 1024 with 2, 2 replies
flow[1].on_reply.409[1] get /doc/${channel}, 1 replies
flow[1].on_reply.409[1].on_reply.404[1] log gone
flow[1].on_reply.409[2].capture.version capture version from reply by "document.version" "" ""
flow[1].on_reply.409[2].capture.tag capture tag from reply by "" "" "etag"
flow[1].on_reply.409[3] resend 3
flow[1].on_reply.failed[1] think 1s
flow[2] expect own on "doc-${n}" within 2s, 1 or true
flow[3] expect others on "" within 5s, 1 or false
flow[4] repeat 3
flow[4].repeat.flow[1] send cursor to "" size 200 with 0, 0 replies
flow[5] choose of 2
flow[5].choose[1].flow[1] disconnect
flow[5].choose[1].flow[2] reconnect within 3s
flow[6] if ${reply.status} is_not 409
flow[6].if.then[1] subscribe more-${client}
flow[6].if.else[1] unsubscribe more-${client}
flow[7] barrier half-time within 1m0s
flow[8] log ${version} of ${key}
`
	if got := told(flow); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	seen := map[string]bool{}
	Walk(flow, func(step Step) {
		at := step.Where()
		if at.Line < 15 || seen[at.Path] {
			t.Errorf("%+v is the place of no step, or of two", at)
		}
		seen[at.Path] = true
	})
}

func TestFlowsThatAreNone(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[{repeat: {times: 1, flow: ", 9) + "[]" + strings.Repeat("}}]", 9)
	tests := []struct{ flow, want string }{
		{"[]", "load.edits.flow: there is no step in it"},
		{"[{}]", "load.edits.flow[1] says nothing"},
		{"[{channel: lobby}]", "load.edits.flow[1] says nothing"},
		{"[{send: a, think: 1s}]", "load.edits.flow[1]: a step says one thing, and both send and think stand here"},
		{"[{sned: a}]", `unknown key "sned" in load.edits.flow[1], did you mean "send"?`},
		{"[{think: 1s, channel: lobby}]", "load.edits.flow[1].channel does not go with think, only with send"},
		{"[{think: 1s, on_reply: {ok: [{think: 1s}]}}]", "load.edits.flow[1].on_reply does not go with think, only with send and get"},
		{"[{send: a, on_reply: {4xx: [{think: 1s}], 409: [{think: 1s}]}}]", "what stands above takes all replies of the kind 409"},
		{"[{send: a, on_reply: {ok: [{think: 1s}], 2xx: [{think: 1s}]}}]", "what stands above takes all replies of the kind 2xx"},
		{"[{send: a, on_reply: {600: [{think: 1s}]}}]", `load.edits.flow[1].on_reply: "600" is no kind of replies`},
		{"[{send: a, on_reply: {fialed: [{think: 1s}]}}]", `"fialed" is no kind of replies, did you mean "failed"?`},
		{"[{send: a, on_reply: {409: []}}]", "load.edits.flow[1].on_reply.409: there is no step in it"},
		{"[{resend: 3}]", "load.edits.flow[1]: there is no send that a resend could repeat here"},
		{"[{get: /a, on_reply: {409: [{resend: 1}]}}]", "there is no send that a resend could repeat here"},
		{"[{send: a, on_reply: {409: [{resend: 101}]}}]", "101 is outside of the limits"},
		{"[{get: a}]", `load.edits.flow[1].get: "a" is no path at the server`},
		{"[{get: //a}]", `load.edits.flow[1].get: "//a" is no path at the server`},
		{"[{expect: own}]", "load.edits.flow[1].expect: nothing was sent before it"},
		{"[{expect: {within: 1s}}]", "load.edits.flow[1].expect: event is missing"},
		{"[{expect: {event: others, within: 0s}}]", "load.edits.flow[1].expect.within: nothing can come in no time at all"},
		{"[{expect: {event: others, within: 2h}}]", "load.edits.flow[1].expect.within: 2h0m0s is more than the limit, 1h0m0s"},
		{"[{expect: {event: others, count: 2, until: {json: a}}}]", "load.edits.flow[1].expect.count stands beside until"},
		{"[{expect: {event: others, until: {is: a}}}]", "load.edits.flow[1].expect.until: json is missing"},
		{"[{expect: {event: others, until: {json: a, regex: b}}}]", "load.edits.flow[1].expect.until.regex stands beside json"},
		{"[{expect: {event: others, until: {json: a..b}}}]", `load.edits.flow[1].expect.until.json: "a..b" is no path into JSON`},
		{"[{expect: {event: others, until: {regex: '('}}}]", `load.edits.flow[1].expect.until.regex: "(" is no regular expression`},
		{"[{capture: {v: {json: a}}}]", "load.edits.flow[1].capture.v: no reply came before it"},
		{"[{capture: {v: {from: event, header: etag}}}]", "load.edits.flow[1].capture.v.header: an event has no header fields"},
		{"[{capture: {v: {from: replay}}}]", `load.edits.flow[1].capture.v.from: unknown word "replay", did you mean "reply"?`},
		{"[{capture: {client: event}}]", `load.edits.flow[1].capture: the name "client" is one of holobench's own`},
		{"[{capture: {bid: event}}]", `load.edits.flow[1].capture: there is a value of the name "bid"`},
		{"[{capture: {}}]", "load.edits.flow[1].capture: there is no name in it"},
		{"[{log: '${version}'}]", `load.edits.flow[1].log: nothing is known under the name "version"`},
		{"[{log: '${reply.status}'}]", `load.edits.flow[1].log: nothing is known under the name "reply.status"`},
		{"[{log: '${payload}'}]", `load.edits.flow[1].log: nothing is known under the name "payload"`},
		{"[{log: '${cleint}'}]", `load.edits.flow[1].log: nothing is known under the name "cleint", did you mean "client"?`},
		{"[{log: '${client|uppr}'}]", `load.edits.flow[1].log: unknown filter "uppr", did you mean "upper"?`},
		{"[{log: '${env.NOTHING}'}]", "load.edits.flow[1].log: the environment variable NOTHING is not set, or empty"},
		{"[{log: '${v}'}, {capture: {v: event}}]", `load.edits.flow[1].log: "v" is captured by a later step only`},
		{"[{repeat: {flow: [{send: a}]}}]", "load.edits.flow[1].repeat: times is missing"},
		{"[{repeat: {times: 3}}]", "load.edits.flow[1].repeat: flow is missing"},
		{"[{repeat: {times: 10001, flow: []}}]", "load.edits.flow[1].repeat.times: 10001 is more than the limit, 10000"},
		{"[{repeat: {times: 10000, flow: [{repeat: {times: 10000, flow: [{send: a}]}}]}}]", "one act has up to 100010001 steps, the limit is 1000000"},
		{deep, "flows are nested more than 8 deep"},
		{"[{choose: []}]", "load.edits.flow[1].choose: there is nothing to choose"},
		{"[{choose: [{share: 30%, flow: []}, {share: 60%, flow: []}]}]", "load.edits.flow[1].choose: the shares make 90%"},
		{"[{choose: [{share: 30, flow: []}]}]", `load.edits.flow[1].choose[1].share: "30" is no share`},
		{"[{if: {value: a, then: []}}]", "load.edits.flow[1].if says nothing"},
		{"[{if: {value: a, is: b, is_not: c, then: []}}]", "load.edits.flow[1].if: an if says one thing, and both is and is_not stand here"},
		{"[{if: {value: a, is: b}}]", "load.edits.flow[1].if: then is missing"},
		{"[{if: {is: b, then: []}}]", "load.edits.flow[1].if: value is missing"},
		{"[{if: {value: a, above: b, then: []}}]", `load.edits.flow[1].if.above: "b" is no number`},
		{"[{if: {value: a, matches: '(', then: []}}]", `load.edits.flow[1].if.matches: "(" is no regular expression`},
		{"[{if: {value: a, matches: '${client}', then: []}}]", "load.edits.flow[1].if.matches: a regular expression cannot be filled in"},
		{"[{barrier: half time}]", `load.edits.flow[1].barrier: "half time" is no name`},
		{"[{disconnect: now}]", "load.edits.flow[1].disconnect is a single value where a mapping belongs"},
		{"[{send: a, payload: 10B}]", "load.edits.flow[1].payload: 10 bytes do not hold the marker and the text"},
		{"[{send: a, with: {'': b}}]", "load.edits.flow[1].with: the name is empty"},
		{"[{subscribe: ''}]", "load.edits.flow[1].subscribe: the name is empty"},
		{"[{subscribe: \"a\\tb\"}]", "load.edits.flow[1].subscribe: the name"},
	}
	for _, test := range tests {
		_, err := flowOf(t, test.flow)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.100s:\ngot  %v\nwant %s", test.flow, err, test.want)
			continue
		}
		if found := err.(Errors); len(found) > 1 || !strings.HasPrefix(err.Error(), "s.yaml:14:") { //nolint:errorlint // it is one
			t.Errorf("%.100s: reported as\n%v", test.flow, err)
		}
	}
}

// A name that a later step captures may be used with a default, and what an earlier branch captures without one.
func TestFlowKnowsWhatItCaptured(t *testing.T) {
	t.Parallel()
	for _, flow := range []string{
		`[{send: a, with: {v: "${v|default:0}"}}, {capture: {v: {json: version}}}, {log: "${v}"}]`,
		`[{send: a, on_reply: {409: [{get: /a}, {capture: {v: {json: version}}}, {resend: 2}]}}, {log: "${v} ${reply.header.etag} ${reply.json.a[0].b}"}]`,
		`[{choose: [{share: 50%, flow: [{capture: {v: event}}]}, {share: 50%, flow: []}]}, {log: "${v} ${event.json.id}"}]`,
	} {
		if _, err := flowOf(t, flow); err != nil {
			t.Error(err)
		}
	}
}

func TestFlowsOfWhoCannot(t *testing.T) {
	t.Parallel()
	bots := func(flow string) string {
		return strings.NewReplacer("by: members", "by: bots", "for: 10s", "for: 10s\n    channel: lobby").Replace(acting(flow))
	}
	tests := []struct{ text, want string }{
		{bots("[{subscribe: a}]"), "load.edits.flow[1]: the clients bots hold no stream that they could subscribe"},
		{bots("[{disconnect: {}}]"), "load.edits.flow[1]: the clients bots hold no stream that they could disconnect"},
		{bots("[{expect: others}]"), "load.edits.flow[1].expect: the clients bots hold no stream by which they could hear of others"},
		{bots("[{log: '${channel}'}]"), `nothing is known under the name "channel"`},
		{strings.Replace(acting("[{send: a}]"), "rate: 5/s", "send: b\n    rate: 5/s", 1), "load.edits.send stands beside flow"},
		{strings.Replace(acting("[{send: a}]"), "by: members", "flood: true\n    channel: lobby", 1), "load.edits.flow does not go with a flood"},
	}
	for _, test := range tests {
		if _, err := Parse("s.yaml", []byte(test.text), tokens); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got  %v\nwant %s", err, test.want)
		}
	}
	if _, err := Parse("s.yaml", []byte(bots("[{send: a}, {expect: own}]")), tokens); err != nil {
		t.Error(err) // by the reply
	}
}

func TestRepliesMatch(t *testing.T) {
	t.Parallel()
	tests := []struct {
		kind     string
		statuses []int
	}{
		{OK, []int{200, 204, 299}}, {Failed, []int{0}}, {"409", []int{409}}, {"4xx", []int{400, 409, 499}}, {"5xx", []int{500, 503}},
	}
	for _, test := range tests {
		o := OnReply{Status: test.kind}
		for _, status := range []int{0, 100, 200, 204, 299, 300, 400, 409, 499, 500, 503} {
			want := false
			for _, s := range test.statuses {
				want = want || s == status
			}
			if got := o.Matches(status); got != want {
				t.Errorf("%d is of the kind %s: %v", status, test.kind, got)
			}
		}
	}
}

func TestPayloads(t *testing.T) {
	t.Parallel()
	parsed := func(payload string) Payload {
		t.Helper()
		f := parse(t, "version: 1\nclients: {members: {count: 10, channel: lobby}}\nload: {talk: {by: members, rate: 5/s, for: 10s, payload: "+payload+"}}\n")
		return f.Load[0].Payload
	}
	tests := []struct {
		payload string
		u       float64
		text    int
		want    int
	}{
		{"200B", 0.5, 0, 200},
		{"200B", 0.5, 1000, 1058},
		{"100B..300B", 0.5, 0, 200},
		{"{size: {p50: 1KiB, p99: 8KiB}}", 0.5, 0, 1024},
		{"{size: {p50: 1KiB, p99: 8KiB}}", 1e-9, 0, 64},
		{"{size: {p50: 1KiB, p99: 8KiB}}", 1 - 1e-9, 0, 32 << 10},
		{`{text: "by ${client}"}`, 0.5, 4, 64},
		{`{text: "by ${client}"}`, 0.5, 40, 98},
	}
	for _, test := range tests {
		p := parsed(test.payload)
		if got := p.Bytes(test.u, test.text); got != test.want {
			t.Errorf("%s: %d bytes, want %d", test.payload, got, test.want)
		}
	}
}

func TestAtEnd(t *testing.T) {
	t.Parallel()
	f := parse(t, whole+`at_end: {settle: 2s, converge: {get: "/doc/${channel}", compare: {json: version}, among: members}}`)
	c := f.AtEnd.Converge
	if f.AtEnd.Settle != 2*time.Second || c.Get.Text != "/doc/${channel}" || c.Compare.JSON != "version" || c.Among != "members" {
		t.Errorf("got %+v %+v", f.AtEnd, c)
	}
	if f := parse(t, whole+"at_end: {converge: {get: /state, compare: body}}"); f.AtEnd.Converge.Compare != (Selector{compiled: f.AtEnd.Converge.Compare.compiled}) {
		t.Errorf("got %+v", f.AtEnd.Converge)
	}
	if f := parse(t, whole); f.AtEnd != (AtEnd{}) {
		t.Errorf("got %+v", f.AtEnd)
	}
	tests := []struct{ end, want string }{
		{"{settle: 1h}", "at_end.settle: 1h0m0s is more than the limit, 10m0s"},
		{"{converge: {}}", "at_end.converge: get is missing"},
		{"{converge: {get: state}}", `at_end.converge.get: "state" is no path at the server`},
		{"{converge: {get: '/${seq}'}}", `at_end.converge.get: nothing is known under the name "seq"`},
		{"{converge: {get: /, among: member}}", `at_end.converge.among: there are no clients "member", did you mean "members"?`},
		{"{converge: {get: /, compare: bdy}}", `at_end.converge.compare: unknown word "bdy", did you mean "body"?`},
		{"{converge: {get: /, compare: {}}}", "at_end.converge.compare: json is missing"},
	}
	for _, test := range tests {
		if _, err := Parse("s.yaml", []byte(whole+"at_end: "+test.end), nil); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s:\ngot  %v\nwant %s", test.end, err, test.want)
		}
	}
}
