package hologram_test

import (
	"bytes"
	"reflect"
	"testing"

	"holobench/wire/hologram"
)

// measuredBroadcast is what a stream of v0.9.3 brought.
const measuredBroadcast = `Type.tuple([Type.atom("add_message"), Type.map([[Type.atom("message"), Type.bitstring("hello")]]), Type.list([Type.bitstring("page")])])`

func TestFrame(t *testing.T) {
	t.Parallel()
	term := hologram.Tuple(
		hologram.Atom("add_message"),
		hologram.Map(hologram.Atom("message"), hologram.Text("hello")),
		hologram.List(hologram.Text("page")),
	)
	got := hologram.AppendFrame(nil, hologram.Broadcast, 3, hologram.AppendExpression(nil, term))
	if want := "event: broadcast\nid: 3\ndata: " + measuredBroadcast + "\n\n"; string(got) != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if read, err := hologram.ParseExpression([]byte(measuredBroadcast)); err != nil || !reflect.DeepEqual(read, term) {
		t.Errorf("read %+v, %v", read, err)
	}
}

func TestEventTravels(t *testing.T) {
	t.Parallel()
	texts := hardTexts()
	for i, text := range texts {
		event := hologram.Event{Channel: text, Name: texts[(i+1)%len(texts)], Payload: texts[(i+2)%len(texts)], Key: texts[(i+3)%len(texts)], Seq: uint64(i)}
		down := hologram.AppendBroadcast(nil, event)
		if want := hologram.AppendExpression(nil, hologram.EventTerm(event)); string(down) != string(want) {
			t.Errorf("got  %s\nwant %s", down, want)
		}
		if read, err := hologram.ParseBroadcast(down); err != nil || read != event {
			t.Errorf("%s: read %+v, %v", down, read, err)
		}
		if read, err := hologram.ParseEvent(hologram.ActionTerm(event)); err != nil || read != event {
			t.Errorf("read %+v, %v; want %+v", read, err, event)
		}
		if channel, ok := hologram.BroadcastChannel(down); !ok || string(channel) != text {
			t.Errorf("%s: channel %q, %v", down, channel, ok)
		}
		command := hologram.EventCommand{Instance: text, Channel: "c" + text, Name: event.Name, Payload: event.Payload, Key: event.Key, ID: text}
		if i%2 > 0 {
			command.Base = &event.Seq
		}
		up := hologram.AppendEventCommand(nil, command)
		if want := hologram.AppendCommand(nil, command.Command()); string(up) != string(want) {
			t.Errorf("got  %s\nwant %s", up, want)
		}
		if read, err := hologram.ParseEventCommand(up); err != nil || !reflect.DeepEqual(read, command) {
			t.Errorf("%s: read %+v, %v", up, read, err)
		}
	}
}

func TestEventBytes(t *testing.T) {
	t.Parallel()
	base := uint64(16)
	for _, test := range []struct{ got, want string }{
		{
			string(hologram.AppendBroadcast(nil, hologram.Event{Channel: "red", Name: "message", Payload: "m"})),
			`Type.tuple([Type.atom("message"), Type.map([[Type.atom("channel"), Type.bitstring("red")], [Type.atom("payload"), Type.bitstring("m")]]), ` +
				`Type.list([Type.bitstring("page")])])`,
		},
		{
			string(hologram.AppendBroadcast(nil, hologram.Event{Channel: "red", Name: "set", Payload: "m", Key: "k", Seq: 17})),
			`Type.tuple([Type.atom("set"), Type.map([[Type.atom("channel"), Type.bitstring("red")], [Type.atom("key"), Type.bitstring("k")], ` +
				`[Type.atom("payload"), Type.bitstring("m")], [Type.atom("seq"), Type.integer(17n)]]), Type.list([Type.bitstring("page")])])`,
		},
		{
			string(hologram.AppendEventCommand(nil, hologram.EventCommand{Instance: "7", Channel: "red", Name: "message", Payload: "m"})),
			`[3,{"t":"m","d":[["ainstance_id","b037"],["amodule","aElixir.Holobench.Page"],["aname","amessage"],` +
				`["aparams",{"t":"m","d":[["achannel","b0726564"],["apayload","b06d"]]}],["atarget","b070616765"]]}]`,
		},
		{
			string(hologram.AppendEventCommand(nil, hologram.EventCommand{Channel: "red", Name: "set", Payload: "m", Key: "k", ID: "i", Base: &base})),
			`[3,{"t":"m","d":[["ainstance_id","b"],["amodule","aElixir.Holobench.Page"],["aname","aset"],["aparams",{"t":"m","d":[["abase","i16"],` +
				`["achannel","b0726564"],["aid","b069"],["akey","b06b"],["apayload","b06d"]]}],["atarget","b070616765"]]}]`,
		},
	} {
		if test.got != test.want {
			t.Errorf("got  %s\nwant %s", test.got, test.want)
		}
	}
}

// TestMarkersStandLiterallyDown finds one without parsing, once in each thing that goes down.
func TestMarkersStandLiterallyDown(t *testing.T) {
	t.Parallel()
	const marker = "hb1.00c0ffee.c17.s3.t2500000000."
	event := hologram.Event{Channel: `"`, Name: `"`, Payload: `"` + marker + `"`}
	reply := hologram.AppendEventReply(nil, event, true)
	echoes, ok := hologram.ReplyEchoes(reply)
	if !ok {
		t.Errorf("%s has no echoes", reply)
	}
	for _, data := range [][]byte{hologram.AppendBroadcast(nil, event), reply, echoes} {
		if bytes.Count(data, []byte(marker)) != 1 {
			t.Errorf("%s", data)
		}
	}
}

