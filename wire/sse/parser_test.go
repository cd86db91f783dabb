package sse_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"holobench/wire/sse"
)

func TestParserFollowsTheStandard(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		stream string
		want   []string
		lastID string
	}{
		"one event":                         {"data: x\n\n", []string{`event name="" id="" data="x"`}, ""},
		"LF, CR and CRLF mixed":             {"data: 1\rdata: 2\r\ndata: 3\n\r", []string{`event name="" id="" data="1\n2\n3"`}, ""},
		"CR alone ends line and event":      {"data: 1\r\rdata: 2\r\r", []string{`event name="" id="" data="1"`, `event name="" id="" data="2"`}, ""},
		"CRLF is one end, not two":          {"data: 1\r\ndata: 2\r\n\r\n", []string{`event name="" id="" data="1\n2"`}, ""},
		"LF CR is two ends":                 {"data: 1\n\rdata: 2\n\n", []string{`event name="" id="" data="1"`, `event name="" id="" data="2"`}, ""},
		"a byte order mark is dropped":      {"\xef\xbb\xbfdata: x\n\n", []string{`event name="" id="" data="x"`}, ""},
		"only the first mark is dropped":    {"\xef\xbb\xbf\xef\xbb\xbfdata: x\n\ndata: y\n\n", []string{`event name="" id="" data="y"`}, ""},
		"half a mark begins a field":        {"\xef\xbbdata: x\n\ndata: y\n\n", []string{`event name="" id="" data="y"`}, ""},
		"a later mark is part of its line":  {"data: x\n\n\xef\xbb\xbfdata: y\n\n", []string{`event name="" id="" data="x"`}, ""},
		"one space is removed, not two":     {"data:  x\n\n", []string{`event name="" id="" data=" x"`}, ""},
		"no space is needed":                {"data:x\n\n", []string{`event name="" id="" data="x"`}, ""},
		"a tab stays":                       {"data:\tx\n\n", []string{`event name="" id="" data="\tx"`}, ""},
		"space at the end stays":            {"data: x \n\n", []string{`event name="" id="" data="x "`}, ""},
		"only the first colon splits":       {"data: a:b: c\n\n", []string{`event name="" id="" data="a:b: c"`}, ""},
		"field without colon":               {"data\n\n", []string{`event name="" id="" data=""`}, ""},
		"field without colon, twice":        {"data\ndata\n\n", []string{`event name="" id="" data="\n"`}, ""},
		"empty data is an event":            {"data:\n\n", []string{`event name="" id="" data=""`}, ""},
		"empty first line of data":          {"data:\ndata: x\n\n", []string{`event name="" id="" data="\nx"`}, ""},
		"empty last line of data":           {"data: x\ndata:\n\n", []string{`event name="" id="" data="x\n"`}, ""},
		"no data, no event":                 {"event: a\n\ndata: x\n\n", []string{`event name="" id="" data="x"`}, ""},
		"no data, but the id is committed":  {"id: 7\n\ndata: x\n\n", []string{`event name="" id="7" data="x"`}, "7"},
		"an id stays in force":              {"id: 7\ndata: x\n\ndata: y\n\n", []string{`event name="" id="7" data="x"`, `event name="" id="7" data="y"`}, "7"},
		"an empty id resets":                {"id: 7\ndata: x\n\nid\ndata: y\n\n", []string{`event name="" id="7" data="x"`, `event name="" id="" data="y"`}, ""},
		"an id with NUL is ignored":         {"id: 7\nid: 8\x00\ndata: x\n\n", []string{`event name="" id="7" data="x"`}, "7"},
		"an id is committed by empty lines": {"id: 7\n\nid: 8\ndata: x\n", nil, "7"},
		"the last of two ids counts":        {"id: 7\nid: 8\ndata: x\n\n", []string{`event name="" id="8" data="x"`}, "8"},
		"a name lasts for one event":        {"event: a\ndata: x\n\ndata: y\n\n", []string{`event name="a" id="" data="x"`, `event name="" id="" data="y"`}, ""},
		"the last of two names counts":      {"event: a\nevent\ndata: x\n\n", []string{`event name="" id="" data="x"`}, ""},
		"names are compared exactly":        {"Data: x\ndata : y\n data: z\ndatas: u\n\n", nil, ""},
		"comments are no events":            {": ping\n:pong\n:\n\n", []string{`comment "ping"`, `comment "pong"`, `comment ""`}, ""},
		"a comment within an event":         {"data: 1\n: ping\ndata: 2\n\n", []string{`comment "ping"`, `event name="" id="" data="1\n2"`}, ""},
		"retry":                             {"retry: 1500\n", []string{"retry 1.5s"}, ""},
		"retry with more than digits":       {"retry: 1.5\nretry: -1\nretry:  1\nretry: 1 \nretry\n", nil, ""},
		"retry without end":                 {"retry: 9999999999999999999999\n", []string{"retry 2562047h47m16.854s"}, ""},
		"an unfinished event is dropped":    {"data: x\n\ndata: y\n", []string{`event name="" id="" data="x"`}, ""},
		"an unfinished line is dropped":     {"data: x\n\n: y", []string{`event name="" id="" data="x"`}, ""},
		"invalid UTF-8 is passed on":        {"data: \xff\n\n", []string{`event name="" id="" data="\xff"`}, ""},
		"empty lines":                       {"\n\r\n\r\n\n", nil, ""},
		"nothing":                           {"", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said, lastID := read(test.stream)
			if !slices.Equal(said, test.want) || lastID != test.lastID {
				t.Errorf("the definition says %q, id %q; the table %q, id %q", said, lastID, test.want, test.lastID)
			}
			for cut := range len(test.stream) + 1 {
				checkSplit(t, test.stream, []int{cut})
			}
			checkSplit(t, test.stream, everywhere(test.stream))
		})
	}
}

