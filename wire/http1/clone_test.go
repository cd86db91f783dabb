package http1_test

import (
	"testing"

	"holobench/wire/http1"
)

// body gathers what a parser says of a body.
type body struct{ text string }

func (b *body) OnHead(*http1.Head) error { return nil }

func (b *body) OnBody(p []byte) error {
	b.text += string(p)
	return nil
}

func (b *body) OnEnd() error { return nil }

func TestCloneGoesOnByItself(t *testing.T) {
	t.Parallel()
	const text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"
	for cut := range len(text) {
		var p http1.Parser
		var before body
		if _, err := p.Feed([]byte(text[:cut]), &before); err != nil {
			t.Fatal(err)
		}
		same := p.Clone()
		var first, second body
		for _, c := range []byte(text[cut:]) { // byte by byte, in turns: what they keep must not be the same
			p.Feed([]byte{c}, &first)
			same.Feed([]byte{c}, &second)
		}
		if !p.Done() || !same.Done() || before.text+first.text != "abcd" || first.text != second.text {
			t.Errorf("cut at %d: %q and %q behind %q, done %v and %v", cut, first.text, second.text, before.text, p.Done(), same.Done())
		}
	}
}

func TestBoundary(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text        string
		chunked, ok bool
	}{
		{"", false, true},
		{"H", false, false},
		{"HTTP/1.1 200 OK\r\n\r\n", false, true},
		{"HTTP/1.1 200 OK\r\n\r\nabc", false, true},
		{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na", false, false},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true, true},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1", false, false},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx", false, false},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", true, true},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", false, false},
	} {
		var p http1.Parser
		if _, err := p.Feed([]byte(c.text), new(body)); err != nil {
			t.Fatal(err)
		}
		if chunked, ok := p.Boundary(); chunked != c.chunked || ok != c.ok {
			t.Errorf("%q: %v, %v; want %v, %v", c.text, chunked, ok, c.chunked, c.ok)
		}
	}
}
