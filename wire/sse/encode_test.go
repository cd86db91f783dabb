package sse_test

import (
	"slices"
	"testing"

	"holobench/wire/sse"
)

func TestAppendEvent(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ id, name, data, want string }{
		{"", "", "x", "data: x\n\n"},
		{"", "", "", "data: \n\n"},
		{"7", "chat", "x", "id: 7\nevent: chat\ndata: x\n\n"},
		{"", "", "a\nb\r\nc\rd\n", "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n"},
		{"7\ndata: forged\n\n", "a\x00b", "x", "id: 7data: forged\nevent: ab\ndata: x\n\n"},
	} {
		got := sse.AppendEvent([]byte("> "), test.id, test.name, []byte(test.data))
		if string(got) != "> "+test.want {
			t.Errorf("AppendEvent(%q, %q, %q) = %q, want %q", test.id, test.name, test.data, got, "> "+test.want)
		}
	}
}

func TestAppendComment(t *testing.T) {
	t.Parallel()
	stream := sse.AppendComment([]byte("data: x\n\n"), "ping\ndata: forged")
	stream = sse.AppendComment(stream, "")
	if want := "data: x\n\n: ping\n: data: forged\n\n: \n\n"; string(stream) != want {
		t.Errorf("wrote %q, want %q", stream, want)
	}
	var got notes
	var p sse.Parser
	if err := p.Feed(stream, &got); err != nil {
		t.Fatal(err)
	}
	want := []string{`event name="" id="" data="x"`, `comment "ping"`, `comment "data: forged"`, `comment ""`}
	if !slices.Equal(got.lines, want) || p.Pending() {
		t.Errorf("wrote %q, read %q, want %q", stream, got.lines, want)
	}
}
