package phoenix_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"holobench/wire/phoenix"
)

// sample is a message as a real Phoenix server takes or sends it.
type sample struct {
	text    string
	message phoenix.Message
}

// samples are all that were measured on one, and the two that it sends when a channel is left.
func samples() []sample {
	message := func(joinRef, ref, topic, event, payload string) phoenix.Message {
		return phoenix.Message{JoinRef: joinRef, Ref: ref, Topic: topic, Event: event, Payload: []byte(payload)}
	}
	const fine = `{"response":{},"status":"ok"}`
	return []sample{
		{`["1","1","room:1","phx_join",{}]`, message("1", "1", "room:1", phoenix.EventJoin, `{}`)},
		{`["1","1","room:1","phx_reply",{"response":{},"status":"ok"}]`, message("1", "1", "room:1", phoenix.EventReply, fine)},
		{`["1","2","room:1","new_msg",{"body":"hi"}]`, message("1", "2", "room:1", "new_msg", `{"body":"hi"}`)},
		{`[null,null,"room:1","new_msg",{"body":"hi"}]`, message("", "", "room:1", "new_msg", `{"body":"hi"}`)},
		{`["1","2","room:1","phx_reply",{"response":{},"status":"ok"}]`, message("1", "2", "room:1", phoenix.EventReply, fine)},
		{`[null,"9","phoenix","heartbeat",{}]`, message("", "9", phoenix.TopicPhoenix, phoenix.EventHeartbeat, `{}`)},
		{`[null,"9","phoenix","phx_reply",{"response":{},"status":"ok"}]`, message("", "9", phoenix.TopicPhoenix, phoenix.EventReply, fine)},
		{
			`[null,"11","room:2","phx_reply",{"response":{"reason":"unmatched topic"},"status":"error"}]`,
			message("", "11", "room:2", phoenix.EventReply, `{"response":{"reason":"unmatched topic"},"status":"error"}`),
		},
		{`["1","1","room:1","phx_error",{}]`, message("1", "1", "room:1", phoenix.EventError, `{}`)},
		{`["1","3","room:1","phx_leave",{}]`, message("1", "3", "room:1", phoenix.EventLeave, `{}`)},
		{`["1","1","room:1","phx_close",{}]`, message("1", "1", "room:1", phoenix.EventClose, `{}`)},
	}
}

// shown is all of a message, to compare and to print.
func shown(m phoenix.Message) string {
	return fmt.Sprintf("%q %q %q %q %s", m.JoinRef, m.Ref, m.Topic, m.Event, m.Payload)
}

func TestSamples(t *testing.T) {
	t.Parallel()
	var kept phoenix.Message // over all of them, as a client keeps one
	for _, s := range samples() {
		if got := phoenix.AppendMessage([]byte("> "), s.message); string(got) != "> "+s.text {
			t.Errorf("wrote %s\nwant  > %s", got, s.text)
		}
		var fresh phoenix.Message
		for _, m := range []*phoenix.Message{&fresh, &kept} {
			if err := m.Parse([]byte(s.text)); err != nil || shown(*m) != shown(s.message) {
				t.Errorf("%s: %s, %v", s.text, shown(*m), err)
			}
		}
	}
}

