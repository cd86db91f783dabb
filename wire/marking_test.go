package wire_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"holobench/wire"
)

func TestMarks(t *testing.T) {
	t.Parallel()
	m := wire.Marker{Run: 0xc0ffee, Event: wire.EventID{Publisher: 17, Seq: 3}, Due: 5}
	for by, want := range map[wire.Marking]string{
		wire.MarkText:  "hb1.00c0ffee.c17.s3.t5.",
		wire.MarkUUID:  "00c0ffee-0000-8001-b100-686231000003",
		wire.MarkInt53: "8967617121353731",
		wire.MarkHex16: "8ffee00011000003",
	} {
		if got := string(wire.AppendMark([]byte("> "), by, m)); got != "> "+want {
			t.Errorf("%s: %q, want %q", by, got, "> "+want)
		}
	}
}

// What is written is found again, alone and among other things, and in nothing else.
func TestMarksAreFound(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 7))
	for range 2000 {
		m := wire.Marker{Run: wire.RunID(random.Uint32()), Event: wire.EventID{Publisher: random.Uint32N(100_000), Seq: 1 + random.Uint32N(1<<24-1)}}
		for _, by := range []wire.Marking{wire.MarkUUID, wire.MarkInt53, wire.MarkHex16} {
			mark := string(wire.AppendMark(nil, by, m))
			for _, text := range []string{mark, `{"id":"` + mark + `","n":12}`, "1 " + mark + " " + mark, strings.ToUpper(mark)} {
				id, rest, ok := wire.FindMark([]byte(text), by, m.Run)
				if !ok || id != m.Event {
					t.Fatalf("%s: %+v in %q is %+v, %v", by, m, text, id, ok)
				}
				if again, _, ok := wire.FindMark(rest, by, m.Run); ok && again != m.Event {
					t.Fatalf("%s: behind it %+v in %q", by, again, rest)
				}
			}
			for _, text := range []string{mark + "0", "a" + mark, mark[1:], ""} {
				if id, _, ok := wire.FindMark([]byte(text), by, m.Run); ok {
					t.Fatalf("%s: %q is %+v", by, text, id)
				}
			}
			if _, _, ok := wire.FindMark([]byte(mark), by, m.Run^1); ok {
				t.Fatalf("%s: %s is one of another run", by, mark)
			}
		}
	}
}

func FuzzFindMark(f *testing.F) {
	f.Add([]byte("00c0ffee-0000-8001-b100-686231000003"))
	f.Add([]byte(`{"id":8967617121353731}`))
	f.Add([]byte("8ffee00011000003 x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, by := range []wire.Marking{wire.MarkUUID, wire.MarkInt53, wire.MarkHex16, wire.MarkText} {
			for rest, ok := data, true; ok; {
				before := len(rest)
				var id wire.EventID
				if id, rest, ok = wire.FindMark(rest, by, 0xc0ffee); !ok {
					break
				}
				if len(rest) >= before {
					t.Fatal("it finds one without going on")
				}
				mark := wire.AppendMark(nil, by, wire.Marker{Run: 0xc0ffee, Event: id})
				if again, _, ok := wire.FindMark(mark, by, 0xc0ffee); !ok || again != id {
					t.Fatalf("%+v is written as %s, which is not found", id, mark)
				}
			}
		}
	})
}

// TestFindMarkAllocatesNothing is not parallel, because allocations are counted for the whole process.
func TestFindMarkAllocatesNothing(t *testing.T) {
	text := []byte(`{"id":"00c0ffee-0000-8001-b100-686231000003","n":8967617121353731,"h":"8ffee00011000003"}`)
	for _, by := range []wire.Marking{wire.MarkUUID, wire.MarkInt53, wire.MarkHex16} {
		if n := testing.AllocsPerRun(100, func() { wire.FindMark(text, by, 0xc0ffee) }); n != 0 {
			t.Errorf("%s: %v allocations", by, n)
		}
	}
}
