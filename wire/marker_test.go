package wire_test

import (
	"math"
	"strings"
	"testing"

	"holobench/wire"
)

func TestMarkerText(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		marker wire.Marker
		want   string
	}{
		{wire.Marker{Run: 0xc0ffee, Event: wire.EventID{Publisher: 17, Seq: 3}, Due: 2500000000}, "hb1.00c0ffee.c17.s3.t2500000000."},
		{wire.Marker{}, "hb1.00000000.c0.s0.t0."},
		{longestMarker(), "hb1.ffffffff.c4294967295.s4294967295.t9223372036854775807."},
	} {
		text := string(wire.AppendMarker([]byte("> "), test.marker))
		if text != "> "+test.want {
			t.Errorf("AppendMarker(%+v) = %q, want %q", test.marker, text, "> "+test.want)
		}
		m, rest, ok := wire.FindMarker([]byte(text + " tail"))
		if !ok || m != test.marker || string(rest) != " tail" {
			t.Errorf("FindMarker(%q) = %+v, %q, %v", text, m, rest, ok)
		}
	}
	if got := len(wire.AppendMarker(nil, longestMarker())); got != wire.MarkerMaxLen {
		t.Errorf("the longest marker has %d bytes, MarkerMaxLen is %d", got, wire.MarkerMaxLen)
	}
	if got := wire.RunID(0xbeef).String(); got != "0000beef" {
		t.Errorf("run id %q", got)
	}
}

func longestMarker() wire.Marker {
	return wire.Marker{Run: math.MaxUint32, Event: wire.EventID{Publisher: math.MaxUint32, Seq: math.MaxUint32}, Due: math.MaxInt64}
}

// lookAlikes returns texts that begin as a marker does and are none.
func lookAlikes() []string {
	return []string{
		"", "hb1.", "hb1.00c0ffee", "hb1.00c0ffee.c17.s3.t25", "hb1.00c0ffee.c17.s3.t", "hb1.00c0ffee.c17.s3.t.", "hb1.00C0FFEE.c1.s1.t1.",
		"hb1.c0ffee.c1.s1.t1.", "hb1.000c0ffee.c1.s1.t1.", "hb1.00c0ffee.c.s1.t1.", "hb1.00c0ffee.s1.c1.t1.", "hb1.00c0ffee.c1.s1.t-1.",
		"hb1.00c0ffee.c4294967296.s1.t1.", "hb1.00c0ffee.c1.s4294967296.t1.", "hb1.00c0ffee.c1.s1.t9223372036854775808.",
		"hb1.00c0ffee.c99999999999999999999999.s1.t1.", "hb1.00c0ffee.c1.s1.t1!", "hb1.00c0ffee.c1.s1x.t1.", "hb2.00c0ffee.c1.s1.t1.", "HB1.00c0ffee.c1.s1.t1.",
	}
}

func TestFindMarkerPassesOverLookAlikes(t *testing.T) {
	t.Parallel()
	want := wire.Marker{Run: 1, Event: wire.EventID{Publisher: 2, Seq: 3}, Due: 4}
	text := string(wire.AppendMarker(nil, want))
	for _, alike := range lookAlikes() {
		if m, _, ok := wire.FindMarker([]byte(alike)); ok {
			t.Errorf("%q was taken for %+v", alike, m)
		}
		if strings.HasSuffix(alike, ".t") || strings.HasSuffix(alike, "25") || strings.HasSuffix(alike, "ffee") {
			alike += "x" // else the text behind it would complete it
		}
		m, rest, ok := wire.FindMarker([]byte(alike + text + "tail"))
		if !ok || m != want || string(rest) != "tail" {
			t.Errorf("behind %q: %+v, %q, %v", alike, m, rest, ok)
		}
	}
}

func TestFindMarkerFindsAll(t *testing.T) {
	t.Parallel()
	var data []byte
	for seq := range uint32(5) {
		data = append(data, "<br>"...)
		data = wire.AppendMarker(data, wire.Marker{Event: wire.EventID{Seq: seq + 1}})
	}
	found := uint32(0)
	for {
		m, rest, ok := wire.FindMarker(data)
		if !ok {
			break
		}
		found++
		if m.Event.Seq != found {
			t.Errorf("marker %d has seq %d", found, m.Event.Seq)
		}
		data = rest
	}
	if found != 5 {
		t.Errorf("found %d markers of 5", found)
	}
}

// TestFindMarkerCost is not parallel, because allocations are counted for the whole process.
func TestFindMarkerCost(t *testing.T) {
	data := []byte(strings.Repeat("text hb1. ", 20))
	data = wire.AppendMarker(data, longestMarker())
	if got := testing.AllocsPerRun(100, func() {
		if _, _, ok := wire.FindMarker(data); !ok {
			t.Fatal("not found")
		}
	}); got != 0 {
		t.Errorf("FindMarker: %v allocations", got)
	}
}

func FuzzMarker(f *testing.F) {
	for _, alike := range lookAlikes() {
		f.Add([]byte(alike), uint32(1), uint32(2), uint32(3), int64(4))
	}
	f.Fuzz(func(t *testing.T, foreign []byte, run, publisher, seq uint32, due int64) {
		if m, rest, ok := wire.FindMarker(foreign); ok {
			// What was found stands in the text, up to zeros in front of a number, and nothing behind it is lost.
			end := len(foreign) - len(rest)
			if end <= 0 || foreign[end-1] != '.' || m.Due < 0 || string(foreign[end:]) != string(rest) {
				t.Errorf("FindMarker(%q) = %+v, %q", foreign, m, rest)
			}
		}
		want := wire.Marker{Run: wire.RunID(run), Event: wire.EventID{Publisher: publisher, Seq: seq}, Due: max(0, due)}
		text := wire.AppendMarker(nil, want)
		if len(text) > wire.MarkerMaxLen {
			t.Errorf("%q is longer than MarkerMaxLen", text)
		}
		got, rest, ok := wire.FindMarker(append(text, foreign...))
		if !ok || got != want || string(rest) != string(foreign) {
			t.Errorf("%+v came back as %+v, %q, %v", want, got, rest, ok)
		}
	})
}