// TestRepliesAndEvents writes the measured samples by what a server and a client call for them.
func TestRepliesAndEvents(t *testing.T) {
	t.Parallel()
	push := phoenix.Message{JoinRef: "1", Ref: "2", Topic: "room:1", Event: "new_msg"}
	beat := phoenix.Message{Ref: "9", Topic: phoenix.TopicPhoenix, Event: phoenix.EventHeartbeat}
	stray := phoenix.Message{Ref: "11", Topic: "room:2", Event: "new_msg"}
	for _, test := range []struct {
		got  []byte
		want string
	}{
		{phoenix.AppendReply(nil, push, phoenix.Reply{Status: phoenix.StatusOK}), `["1","2","room:1","phx_reply",{"response":{},"status":"ok"}]`},
		{phoenix.AppendReply(nil, beat, phoenix.Reply{Status: phoenix.StatusOK}), `[null,"9","phoenix","phx_reply",{"response":{},"status":"ok"}]`},
		{
			phoenix.AppendReply(nil, stray, phoenix.Reply{Status: phoenix.StatusError, Response: []byte(phoenix.ReasonUnmatchedTopic)}),
			`[null,"11","room:2","phx_reply",{"response":{"reason":"unmatched topic"},"status":"error"}]`,
		},
		{phoenix.AppendPush(nil, push, "hb1.x"), `["1","2","room:1","new_msg",{"payload":"hb1.x"}]`},
		{phoenix.AppendBroadcast(nil, "room:1", "new_msg", "hb1.x"), `[null,null,"room:1","new_msg",{"payload":"hb1.x"}]`},
		{phoenix.AppendBroadcast([]byte("> "), `a"b`, "c\\d", "é\n\x01\x7f<&>\u2028/\xff"), `> [null,null,"a\"b","c\\d",{"payload":"é\n\u0001` + "\x7f<&>\u2028/\ufffd" + `"}]`},
		{phoenix.AppendMessage(nil, beat), `[null,"9","phoenix","heartbeat",{}]`},
		{phoenix.AppendMessage(nil, phoenix.Message{Topic: "t", Event: "e", Payload: []byte("{\r\n\"a\": 1\n}")}), `[null,null,"t","e",{  "a": 1 }]`},
	} {
		if string(test.got) != test.want {
			t.Errorf("got  %s\nwant %s", test.got, test.want)
		}
	}
}

func TestParseAcceptsEverySpelling(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		" [ null ,\t\"2\",\r\n\"t\" , \"e\" , { \"a\" : [ 1 , 2 ] } ] \n":    `"" "2" "t" "e" { "a" : [ 1 , 2 ] }`,
		`["\u0031","2","r\u00e9\ud83d\ude42\/","\"\\\b\f\n\r\t",null]`:       `"1" "2" "ré🙂/" "\"\\\b\f\n\r\t" null`,
		`[null,null,"\ud83d","\ude42\ud83dx",true]`:                          `"" "" "` + "\ufffd" + `" "` + "\ufffd\ufffd" + `x" true`,
		`[null,null,"t","\ud83d\u0041",false]`:                               `"" "" "t" "` + "\ufffd" + `A" false`,
		`[null,null,"t","e",-0.5e+10]`:                                       `"" "" "t" "e" -0.5e+10`,
		`[null,null,"t","e","text"]`:                                         `"" "" "t" "e" "text"`,
		`[null,null,"t","e",[]]`:                                             `"" "" "t" "e" []`,
		`[null,null,"t","e",` + nested(phoenix.MaxDepth) + `]`:               `"" "" "t" "e" ` + nested(phoenix.MaxDepth),
		`[null,null,"t","e",{"x":` + nested(phoenix.MaxDepth-1) + `,"y":0}]`: `"" "" "t" "e" {"x":` + nested(phoenix.MaxDepth-1) + `,"y":0}`,
	} {
		var m phoenix.Message
		if err := m.Parse([]byte(text)); err != nil || shown(m) != want {
			t.Errorf("%s:\n got %s, %v\nwant %s", text, shown(m), err, want)
		}
	}
}

