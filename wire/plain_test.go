package wire_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"holobench/wire"
)

// hardStrings returns texts that an encoder can get wrong.
func hardStrings() []string {
	return []string{
		"", "room-3", "hb1.00c0ffee.c17.s3.t2500000000.", `"quoted"`, `back\slash`, "two\nlines\r\n", "tab\tand\x00nul\x1f\x7f",
		"</script><img src=x onerror=alert(1)>", "a&b", "line\u2028separator", "paragraph\u2029separator", "é ü 世界 🙂", "\ufffd is a character",
		"\xff", "cut \xe4\xb8", "\xed\xa0\x80 surrogate", "\xc0\xaf overlong", `\u0041`, `{"channel":"x"}`, "data: forged\n\n",
	}
}

// marshal is the definition: what encoding/json writes.
func marshal(t *testing.T, value any) []byte {
	t.Helper()
	want, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return want
}

// checkLine holds one encoded line against the definition.
func checkLine(t *testing.T, got []byte, value any) {
	t.Helper()
	if want := marshal(t, value); !bytes.Equal(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if bytes.ContainsAny(got, "\r\n") {
		t.Errorf("%q is more than one line", got)
	}
}

func TestEncodersWriteWhatEncodingJSONWrites(t *testing.T) {
	t.Parallel()
	for _, a := range hardStrings() {
		for _, b := range hardStrings() {
			event := wire.Event{Channel: a, Name: b, Payload: a + b}
			command := wire.Command{Instance: b, Channel: a, Name: a + b, Payload: b + a}
			reply := wire.Reply{Action: wire.Action{Name: a, Status: b}, Echo: []wire.Event{event, {}, event}}
			checkLine(t, wire.AppendEventJSON(nil, event), event)
			checkLine(t, wire.AppendCommandJSON(nil, command), command)
			checkLine(t, wire.AppendReplyJSON(nil, reply), reply)
			checkLine(t, wire.AppendReplyJSON(nil, wire.Reply{}), wire.Reply{Echo: []wire.Event{}})

			base := uint64(len(a))
			numbered := wire.Event{Channel: a, Payload: b, Seq: 1<<64 - 1, Key: a + b}
			mutation := wire.Command{Channel: a, Key: a, ID: b, Base: &base}
			conflict := wire.Receipt{Conflict: &wire.Conflict{Key: a, Version: 7, Payload: b}, Echo: []wire.Event{numbered}}
			snapshot := wire.Snapshot{Channel: a, Version: 7, Entries: []wire.Entry{{Key: a, Name: b, Payload: a + b, Seq: 6}}}
			gap := wire.Gap{Channel: b, From: 3, First: 9}
			checkLine(t, wire.AppendEventJSON(nil, numbered), numbered)
			checkLine(t, wire.AppendCommandJSON(nil, mutation), mutation)
			checkLine(t, wire.AppendReceiptJSON(nil, conflict), conflict)
			checkLine(t, wire.AppendSnapshotJSON(nil, snapshot), snapshot)
			checkLine(t, wire.AppendGapJSON(nil, gap), gap)
		}
	}
}

func TestEncodersAppend(t *testing.T) {
	t.Parallel()
	if got := wire.AppendEventJSON([]byte("data: "), wire.Event{Channel: "c", Name: "n", Payload: "p"}); string(got) !=
		`data: {"channel":"c","name":"n","payload":"p"}` {
		t.Errorf("got %s", got)
	}
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 2))
	pieces := hardStrings()
	text := func() string {
		var b strings.Builder
		for range random.IntN(4) {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		return b.String()
	}
	for range 2000 {
		event := wire.Event{Channel: text(), Name: text(), Payload: text()}
		reply := wire.Reply{Action: wire.Action{Name: text(), Status: text()}, Echo: []wire.Event{event}}
		var read wire.Reply
		if err := json.Unmarshal(wire.AppendReplyJSON(nil, reply), &read); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		want := wire.Reply{
			Action: wire.Action{Name: valid(reply.Action.Name), Status: valid(reply.Action.Status)},
			Echo:   []wire.Event{{Channel: valid(event.Channel), Name: valid(event.Name), Payload: valid(event.Payload)}},
		}
		if !reflect.DeepEqual(read, want) {
			t.Fatalf("seed %d: wrote %+v, read %+v", seed, want, read)
		}
		command := wire.Command{Instance: text(), Channel: "c" + text(), Name: text(), Payload: text()}
		got, err := wire.ParseCommand(wire.AppendCommandJSON(nil, command))
		wantCommand := wire.Command{Instance: valid(command.Instance), Channel: valid(command.Channel), Name: valid(command.Name), Payload: valid(command.Payload)}
		if err != nil || got != wantCommand {
			t.Fatalf("seed %d: wrote %+v, read %+v, %v", seed, wantCommand, got, err)
		}
		channel, ok := wire.EventChannel(wire.AppendEventJSON(nil, event))
		if !ok || string(channel) != valid(event.Channel) {
			t.Fatalf("seed %d: channel %q, %v of %+v", seed, channel, ok, event)
		}
	}
}

