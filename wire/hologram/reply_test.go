package hologram_test

import (
	"encoding/json"
	"testing"

	"holobench/wire/hologram"
)

// sentReply is what answers a command, with the event {red message m} as its echo.
const sentReply = `{"action":"` + sentAction + `","selfEchoes":"Type.list([` + sentEcho + `])","status":1,"subReceiptAdds":"Type.list([])","subReceiptDrops":"Type.list([])"}`

const (
	sentAction = `Type.map([[Type.atom(\"__struct__\"), Type.atom(\"Elixir.Hologram.Component.Action\")], [Type.atom(\"delay\"), Type.integer(0n)], ` +
		`[Type.atom(\"name\"), Type.atom(\"sent\")], [Type.atom(\"params\"), Type.map([])], [Type.atom(\"target\"), Type.bitstring(\"page\")]])`
	sentEcho = `Type.map([[Type.atom(\"__struct__\"), Type.atom(\"Elixir.Hologram.Component.Action\")], [Type.atom(\"delay\"), Type.integer(0n)], ` +
		`[Type.atom(\"name\"), Type.atom(\"message\")], [Type.atom(\"params\"), Type.map([[Type.atom(\"channel\"), Type.bitstring(\"red\")], ` +
		`[Type.atom(\"payload\"), Type.bitstring(\"m\")]])], [Type.atom(\"target\"), Type.bitstring(\"page\")]])`
)

func TestReply(t *testing.T) {
	t.Parallel()
	failed := hologram.EmptyReply()
	failed.Status, failed.Action = 0, "term contains a function that is not a named function capture"
	hard := hologram.EmptyReply()
	hard.Action = "\"\\/<\b\f\n\r\t\v\x00\x1b\x7f\u2028é🙂"
	const tail = `","selfEchoes":"Type.list([])","status":1,"subReceiptAdds":"Type.list([])","subReceiptDrops":"Type.list([])"}`
	for _, test := range []struct {
		reply hologram.Reply
		want  string
	}{
		{hologram.EmptyReply(), `{"action":"Type.atom(\"nil\")` + tail},
		{failed, `{"action":"term contains a function that is not a named function capture","selfEchoes":"Type.list([])","status":0,"subReceiptAdds":"Type.list([])","subReceiptDrops":"Type.list([])"}`},
		{hard, `{"action":"\"\\/<\b\f\n\r\t\u000b\u0000\u001b` + "\x7f\u2028é🙂" + tail},
	} {
		got := hologram.AppendReply(nil, test.reply)
		if string(got) != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
		if read, err := hologram.ParseReply(got); err != nil || read != test.reply {
			t.Errorf("%s: read %+v, %v; want %+v", got, read, err, test.reply)
		}
	}
}

func TestReplyIsValidJSON(t *testing.T) {
	t.Parallel()
	if got := hologram.AppendReply(nil, hologram.Reply{Action: "a\xff\xe4\xb8b", Status: 7}); !json.Valid(got) ||
		string(got) != `{"action":"a`+"\ufffd"+`b","selfEchoes":"","status":1,"subReceiptAdds":"","subReceiptDrops":""}` {
		t.Errorf("got %s", got)
	}
}

