package hologram_test

import (
	"reflect"
	"testing"

	"holobench/wire/hologram"
)

// FuzzParseCommand checks that a body which passes says the same once more, in the format that is written here.
func FuzzParseCommand(f *testing.F) {
	f.Add([]byte(measured))
	f.Add([]byte(`[2,{"t":"m","d":[["aparams",{"t":"m","d":[["f-1.5e-9","i-12"],["b",{"t":"t","d":[{"t":"l","d":["\ud83d\u00e9"]}]}]]}],["ainstance_id","b"],["amodule","a"],["aname","a\"\u0007"],["atarget","b0ff"],["asub_receipts",{"t":"l","d":["b00a"]}]]}]`))
	f.Add([]byte(`[1,{"type":"map","data":[["__atom__:target","__binary__:é"],["__atom__:name","__atom__:n"],["__atom__:module","__atom__:m"],["__atom__:instance_id","__binary__:"],["__atom__:params",{"type":"map","data":[["__integer__:1","__float__:2"]]}]]}]`))
	f.Add([]byte(`[3,{"t":"m","d":[["areceipts",{"t":"l","d":["b07431"]}],["ainstance_id","b037"]]}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if c, err := hologram.ParseCommand(body); err == nil {
			again := hologram.AppendCommand(nil, c)
			if got, err := hologram.ParseCommand(again); err != nil || !reflect.DeepEqual(got, c) {
				t.Fatalf("read %+v of %q, and %+v, %v of %s", c, body, got, err, again)
			}
		}
		if c, err := hologram.ParseEventCommand(body); err == nil {
			again := hologram.AppendEventCommand(nil, c)
			if got, err := hologram.ParseEventCommand(again); err != nil || !reflect.DeepEqual(got, c) {
				t.Fatalf("read %+v of %q, and %+v, %v of %s", c, body, got, err, again)
			}
		}
		if h, err := hologram.ParseHandshake(body); err == nil {
			again := hologram.AppendHandshake(nil, h)
			if got, err := hologram.ParseHandshake(again); err != nil || !reflect.DeepEqual(got, h) {
				t.Fatalf("read %+v of %q, and %+v, %v of %s", h, body, got, err, again)
			}
		}
	})
}

// FuzzParseTerm checks that a term of one spelling means the same in both.
func FuzzParseTerm(f *testing.F) {
	f.Add([]byte(measuredBroadcast))
	f.Add([]byte(`Type.map([[Type.float(-1.0e-7), Type.integer(-12n)], [Type.tuple([]), Type.list([Type.bitstring("\x07\u{2028}\ud83d\xff\\")])]])`))
	f.Add([]byte(`[3,{"t":"m","d":[["f1e+21","b0c3a9"],["i0",{"t":"t","d":["anil",{"t":"l","d":[]}]}]]}]`))
	f.Add([]byte(`[1,{"type":"tuple","data":["__atom__:a","__binary__:\u2028"]}]`))
	f.Fuzz(func(t *testing.T, source []byte) {
		term, err := hologram.ParseExpression(source)
		ascii := err == nil // of the two spellings only this one has text that is always UTF-8
		if err != nil {
			if term, err = hologram.ParseSerialized(source); err != nil {
				return
			}
		}
		up := hologram.AppendSerialized(nil, term)
		if got, err := hologram.ParseSerialized(up); err != nil || !reflect.DeepEqual(got, term) {
			t.Fatalf("read %+v of %q, and %+v, %v of %s", term, source, got, err, up)
		}
		down := hologram.AppendExpression(nil, term)
		got, err := hologram.ParseExpression(down)
		if err != nil || ascii && !reflect.DeepEqual(got, term) {
			t.Fatalf("read %+v of %q, and %+v, %v of %s", term, source, got, err, down)
		}
		if e, err := hologram.ParseEvent(got); err == nil {
			if again, err := hologram.ParseBroadcast(hologram.AppendBroadcast(nil, e)); err != nil || again != e {
				t.Fatalf("read %+v of %q, and then %+v, %v", e, source, again, err)
			}
		}
	})
}

// FuzzBroadcastChannel checks the short way to a channel against the long one, on what is written here, and that no other
// bytes end in more than an answer.
func FuzzBroadcastChannel(f *testing.F) {
	f.Add([]byte(`Type.tuple([Type.atom("a"), Type.map([[Type.atom("channel"), Type.bitstring("red")], [Type.atom("payload"), Type.bitstring("p")]]), Type.list([])])`))
	f.Add([]byte(`Type.tuple([Type.atom("\"), Type.map([[Type.atom(\"channel\"), Type.bitstring(\"no"), Type.map([[Type.atom("channel"), Type.bitstring("r\u{65}d")]]), Type.list([])])`))
	f.Add([]byte(measuredBroadcast))
	f.Fuzz(func(t *testing.T, data []byte) {
		hologram.BroadcastChannel(data)
		e, err := hologram.ParseBroadcast(data)
		if err != nil {
			return
		}
		again := hologram.AppendBroadcast(nil, e)
		if got, ok := hologram.BroadcastChannel(again); !ok || string(got) != e.Channel {
			t.Fatalf("%s: got %q, %v; want %q", again, got, ok, e.Channel)
		}
	})
}

// FuzzParseReply checks that a body which passes says the same once more, and the short way to the echoes against the
// long one.
func FuzzParseReply(f *testing.F) {
	f.Add([]byte(sentReply))
	f.Add([]byte(`{"action":"a\\\"\u0007","selfEchoes":"Type.list([])","status":0,"subReceiptAdds":"","subReceiptDrops":"\ud83d"}`))
	f.Add([]byte(`{"subReceiptDrops":"","STATUS":1,"selfEchoes":"a\"","action":"","subReceiptAdds":"","new":[{}]}`))
	f.Add([]byte(`{"handshakeId":"u1","refreshedReceipts":"Type.list([Type.tuple([Type.atom(\"a\"), Type.bitstring(\"page\"), Type.bitstring(\"t\")])])"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		echoes, ok := hologram.ReplyEchoes(body)
		if r, err := hologram.ParseReply(body); err == nil {
			again := hologram.AppendReply(nil, r)
			if got, err := hologram.ParseReply(again); err != nil || got != r {
				t.Fatalf("read %+v of %q, and %+v, %v of %s", r, body, got, err, again)
			}
			if !ok || len(r.SelfEchoes) > 0 && len(echoes) == 0 {
				t.Fatalf("%q: echoes %q, %v; want %q", body, echoes, ok, r.SelfEchoes)
			}
			_, _ = hologram.ParseSelfEchoes([]byte(r.SelfEchoes)) // any answer, no panic
		}
		if r, err := hologram.ParseHandshakeReply(body); err == nil {
			again := hologram.AppendHandshakeReply(nil, r)
			if got, err := hologram.ParseHandshakeReply(again); err != nil || !reflect.DeepEqual(got, r) {
				t.Fatalf("read %+v of %q, and %+v, %v of %s", r, body, got, err, again)
			}
		}
	})
}

// FuzzPage checks that a document which passes is rendered to one that says the same.
func FuzzPage(f *testing.F) {
	f.Add(hologram.AppendPage(nil, examplePage()))
	f.Add([]byte(foreign))
	f.Add([]byte(`globalThis.Hologram.csrfToken="\xff"globalThis.Hologram.instanceId="\u{3C}"globalThis.Hologram.pageMountData"\""subReceiptAdds:Type.list([])`))
	f.Add(hologram.AppendPage(nil, hologram.Page{CSRFToken: "globalThis.Hologram.instanceId", InstanceID: `globalThis.Hologram.pageMountData subReceiptAdds:`}))
	f.Fuzz(func(t *testing.T, document []byte) {
		p, err := hologram.ParsePage(document)
		if err != nil {
			return
		}
		again := hologram.AppendPage(nil, p)
		if got, err := hologram.ParsePage(again); err != nil || !reflect.DeepEqual(got, p) {
			t.Fatalf("read %+v of %q, and %+v, %v of %s", p, document, got, err, again)
		}
	})
}