// everywhere cuts after each byte.
func everywhere(stream string) []int {
	cuts := make([]int, len(stream))
	for i := range cuts {
		cuts[i] = i + 1
	}
	return cuts
}

// checkSplit feeds stream in pieces and holds what the parser says against the definition. Each piece is overwritten
// when it has been fed, so that a reference kept to it shows.
func checkSplit(t *testing.T, stream string, cuts []int) {
	t.Helper()
	want, wantID := read(stream)
	var p sse.Parser
	var got notes
	from := 0
	for _, to := range append(slices.Clone(cuts), len(stream)) {
		to = min(max(from, to), len(stream))
		piece := []byte(stream[from:to])
		if err := p.Feed(piece, &got); err != nil {
			t.Fatalf("stream %q cut at %v: %v", stream, cuts, err)
		}
		clear(piece)
		from = to
	}
	if !slices.Equal(got.lines, want) {
		t.Fatalf("stream %q cut at %v\n got %q\nwant %q", stream, cuts, got.lines, want)
	}
	if p.LastEventID() != wantID {
		t.Fatalf("stream %q cut at %v: last event id %q, want %q", stream, cuts, p.LastEventID(), wantID)
	}
}

// TestParserAgreesWithDefinition builds streams from the pieces that matter, in any order, cut anywhere.
func TestParserAgreesWithDefinition(t *testing.T) {
	t.Parallel()
	pieces := []string{
		"\n", "\n", "\n\n", "\r", "\r\n", "\r\n\r\n", "data", "data:", "data: ", "data: x\n", "data: y\r", ":", ": c\n", "id", "id: 1\n", "id: 2\r\n",
		"id:\x00\n", "event", "event: e\n", "event:\n", "retry: 12\n", "retry:", "0", " ", "\xef\xbb\xbf", "\xef", "\xbb", "\x00", "foo: bar\n",
		"a longer piece of text without any meaning",
	}
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 1))
	for round := range 20_000 {
		var b strings.Builder
		for range random.IntN(16) {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		stream := b.String()
		cuts := make([]int, random.IntN(6))
		for i := range cuts {
			cuts[i] = random.IntN(len(stream) + 1)
		}
		slices.Sort(cuts)
		checkSplit(t, stream, cuts)
		if t.Failed() {
			t.Fatalf("seed %d, round %d", seed, round)
		}
	}
}