func TestEventErrors(t *testing.T) {
	t.Parallel()
	const want = "reading an event: it is no broadcast or action with a text called payload in its params"
	for _, expression := range []string{
		measuredBroadcast,
		`Type.atom("a")`,
		`Type.tuple([Type.atom("a"), Type.map([[Type.atom("payload"), Type.bitstring("p")]])])`,
		`Type.tuple([Type.bitstring("a"), Type.map([[Type.atom("payload"), Type.bitstring("p")]]), Type.list([])])`,
		`Type.tuple([Type.atom("a"), Type.map([[Type.atom("payload"), Type.atom("p")]]), Type.list([])])`,
		`Type.tuple([Type.atom("a"), Type.map([[Type.bitstring("payload"), Type.bitstring("p")]]), Type.list([])])`,
		`Type.map([[Type.atom("params"), Type.map([[Type.atom("payload"), Type.bitstring("p")]])]])`,
	} {
		if got, err := hologram.ParseBroadcast([]byte(expression)); problem(err) != want || got != (hologram.Event{}) {
			t.Errorf("%s: %+v, %v", expression, got, err)
		}
	}
	const source = "reading a broadcast: reading an expression: at byte 0: found the end where a term must stand, as Type.atom(\"a\"); functions, pids, ports and references are not read here"
	if _, err := hologram.ParseBroadcast(nil); problem(err) != source {
		t.Errorf("got %v", err)
	}
	noChannel := `Type.tuple([Type.atom("a"), Type.map([[Type.atom("payload"), Type.bitstring("p")]]), Type.list([])])`
	if got, err := hologram.ParseBroadcast([]byte(noChannel)); err != nil || got != (hologram.Event{Name: "a", Payload: "p"}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestBroadcastChannelOfOthers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		data, want string
		ok         bool
	}{
		{`Type.tuple([Type.atom("a"), Type.map([[Type.atom("channel"), Type.bitstring("red")]]), Type.list([])])`, "red", true},
		{`Type.tuple([Type.atom("a"), Type.map([[Type.atom("channel"), Type.bitstring("r\u{65}d")]]), Type.list([])])`, "red", true},
		{`Type.tuple([ Type.atom("a"), Type.map([[Type.atom("b"), Type.atom("c")], [Type.atom("channel"), Type.bitstring("red")]]), Type.list([])])`, "red", true},
		{`Type.tuple([Type.atom("\"), Type.map([[Type.atom(\"channel\"), Type.bitstring(\"no"), Type.map([[Type.atom("channel"), Type.bitstring("red")]]), Type.list([])])`, "red", true},
		{`Type.tuple([Type.atom("a"), Type.map([[Type.atom("channel"), Type.atom("red")]]), Type.list([])])`, "", false},
		{`Type.tuple([Type.atom("a"), Type.map([[Type.atom("channel"), Type.bitstring("cut`, "", false},
		{`Type.tuple([Type.atom("a"), Type.map([[Type.atom("channel"), Type.bitstring("cut\`, "", false},
		{`Type.tuple([Type.atom("a`, "", false},
		{measuredBroadcast, "", false},
		{``, "", false},
	} {
		got, ok := hologram.BroadcastChannel([]byte(test.data))
		if string(got) != test.want || ok != test.ok {
			t.Errorf("%s: got %q, %v; want %q, %v", test.data, got, ok, test.want, test.ok)
		}
	}
}

func TestEventCommandErrors(t *testing.T) {
	t.Parallel()
	const params = "its params must have a payload, and a channel that is not empty"
	atom, text, integer := hologram.Atom, hologram.Text, hologram.Int
	for _, test := range []struct {
		params hologram.Term
		want   string
	}{
		{hologram.Map(), params},
		{hologram.Map(atom("channel"), text(""), atom("payload"), text("p")), params},
		{hologram.Map(atom("channel"), text("c")), params},
		{hologram.Map(atom("channel"), atom("c"), atom("payload"), text("p")), `its param "channel": found a term of kind atom where one of kind bitstring must stand`},
		{hologram.Map(atom("payload"), integer(1)), `its param "payload": found a term of kind integer where one of kind bitstring must stand`},
		{hologram.Map(atom("base"), text("1")), `its param "base": found a term of kind bitstring where one of kind integer must stand`},
		{hologram.Map(atom("base"), integer(-1)), `its param "base": found an integer that is negative, or needs more than 64 bits`},
		{hologram.Map(text("id"), text("1")), `its param "id": found a term of kind bitstring where one of kind atom must stand`},
		{hologram.Map(atom("chanel"), text("c")), `its param "chanel": a command that sends an event has no such param`},
		{hologram.List(), `at byte 69: the key "params": found a term of kind list where one of kind map must stand`},
	} {
		body := hologram.AppendCommand(nil, hologram.Command{Params: test.params})
		got, err := hologram.ParseEventCommand(body)
		if want := "reading a command: " + test.want; problem(err) != want || !reflect.DeepEqual(got, hologram.EventCommand{}) {
			t.Errorf("%s\n got %v, %+v\nwant %s", body, err, got, want)
		}
	}
}

func TestEventOfOthersMayHaveOtherParams(t *testing.T) {
	t.Parallel()
	for _, seq := range []hologram.Term{hologram.Text("17"), hologram.Int(-1), {Kind: hologram.KindInteger, Text: big}} {
		params := hologram.Map(hologram.Atom("key"), hologram.Int(3), hologram.Atom("payload"), hologram.Text("p"), hologram.Atom("seq"), seq)
		got, err := hologram.ParseEvent(hologram.Tuple(hologram.Atom("a"), params, hologram.List()))
		if err != nil || got != (hologram.Event{Name: "a", Payload: "p"}) {
			t.Errorf("%+v: got %+v, %v", seq, got, err)
		}
	}
}