func TestReplyErrors(t *testing.T) {
	t.Parallel()
	const keys = "it must have the keys action, selfEchoes, status, subReceiptAdds and subReceiptDrops"
	for _, test := range []struct{ body, want string }{
		{``, `at byte 0: found the end where '{' must stand`},
		{`Forbidden`, `at byte 0: found 'F' where '{' must stand`},
		{`{}`, keys},
		{`{} {}`, `at byte 3: found '{' behind the end`},
		{`{"action":"","selfEchoes":"","status":1,"subReceiptAdds":""}`, keys},
		{`{"action":"","selfEchoes":"","subReceiptAdds":"","subReceiptDrops":""}`, keys},
		{`{"action":"","selfEchoes":null}`, `at byte 26: found 'n' where '"' must stand`},
		{`{"status":2}`, `at byte 10: the status is neither 1 nor 0`},
		{`{"status":1.0}`, `at byte 10: the status is neither 1 nor 0`},
		{`{"status":"1"}`, `at byte 10: the status is neither 1 nor 0`},
		{`{"status"}`, `at byte 9: found '}' where ':' must stand`},
		{`{"status":1 "action":""}`, `at byte 12: found '"' where ',' must stand`},
		{`{"status":1,}`, `at byte 12: found '}' where '"' must stand`},
		{`{"action":7}`, `at byte 10: found '7' where '"' must stand`},
		{`{"action":"a","new":[{"]":"[`, `at byte 27: the string has no end`},
		{`{"action":"a","new":[{"]":"["},`, `at byte 31: a value has no end`},
		{`{"action":"a","new":`, `at byte 20: a value has no end`},
	} {
		got, err := hologram.ParseReply([]byte(test.body))
		if want := "reading a reply: " + test.want; problem(err) != want || got != (hologram.Reply{}) {
			t.Errorf("%s\n got %v, %+v\nwant %s", test.body, err, got, want)
		}
	}
	for _, value := range []string{`{"a":[1,{"b":null}],"c":"]}"}`, `-1.5e3`, `true`, `[]`, ` [ [ ] , "\"" ] `, `""`} {
		body := `{"new":` + value + `,"action":"","selfEchoes":"","newer":` + value + `,"status":1,"subReceiptAdds":"","subReceiptDrops":"","newest":` + value + `}`
		if _, err := hologram.ParseReply([]byte(body)); err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestReplyEchoes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		body, want string
		ok         bool
	}{
		{sentReply, `Type.list([` + sentEcho + `])`, true},
		{`{"action":"\",\"selfEchoes\":\"no\\","selfEchoes":"yes","status":1`, `yes`, true},
		{`{"action":"","selfEchoes":"a\"b\\","status":1`, `a\"b\\`, true},
		{`{"status":1,"selfEchoes":"a\"b","action":"","subReceiptAdds":"","subReceiptDrops":""}`, `a"b`, true},
		{`{"action":"","selfEchoes" : "yes","status":1,"subReceiptAdds":"","subReceiptDrops":""}`, `yes`, true},
		{`{"action":"","selfEchoes":"cut`, ``, false},
		{`{"action":"","selfEchoes":"cut\"`, ``, false},
		{`{"action":"cut`, ``, false},
		{`{"action":"`, ``, false},
		{`{}`, ``, false},
		{``, ``, false},
	} {
		got, ok := hologram.ReplyEchoes([]byte(test.body))
		if string(got) != test.want || ok != test.ok {
			t.Errorf("%s: got %q, %v; want %q, %v", test.body, got, ok, test.want, test.ok)
		}
	}
}

func TestEventReply(t *testing.T) {
	t.Parallel()
	event := hologram.Event{Channel: "red", Name: "message", Payload: "m"}
	if got := hologram.AppendEventReply(nil, event, true); string(got) != sentReply {
		t.Errorf("got  %s\nwant %s", got, sentReply)
	}
	for _, text := range hardTexts() {
		event := hologram.Event{Channel: text, Name: text, Payload: text}
		for _, echo := range []bool{false, true} {
			want := hologram.EmptyReply()
			sent := hologram.ActionTerm(hologram.Event{Name: "sent"})
			sent.Items[7] = hologram.Map()
			want.Action = string(hologram.AppendExpression(nil, sent))
			var echoes []hologram.Term
			if echo {
				echoes = append(echoes, hologram.ActionTerm(event))
			}
			want.SelfEchoes = string(hologram.AppendExpression(nil, hologram.List(echoes...)))
			got := hologram.AppendEventReply(nil, event, echo)
			if string(got) != string(hologram.AppendReply(nil, want)) {
				t.Errorf("got  %s\nwant %s", got, hologram.AppendReply(nil, want))
			}
			read, err := hologram.ParseReply(got)
			if err != nil {
				t.Fatal(err)
			}
			events, err := hologram.ParseSelfEchoes([]byte(read.SelfEchoes))
			if err != nil || len(events) != len(echoes) || echo && events[0] != event {
				t.Errorf("%s: read %+v, %v", got, events, err)
			}
		}
	}
}

func TestSelfEchoesErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ expression, want string }{
		{`Type.atom("nil")`, `found a term of kind atom where one of kind list must stand`},
		{`Type.list([Type.map([])])`, `reading an event: it is no broadcast or action with a text called payload in its params`},
		{`Type.list(`, `reading an expression: at byte 10: found the end where '[' must stand`},
	} {
		got, err := hologram.ParseSelfEchoes([]byte(test.expression))
		if want := "reading self-echoes: " + test.want; problem(err) != want || got != nil {
			t.Errorf("%s\n got %v, %+v\nwant %s", test.expression, err, got, want)
		}
	}
}