func TestParserPending(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		stream string
		want   bool
	}{
		{"", false},
		{"d", true},
		{"\xef", true},
		{"\xef\xbb", true},
		{"\xef\xbb\xbf", false},
		{"data: x", true},
		{"data: x\n", true},
		{"data: x\r\n\r", false}, // the empty line ended at its CR
		{"data: x\n\n", false},
		{"data: x\n\n: ping", true},
		{"data: x\n\n: ping\n", false},
		{"data: x\n: ping\n", true},
		{"data: x\n\nevent:\n", true},
		{"data: x\n\nunknown\n", true},
		{"data: x\n\nunknown\n\n", false},
		{"data: x\n\n\n", false},
	} {
		for _, cuts := range [][]int{{len(test.stream)}, everywhere(test.stream)} {
			var p sse.Parser
			from := 0
			for _, to := range cuts {
				if err := p.Feed([]byte(test.stream[from:to]), &notes{}); err != nil {
					t.Fatal(err)
				}
				from = to
			}
			if p.Pending() != test.want {
				t.Errorf("after %q cut at %v: pending %v, want %v", test.stream, cuts, p.Pending(), test.want)
			}
		}
	}
}

func TestParserReset(t *testing.T) {
	t.Parallel()
	var p sse.Parser
	var got notes
	feed := func(stream string) {
		t.Helper()
		if err := p.Feed([]byte(stream), &got); err != nil {
			t.Fatal(err)
		}
	}
	feed("id: 7\ndata: x\n\nid: 8\nevent: cut\ndata: off\r")
	p.Reset()
	if p.LastEventID() != "7" || p.Pending() {
		t.Fatalf("after Reset: id %q, pending %v; want 7, false", p.LastEventID(), p.Pending())
	}
	feed("\xef\xbb\xbfdata: y\n\n") // the new connection has a mark of its own, and no LF to swallow
	want := []string{`event name="" id="7" data="x"`, `event name="" id="7" data="y"`}
	if !slices.Equal(got.lines, want) {
		t.Fatalf("got %q, want %q", got.lines, want)
	}
}

func TestParserRefusesWhatIsTooLong(t *testing.T) {
	t.Parallel()
	full := strings.Repeat("x", sse.MaxEvent-len("data:"))
	for name, test := range map[string]struct {
		stream string
		events int
		want   error
	}{
		"the longest line":     {"data:" + full + "\n\n", 1, nil},
		"a line too long":      {"data: a\n\ndata:" + full + "x\n\n", 1, sse.ErrTooLong},
		"a comment too long":   {":" + full + "xxxxx\n\n", 0, sse.ErrTooLong},
		"unfinished, too long": {"data:" + full + "x", 0, sse.ErrTooLong},
		"the longest event":    {"data:" + full + "\ndata:xxxx\n\n", 1, nil},
		"an event too long":    {"data:" + full + "\ndata:xxxxx\n\n", 0, sse.ErrTooLong},
		"many lines too long":  {strings.Repeat("data\n", sse.MaxEvent+2) + "\n", 0, sse.ErrTooLong},
	} {
		for _, size := range []int{len(test.stream), 4096} {
			var p sse.Parser
			var got notes
			var err error
			for piece := range slices.Chunk([]byte(test.stream), size) {
				if err = p.Feed(piece, &got); err != nil {
					break
				}
			}
			if !errors.Is(err, test.want) || len(got.lines) != test.events {
				t.Errorf("%s, in pieces of %d: %d events, error %v; want %d, %v", name, size, len(got.lines), err, test.events, test.want)
			}
			if test.want == nil {
				continue
			}
			if err := p.Feed([]byte("data: x\n\n"), &got); !errors.Is(err, test.want) || len(got.lines) != test.events {
				t.Errorf("%s: a dead parser went on: %v", name, err)
			}
			p.Reset()
			if err := p.Feed([]byte("data: x\n\n"), &got); err != nil || len(got.lines) != test.events+1 {
				t.Errorf("%s: Reset did not revive the parser: %v", name, err)
			}
		}
	}
}

func TestParserIsSmall(t *testing.T) {
	t.Parallel()
	if size := unsafe.Sizeof(sse.Parser{}); size > 200 {
		t.Errorf("a Parser is %d bytes: each held stream has one, keep it below 200", size)
	}
}
