package hologram_test

import (
	"reflect"
	"strings"
	"testing"

	"holobench/wire/hologram"
)

// measured is the command that a server of v0.9.3 accepted, as it was sent, but for the instance.
const measured = `[3,{"t":"m","d":[["ainstance_id","b037"],["amodule","aElixir.HoloTarget.RoomPage"],["aname","asend_message"],` +
	`["aparams",{"t":"m","d":[["aroom","b07231"],["atext","b068656c6c6f"]]}],["atarget","b070616765"]]}]`

func measuredCommand() hologram.Command {
	return hologram.Command{
		InstanceID: "7", Module: "Elixir.HoloTarget.RoomPage", Name: "send_message",
		Params: hologram.Map(hologram.Atom("room"), hologram.Text("r1"), hologram.Atom("text"), hologram.Text("hello")), Target: "page",
	}
}

func TestCommand(t *testing.T) {
	t.Parallel()
	withReceipts := measuredCommand()
	withReceipts.Receipts = []string{"t1", "t2"}
	noReceipts := measuredCommand()
	noReceipts.Receipts = []string{}
	for _, test := range []struct {
		command hologram.Command
		want    string
	}{
		{measuredCommand(), measured},
		{withReceipts, strings.Replace(measured, `,["atarget"`, `,["asub_receipts",{"t":"l","d":["b07431","b07432"]}],["atarget"`, 1)},
		{noReceipts, strings.Replace(measured, `,["atarget"`, `,["asub_receipts",{"t":"l","d":[]}],["atarget"`, 1)},
		{
			hologram.Command{Params: hologram.Map()},
			`[3,{"t":"m","d":[["ainstance_id","b"],["amodule","a"],["aname","a"],["aparams",{"t":"m","d":[]}],["atarget","b"]]}]`,
		},
	} {
		got := hologram.AppendCommand(nil, test.command)
		if string(got) != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
		if read, err := hologram.ParseCommand(got); err != nil || !reflect.DeepEqual(read, test.command) {
			t.Errorf("%s: read %+v, %v; want %+v", got, read, err, test.command)
		}
	}
}

func TestCommandOfOlderVersions(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		strings.Replace(measured, `[3,`, `[2,`, 1),
		`[1,{"type":"map","data":[["__atom__:instance_id","__binary__:7"],["__atom__:module","__atom__:Elixir.HoloTarget.RoomPage"],` +
			`["__atom__:target","__binary__:page"],["__atom__:name","__atom__:send_message"],` +
			`["__atom__:params",{"type":"map","data":[["__atom__:room","__binary__:r1"],["__atom__:text","__binary__:hello"]]}]]}]`,
	} {
		if got, err := hologram.ParseCommand([]byte(body)); err != nil || !reflect.DeepEqual(got, measuredCommand()) {
			t.Errorf("%s: read %+v, %v", body, got, err)
		}
	}
}

func TestCommandErrors(t *testing.T) {
	t.Parallel()
	change := func(old, with string) string {
		if !strings.Contains(measured, old) {
			t.Errorf("%s stands nowhere", old)
		}
		return strings.Replace(measured, old, with, 1)
	}
	for _, test := range []struct{ body, want string }{
		{``, `at byte 0: found the end where '[' must stand`},
		{change(`[3,`, `[4,`), `at byte 1: there is no version from 1 to 3 of the serializer; the body begins with [3,`},
		{`[3,"anil"]`, `at byte 3: found '"' where '{' must stand`},
		{change(`{"t":"m"`, `{"t":"l"`), `at byte 3: a map must stand here`},
		{`[3,{"t":"m","d":[]}]`, `it must have the keys instance_id, module, name, params and target`},
		{change(`,["atarget","b070616765"]`, ``), `it must have the keys instance_id, module, name, params and target`},
		{change(`["ainstance_id","b037"]`, `["ainstance_id","a7"]`), `at byte 18: the key "instance_id": found a term of kind atom where one of kind bitstring must stand`},
		{change(`"aElixir.HoloTarget.RoomPage"`, `"b037"`), `at byte 42: the key "module": found a term of kind bitstring where one of kind atom must stand`},
		{change(`"asend_message"`, `"i1"`), `at byte 84: the key "name": found a term of kind integer where one of kind atom must stand`},
		{change(`{"t":"m","d":[["aroom","b07231"],["atext","b068656c6c6f"]]}`, `"f1"`), `at byte 110: the key "params": found a term of kind float where one of kind map must stand`},
		{change(`"b070616765"`, `{"t":"t","d":[]}`), `at byte 182: the key "target": found a term of kind tuple where one of kind bitstring must stand`},
		{change(`["atarget"`, `["asub_receipts",{"t":"l","d":["i1"]}],["atarget"`), `at byte 182: the key "sub_receipts": found a term of kind integer where one of kind bitstring must stand`},
		{change(`["atarget"`, `["asub_receipts","b"],["atarget"`), `at byte 182: the key "sub_receipts": found a term of kind bitstring where one of kind list must stand`},
		{change(`["atarget"`, `["aname","aother"],["atarget"`), `at byte 182: the key "name": the key stands in it twice`},
		{change(`["atarget"`, `["acolour","b"],["atarget"`), `at byte 182: the key "colour": a command has no such key`},
		{change(`["atarget"`, `["b00a","b"],["atarget"`), `at byte 182: a key: found a term of kind bitstring where one of kind atom must stand`},
		{measured + "\n[]", `at byte 209: found '[' behind the end`},
	} {
		got, err := hologram.ParseCommand([]byte(test.body))
		if want := "reading a command: " + test.want; problem(err) != want || !reflect.DeepEqual(got, hologram.Command{}) {
			t.Errorf("%s\n got %v, %+v\nwant %s", test.body, err, got, want)
		}
	}
}