// valid is text as it arrives: each byte that is no UTF-8 became U+FFFD.
func valid(text string) string { return string([]rune(text)) }

func TestParseCommand(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		body, wantErr string
		want          wire.Command
	}{
		{`{"instance":"c1","channel":"r","name":"n","payload":"p"}`, "", wire.Command{Instance: "c1", Channel: "r", Name: "n", Payload: "p"}},
		{` {"payload": "p", "channel": "r"} ` + "\n", "", wire.Command{Channel: "r", Payload: "p"}},
		{`{"channel":"r","key":"k","id":"i"}`, "", wire.Command{Channel: "r", Key: "k", ID: "i"}},
		{`{"channel":"r","base":null}`, "", wire.Command{Channel: "r"}},
		{`{"channel":"r","base":-1}`, "reading a command: json: cannot unmarshal number -1 into Go struct field Command.base of type uint64", wire.Command{}},
		{``, "reading a command: it is empty; send an object with channel, name and payload", wire.Command{}},
		{`null`, "reading a command: it has no channel; name the channel to broadcast to", wire.Command{}},
		{`{}`, "reading a command: it has no channel; name the channel to broadcast to", wire.Command{}},
		{`{"channel":""}`, "reading a command: it has no channel; name the channel to broadcast to", wire.Command{}},
		{`{"channel":"r","chanel":"r"}`, `reading a command: json: unknown field "chanel"`, wire.Command{}},
		{`{"channel":"r"} {"channel":"s"}`, "reading a command: something follows the object; send one command in one POST", wire.Command{}},
		{`{"channel":"r"}]`, "reading a command: something follows the object; send one command in one POST", wire.Command{}},
		{`{"channel":7}`, "reading a command: json: cannot unmarshal number into Go struct field Command.channel of type string", wire.Command{}},
		{`[]`, "reading a command: json: cannot unmarshal array into Go value of type wire.Command", wire.Command{}},
		{`{"channel":"r"`, "reading a command: unexpected EOF", wire.Command{}},
	} {
		got, err := wire.ParseCommand([]byte(test.body))
		text := ""
		if err != nil {
			text = err.Error()
		}
		if got != test.want || text != test.wantErr {
			t.Errorf("%s\n got %+v, %q\nwant %+v, %q", test.body, got, text, test.want, test.wantErr)
		}
	}
}

func TestEventChannel(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		data, want string
		ok         bool
	}{
		{`{"channel":"room-3","name":"n","payload":"p"}`, "room-3", true},
		{`{"channel":"a\"b","name":"n","payload":"p"}`, `a"b`, true},
		{`{"channel":"","name":"n"}`, "", true},
		{`{ "name": "n", "channel": "room-3" }`, "room-3", true},
		{`{"payload":"{\"channel\":\"no\"}","channel":"yes"}`, "yes", true},
		{`{"payload":{"channel":"no"}}`, "", false},
		{`{"name":"n"}`, "", false},
		{`{"channel":null}`, "", false},
		{`{"channel":7}`, "", false},
		{`{"channel":"never ends`, "", false},
		{`{"channel":"a\`, "", false},
		{`"channel"`, "", false},
		{``, "", false},
	} {
		got, ok := wire.EventChannel([]byte(test.data))
		if string(got) != test.want || ok != test.ok {
			t.Errorf("%s: got %q, %v; want %q, %v", test.data, got, ok, test.want, test.ok)
		}
	}
}

// TestPlainCost is not parallel, because allocations are counted for the whole process.
func TestPlainCost(t *testing.T) {
	event := wire.Event{Channel: "room-3", Name: "message", Payload: strings.Repeat("payload é ", 20)}
	buffer := make([]byte, 0, 1024)
	if got := testing.AllocsPerRun(100, func() { buffer = wire.AppendEventJSON(buffer[:0], event) }); got != 0 {
		t.Errorf("AppendEventJSON: %v allocations", got)
	}
	if got := testing.AllocsPerRun(100, func() { wire.EventChannel(buffer) }); got != 0 {
		t.Errorf("EventChannel: %v allocations", got)
	}
}

func FuzzPlain(f *testing.F) {
	for _, text := range hardStrings() {
		f.Add(text, text)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		event := wire.Event{Channel: a, Name: b, Payload: b}
		line := wire.AppendEventJSON(nil, event)
		checkLine(t, line, event)
		if channel, ok := wire.EventChannel(line); !ok || string(channel) != valid(a) {
			t.Errorf("the channel of %s is %q, %v", line, channel, ok)
		}
		wire.EventChannel([]byte(a)) // foreign bytes: any answer, no panic
		if c, err := wire.ParseCommand([]byte(a)); err == nil && c.Channel == "" {
			t.Errorf("%q passed as a command without a channel", a)
		}
	})
}