// nested is depth lists within each other.
func nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		``:                                             `at byte 0: it ends where '[' was expected`,
		`{}`:                                           `at byte 0: '{' where '[' was expected`,
		`AAECAw==`:                                     `at byte 0: 'A' where '[' was expected`,
		`[]`:                                           `at byte 1: ']' where a string was expected`,
		`[null`:                                        `at byte 5: it ends where ',' was expected`,
		`[nil,`:                                        `at byte 1: no null`,
		`[1,null,"t","e",{}]`:                          `at byte 1: '1' where a string was expected`,
		`["",null,"t","e",{}]`:                         `at byte 3: the join_ref is empty`,
		`[null,"","t","e",{}]`:                         `at byte 8: the ref is empty`,
		`[null,null,null,"e",{}]`:                      `at byte 11: 'n' where a string was expected`,
		`[null,null,"","e",{}]`:                        `at byte 13: the topic is empty`,
		`[null,null,"t","",{}]`:                        `at byte 17: the event is empty`,
		`[null,null,"t","e"]`:                          `at byte 18: ']' where ',' was expected`,
		`[null,null,"t","e",]`:                         `at byte 19: ']' where a value was expected`,
		`[null,null,"t","e",{},1]`:                     `at byte 21: ',' where ']' was expected`,
		`[null,null,"t","e",{}`:                        `at byte 21: it ends where ']' was expected`,
		`[null,null,"t","e",{}]]`:                      `at byte 22: something follows it, ']'`,
		`[null,null,"t","e",{}] []`:                    `at byte 23: something follows it, '['`,
		`[null,null,"t","e",{]`:                        `at byte 20: ']' where a string was expected`,
		`[null,null,"t","e",{"a"}]`:                    `at byte 23: '}' where ':' was expected`,
		`[null,null,"t","e",{"a":}]`:                   `at byte 24: '}' where a value was expected`,
		`[null,null,"t","e",{"a":1,}]`:                 `at byte 26: '}' where a string was expected`,
		`[null,null,"t","e",{"a":1 "b":2}]`:            `at byte 26: '"' where ',' or '}' was expected`,
		`[null,null,"t","e",[1 2]]`:                    `at byte 22: '2' where ',' or ']' was expected`,
		`[null,null,"t","e",[1,]]`:                     `at byte 22: ']' where a value was expected`,
		`[null,null,"t","e",[1`:                        `at byte 21: it ends where ',' or ']' was expected`,
		`[null,null,"t","e",01]`:                       `at byte 20: '1' where ']' was expected`,
		`[null,null,"t","e",-]`:                        `at byte 19: '-' where a value was expected`,
		`[null,null,"t","e",+1]`:                       `at byte 19: '+' where a value was expected`,
		`[null,null,"t","e",1.]`:                       `at byte 21: ']' where a digit was expected`,
		`[null,null,"t","e",1e]`:                       `at byte 21: ']' where a digit was expected`,
		`[null,null,"t","e",1e+]`:                      `at byte 22: ']' where a digit was expected`,
		`[null,null,"t","e",NaN]`:                      `at byte 19: 'N' where a value was expected`,
		`[null,null,"t","e",tru]`:                      `at byte 19: no true`,
		`[null,null,"t","e",f]`:                        `at byte 19: no false`,
		`[null,null,"t`:                                `at byte 13: it ends within a string`,
		`[null,null,"t\`:                               `at byte 13: a backslash that escapes nothing`,
		`[null,null,"\x"]`:                             `at byte 12: a backslash that escapes nothing`,
		`[null,null,"\u12g4"]`:                         `at byte 12: a backslash that escapes nothing`,
		`[null,null,"\u12`:                             `at byte 12: a backslash that escapes nothing`,
		"[null,null,\"a\nb\"]":                         `at byte 13: the control byte 0x0a in a string`,
		"[null,null,\"a\xff\"]":                        `at byte 12: a string is not UTF-8`,
		"[null,null,\"t\",\"e\",{\"\xed\xa0\x80\":1}]": `at byte 21: a string is not UTF-8`,
		"[null,null,\"t\",\"e\"\x00,{}]":               `at byte 18: '\x00' where ',' was expected`,
		"[null,null,\"t\",\"e\",\x00":                  `at byte 19: '\x00' where a value was expected`,
		`[null,null,"t","e",` + nested(phoenix.MaxDepth+1) + `]`:   `at byte 84: it is nested more than 64 deep`,
		`[null,null,"t","e",` + strings.Repeat(`{"":`, 65) + `1}]`: `at byte 276: it is nested more than 64 deep`,
		strings.Repeat(" ", phoenix.MaxMessage) + `[`:              `it is longer than 1048576 bytes`,
	} {
		m := phoenix.Message{Ref: "r", Payload: []byte("p")}
		err := m.Parse([]byte(text))
		if err == nil || err.Error() != "reading a Phoenix message: "+want {
			t.Errorf("%.80q:\n got %v\nwant %s", text, err, want)
		}
		if shown(m) != shown(phoenix.Message{Ref: "r", Payload: []byte("p")}) {
			t.Errorf("%.80q: changed the message to %s", text, shown(m))
		}
	}
}

