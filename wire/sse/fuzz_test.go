package sse_test

import (
	"slices"
	"strings"
	"testing"

	"holobench/wire/sse"
)

// FuzzParser holds the parser against the definition, whole, byte by byte, and cut at the places that cuts names.
func FuzzParser(f *testing.F) {
	f.Add("data: x\n\n", []byte{3})
	f.Add("\xef\xbb\xbfid: 1\r\nevent: e\rdata: a\ndata: b\r\n\r\n: c\nretry: 9\n\n", []byte{1, 30, 31})
	f.Add("id: \x00\ndata\ndata:\n\rdata:  x\r\r\n", []byte{7, 2, 9})
	f.Fuzz(func(t *testing.T, stream string, cuts []byte) {
		places := make([]int, len(cuts))
		for i, cut := range cuts {
			places[i] = int(cut)
		}
		slices.Sort(places)
		checkSplit(t, stream, nil)
		checkSplit(t, stream, places)
		checkSplit(t, stream, everywhere(stream))
	})
}

// FuzzAppendEvent checks that whatever is written is read back as one event, and as what the comment promises.
func FuzzAppendEvent(f *testing.F) {
	f.Add("1", "e", []byte("data"))
	f.Add("1\n2", "a\r\nb\x00", []byte("two\nlines\r\nthree\r\r"))
	f.Add("", "", []byte(""))
	f.Add(" ", " :", []byte(" \n : x"))
	f.Fuzz(func(t *testing.T, id, name string, data []byte) {
		drop := strings.NewReplacer("\r", "", "\n", "", "\x00", "")
		id2, name2 := drop.Replace(id), drop.Replace(name)
		lines := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(data))

		stream := sse.AppendEvent([]byte("data: before\n\n"), id, name, data)
		stream = append(stream, "data: after\n\n"...)
		var got, want notes
		var p sse.Parser
		if err := p.Feed(stream, &got); err != nil {
			t.Fatal(err)
		}
		want.OnEvent(&sse.Event{Data: []byte("before")})
		want.OnEvent(&sse.Event{ID: []byte(id2), Name: []byte(name2), Data: []byte(lines)})
		want.OnEvent(&sse.Event{ID: []byte(id2), Data: []byte("after")})
		if !slices.Equal(got.lines, want.lines) {
			t.Fatalf("wrote %q\n got %q\nwant %q", stream, got.lines, want.lines)
		}
	})
}
