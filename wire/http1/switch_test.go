package http1_test

import (
	"slices"
	"testing"

	"holobench/wire/http1"
)

// switched is all that can be observed of a response to a request that asked for another protocol.
type switched struct {
	outcome
	fields string
}

// feedSwitch is feed for a parser that was asked to switch, up to the end of the response.
func feedSwitch(t *testing.T, p *http1.Parser, input string, cuts []int) switched {
	t.Helper()
	var n notes
	used, from := 0, 0
	for _, to := range append(slices.Clone(cuts), len(input)) {
		piece := []byte(input[from:max(from, to)])
		from = max(from, to)
		part, err := p.Feed(piece, &n)
		used += part
		clear(piece)
		if err != nil {
			t.Fatalf("%q: %v", input, err)
		}
	}
	fields := ""
	for _, field := range p.Switch.Fields {
		fields += field.Name + "=" + field.Value + ";"
	}
	return switched{outcome{head: n.head, heads: n.heads, body: string(n.body), ends: n.ends, done: p.Done(), used: used}, fields}
}

func TestParserSwitches(t *testing.T) {
	t.Parallel()
	const begin = "HTTP/1.1 101 Switching Protocols\r\n"
	for name, test := range map[string]struct {
		input, rest string
		head        http1.Head
		body        string
		fields      string
	}{
		"accepted": {
			input: begin + "Upgrade: websocket\r\nconnection:  Upgrade \r\nSec-WebSocket-Accept: x=\r\n\r\n\x81\x02hi", rest: "\x81\x02hi",
			head: http1.Head{Status: 101}, fields: "Upgrade=websocket;connection=Upgrade;Sec-WebSocket-Accept=x=;",
		},
		"behind a 100": {
			input: "HTTP/1.1 100 Continue\r\nA: b\r\n\r\n" + begin + "C: d\r\n\r\n\r\n", rest: "\r\n",
			head: http1.Head{Status: 101}, fields: "C=d;",
		},
		"a length means nothing": {
			input: begin + "Content-Length: 5\r\nConnection: keep-alive\r\n\r\nhello", rest: "hello",
			head: http1.Head{Status: 101}, fields: "Content-Length=5;Connection=keep-alive;",
		},
		"a coding means nothing": {
			input: begin + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", rest: "0\r\n\r\n",
			head: http1.Head{Status: 101}, fields: "Transfer-Encoding=chunked;",
		},
		"without fields": {input: begin + "\r\n", head: http1.Head{Status: 101}},
		"refused": {
			input: "HTTP/1.1 403 Forbidden\r\nX: y\r\nContent-Length: 2\r\n\r\nno",
			head:  http1.Head{Status: 403, ContentLength: 2, KeepAlive: true}, body: "no",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := switched{outcome{head: test.head, heads: 1, body: test.body, ends: 1, done: true, used: len(test.input) - len(test.rest)}, test.fields}
			p := http1.Parser{Switch: new(http1.Switch)}
			for at := range len(test.input) + 1 {
				if got := feedSwitch(t, &p, test.input, []int{at}); got != want {
					t.Fatalf("cut at %d\n got %+v\nwant %+v", at, got, want)
				}
				p.Reset()
				if p.Switch == nil || p.Switch.Fields != nil {
					t.Fatalf("after Reset: %+v", p.Switch)
				}
			}
			if got := feedSwitch(t, &p, test.input, everywhere(test.input)); got != want {
				t.Fatalf("byte by byte\n got %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestSwitchValues(t *testing.T) {
	t.Parallel()
	s := http1.Switch{Fields: []http1.Field{{Name: "Connection", Value: "a"}, {Name: "Upgrade", Value: "b"}, {Name: "CONNECTION", Value: "c"}}}
	if got := s.Values("connection"); !slices.Equal(got, []string{"a", "c"}) {
		t.Errorf("got %q", got)
	}
	if got := s.Values("Host"); got != nil {
		t.Errorf("got %q of a field that is not there", got)
	}
}