// TestCommandCutAnywhere checks that no part of a command passes for one.
func TestCommandCutAnywhere(t *testing.T) {
	t.Parallel()
	for cut := range len(measured) {
		if _, err := hologram.ParseCommand([]byte(measured[:cut])); err == nil {
			t.Errorf("%s passed", measured[:cut])
		}
	}
}

func TestHandshake(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		handshake hologram.Handshake
		want      string
	}{
		{hologram.Handshake{InstanceID: "7", Receipts: []string{}}, `[3,{"t":"m","d":[["ainstance_id","b037"],["areceipts",{"t":"l","d":[]}]]}]`},
		{hologram.Handshake{InstanceID: "7", Receipts: []string{"t1", ""}}, `[3,{"t":"m","d":[["ainstance_id","b037"],["areceipts",{"t":"l","d":["b07431","b"]}]]}]`},
	} {
		got := hologram.AppendHandshake(nil, test.handshake)
		if string(got) != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
		if read, err := hologram.ParseHandshake(got); err != nil || !reflect.DeepEqual(read, test.handshake) {
			t.Errorf("%s: read %+v, %v; want %+v", got, read, err, test.handshake)
		}
	}
}

func TestHandshakeErrors(t *testing.T) {
	t.Parallel()
	const keys = "a handshake has the keys instance_id and receipts, once each"
	for _, test := range []struct{ body, want string }{
		{`[3,{"t":"m","d":[]}]`, `it must have the keys instance_id and receipts`},
		{`[3,{"t":"m","d":[["ainstance_id","b037"]]}]`, `it must have the keys instance_id and receipts`},
		{`[3,{"t":"m","d":[["areceipts",{"t":"l","d":[]}]]}]`, `it must have the keys instance_id and receipts`},
		{`[3,{"t":"m","d":[["areceipts",{"t":"l","d":[]}],["areceipts",{"t":"l","d":[]}]]}]`, `at byte 49: the key "receipts": ` + keys},
		{`[3,{"t":"m","d":[["ainstance_id","b"],["ainstance_id","b"]]}]`, `at byte 39: the key "instance_id": ` + keys},
		{`[3,{"t":"m","d":[["ax","b"]]}]`, `at byte 18: the key "x": ` + keys},
		{`[3,{"t":"m","d":[["areceipts","b"]]}]`, `at byte 18: the key "receipts": found a term of kind bitstring where one of kind list must stand`},
	} {
		got, err := hologram.ParseHandshake([]byte(test.body))
		if want := "reading a handshake: " + test.want; problem(err) != want || !reflect.DeepEqual(got, hologram.Handshake{}) {
			t.Errorf("%s\n got %v, %+v\nwant %s", test.body, err, got, want)
		}
	}
}

func TestHandshakeReply(t *testing.T) {
	t.Parallel()
	receipt := hologram.Receipt{Channel: hologram.Tuple(hologram.Atom("room"), hologram.Int(42)), CID: "page", Token: `t"1`}
	for _, test := range []struct {
		reply hologram.HandshakeReply
		want  string
	}{
		{hologram.HandshakeReply{HandshakeID: "u1", Receipts: []hologram.Receipt{}}, `{"handshakeId":"u1","refreshedReceipts":"Type.list([])"}`},
		{
			hologram.HandshakeReply{HandshakeID: "u1", Receipts: []hologram.Receipt{receipt}},
			`{"handshakeId":"u1","refreshedReceipts":"Type.list([Type.tuple([Type.tuple([Type.atom(\"room\"), Type.integer(42n)]), Type.bitstring(\"page\"), Type.bitstring(\"t\\\"1\")])])"}`,
		},
	} {
		got := hologram.AppendHandshakeReply(nil, test.reply)
		if string(got) != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
		if read, err := hologram.ParseHandshakeReply(got); err != nil || !reflect.DeepEqual(read, test.reply) {
			t.Errorf("%s: read %+v, %v; want %+v", got, read, err, test.reply)
		}
	}
}

func TestHandshakeReplyErrors(t *testing.T) {
	t.Parallel()
	const keys = "it must have the keys handshakeId and refreshedReceipts"
	const noReceipt = "reading receipts: one is not a tuple of a channel, a component and a token"
	for _, test := range []struct{ body, want string }{
		{`Unauthorized`, `at byte 0: found 'U' where '{' must stand`},
		{`{}`, keys},
		{`{"handshakeId":"","refreshedReceipts":"Type.list([])"}`, keys},
		{`{"handshakeId":"u"}`, keys},
		{`{"handshakeId":"u","refreshedReceipts":""}`, `reading receipts: reading an expression: at byte 0: found the end where a term must stand, as Type.atom("a"); functions, pids, ports and references are not read here`},
		{`{"handshakeId":"u","refreshedReceipts":"Type.map([])"}`, `reading receipts: found a term of kind map where one of kind list must stand`},
		{`{"handshakeId":"u","refreshedReceipts":"Type.list([Type.atom(\"a\")])"}`, noReceipt},
		{`{"handshakeId":"u","refreshedReceipts":"Type.list([Type.tuple([Type.atom(\"a\"), Type.atom(\"a\"), Type.bitstring(\"t\")])])"}`, noReceipt},
	} {
		got, err := hologram.ParseHandshakeReply([]byte(test.body))
		if want := "reading the reply to a handshake: " + test.want; problem(err) != want || !reflect.DeepEqual(got, hologram.HandshakeReply{}) {
			t.Errorf("%s\n got %v, %+v\nwant %s", test.body, err, got, want)
		}
	}
}
