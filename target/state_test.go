package target_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"holobench/target"
	"holobench/wire"
)

// TestStateSync: versions, conflicts, repeated mutations, snapshots and patches, over the wire.
func TestStateSync(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{Design: target.StateSync, Knobs: target.Knobs{Replay: 3}, MaxMutations: 2}, nil)
		ann := w.newSession("ann", "doc")
		set := func(cmd wire.Command, status int, want string) {
			t.Helper()
			cmd.Channel, cmd.Name = "doc", "set"
			if got, body := w.post(cmd); got != status || strings.TrimSpace(body) != want {
				t.Errorf("%+v was answered %d %s, want %d %s", cmd, got, body, status, want)
			}
		}
		set(wire.Command{Instance: "ann", Key: "title", Payload: "A"}, 200, `{"version":1}`)
		set(wire.Command{Instance: "bob", Key: "title", Payload: "B", Base: new(uint64(0))}, 409, `{"conflict":{"key":"title","version":1,"payload":"A"}}`)
		set(wire.Command{Instance: "bob", Key: "title", Payload: "B", Base: new(uint64(1))}, 200, `{"version":2}`)
		set(wire.Command{Instance: "bob", Key: "text", Payload: "x", Base: new(uint64(0))}, 200, `{"version":3}`) // another key is no conflict
		set(wire.Command{Instance: "bob", Key: "text", Payload: "y", ID: "m1"}, 200, `{"version":4}`)
		set(wire.Command{Instance: "ann", Key: "text", Payload: "z", ID: "m1"}, 200, `{"version":5}`) // an id is its sender's own
		set(wire.Command{Instance: "bob", Key: "text", Payload: "y", ID: "m1"}, 200, `{"version":4}`) // carried out before
		set(wire.Command{Instance: "bob", Key: "text", Payload: "q", ID: "m1"}, 422, `id "m1" was another command's`)
		set(wire.Command{Instance: "bob", Payload: "cursor", ID: "m2"}, 200, `{"version":6}`)         // its key is its instance
		set(wire.Command{Instance: "bob", Key: "text", Payload: "y", ID: "m1"}, 200, `{"version":7}`) // no longer remembered
		set(wire.Command{Payload: "x"}, 400, "a mutation names a key, or has an instance, whose key is meant else")
		const end = "version 7 bob=cursor@6 text=y@7 title=B@2"
		if got := replicaOf(t, ann).digest(); got != end {
			t.Errorf("ann has %s, want %s", got, end)
		}
		if got := replicaOf(t, w.newSession("late", "doc")).digest(); got != end {
			t.Errorf("who comes late has %s, want %s", got, end)
		}
		const snapshot = `snapshot {"channel":"doc","version":7,"entries":[{"key":"bob","name":"set","payload":"cursor","seq":6},` +
			`{"key":"text","name":"set","payload":"y","seq":7},{"key":"title","name":"set","payload":"B","seq":2}]}`
		w.checkStream("instance=x&channel=doc", "5", "", "cursor/6 y/7")
		w.checkStream("instance=x&channel=doc&from=5", "", "", "z/5 cursor/6 y/7")
		w.checkStream("instance=x&channel=doc", "7", "", "")
		w.checkStream("instance=x&channel=doc", "3", snapshot, "") // 4 is not kept any more
		w.checkStream("instance=x&channel=doc", "900", snapshot, "")
		w.count("mutations_conflicted=1 commands_repeated=1 commands_accepted=8 commands_rejected=3 events_dispatched=7")
		w.shutdown()
	})
}

// TestDocumentIsBounded: a document that could not be sent as one message is not begun.
func TestDocumentIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const limit = 4000
		w := newWorld(t, target.Options{Design: target.StateSync, DocumentBytes: limit}, nil)
		refused := 0
		for n := range 20 {
			status, body := w.post(wire.Command{Channel: "doc", Key: fmt.Sprint("k", n), Payload: strings.Repeat("<\u2028\xff", 20)})
			if status != 200 {
				refused++
				if want := "the document of this channel has at most 4000 bytes"; status != 507 || strings.TrimSpace(body) != want {
					t.Errorf("answered %d %s, want 507 %s", status, body, want)
				}
			}
		}
		status, _ := w.post(wire.Command{Channel: "doc", Key: "k0", Payload: "short"}) // makes room
		status2, _ := w.post(wire.Command{Channel: "doc", Key: "k19", Payload: "short"})
		if refused == 0 || refused == 20 || status != 200 || status2 != 200 {
			t.Errorf("%d of 20 were refused, and when there was room again: %d %d", refused, status, status2)
		}
		late := w.newSession("late", "doc")
		controls := late.controls()
		if len(controls) != 1 || len(controls[0]) > limit+100 || len(controls[0]) < limit/4 {
			t.Errorf("the snapshot has %d bytes, the limit is %d", len(controls[0]), limit)
		}
		w.shutdown()
	})
}

// TestVersionsMeanNothingElsewhere: a design without versions says so.
func TestVersionsMeanNothingElsewhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, target.Options{Design: target.Sequenced}, nil)
		const want = "the design sequenced has no versions: id and base mean nothing here"
		for _, cmd := range []wire.Command{{Channel: "a", ID: "x"}, {Channel: "a", Base: new(uint64(0))}} {
			if status, body := w.post(cmd); status != 400 || strings.TrimSpace(body) != want {
				t.Errorf("%+v was answered %d %s, want 400 %s", cmd, status, body, want)
			}
		}
		w.shutdown()
	})
}