func TestPayloadText(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]string{
		`{"payload":"hb1.x"}`:                          "hb1.x",
		`{"payload":""}`:                               "",
		`{"payload":"a\"b\u00e9"}`:                     `a"bé`,
		`{ "payload" : "a" }`:                          "a",
		`{"sequence":7,"payload":"a"}`:                 "a",
		`{"payload":"a","sequence":7}`:                 "a",
		`{"payload":"a\n","sequence":{"payload":"b"}}`: "a\n",
	} {
		if got, ok := phoenix.PayloadText([]byte(payload)); !ok || string(got) != want {
			t.Errorf("%s: %q, %v, want %q", payload, got, ok, want)
		}
	}
	for _, payload := range []string{
		``, `{}`, `null`, `"payload"`, `{"payload":1}`, `{"payload":null}`, `{"payload":"`, `{"payload":"a\"`, `{"body":"x"}`, `[{"payload":"x"}]`,
		`{ "payload":"a"} x`, `{ "payload":"a","payload":"b"}`, `{ "payload":"a","b":}`, `{"a":{"payload":"b"}}`,
	} {
		if got, ok := phoenix.PayloadText([]byte(payload)); ok {
			t.Errorf("%s: %q", payload, got)
		}
	}
}

// hardStrings returns texts that an encoder can get wrong.
func hardStrings() []string {
	return []string{
		"room-3", "hb1.00c0ffee.c17.s3.t2500000000.", `"quoted"`, `back\slash`, "two\nlines\r\n", "tab\tand\x00nul\b\f\x1f\x7f",
		"</script>", "a&b", "\u2028\u2029", "é ü 世界 🙂", "\ufffd", "\xff", "cut \xe4\xb8", "\xed\xa0\x80", "\xc0\xaf", `\u0041`, "\xf0\x9f\x99", "/",
	}
}

// TestWhatIsWrittenIsReadBack holds the writers against the reader and against encoding/json.
func TestWhatIsWrittenIsReadBack(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 3))
	pieces := hardStrings()
	some := func(least int) string {
		var b strings.Builder
		for range least + random.IntN(4) {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		return b.String()
	}
	var kept phoenix.Message
	for range 2000 {
		m, payload := phoenix.Message{JoinRef: some(0), Ref: some(0), Topic: some(1), Event: some(1)}, some(0)
		line := phoenix.AppendPush(nil, m, payload)
		if strings.ContainsAny(string(line), "\r\n") || !utf8.Valid(line) {
			t.Fatalf("seed %d: %q is no line of UTF-8", seed, line)
		}
		var elements []any
		if err := json.Unmarshal(line, &elements); err != nil || len(elements) != 5 || elements[3] != valid(m.Event) {
			t.Fatalf("seed %d: encoding/json reads %q of %s, %v", seed, elements, line, err)
		}
		if err := kept.Parse(line); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		text, ok := phoenix.PayloadText(kept.Payload)
		got := fmt.Sprintf("%q %q %q %q %q", kept.JoinRef, kept.Ref, kept.Topic, kept.Event, text)
		want := fmt.Sprintf("%q %q %q %q %q", valid(m.JoinRef), valid(m.Ref), valid(m.Topic), valid(m.Event), valid(payload))
		if !ok || got != want {
			t.Fatalf("seed %d:\nwrote %s\nread  %s", seed, want, got)
		}
	}
}

// valid is text as it arrives: each byte that is no UTF-8 became U+FFFD.
func valid(text string) string { return string([]rune(text)) }
