package websocket_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"holobench/wire/websocket"
)

// hello is the unmasked text "Hello" of RFC 6455, section 5.7, and the other samples there.
const (
	hello        = "\x81\x05Hello"
	helloMasked  = "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"
	helloInTwo   = "\x01\x03Hel\x80\x02lo"
	pingHello    = "\x89\x05Hello"
	pongMasked   = "\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"
	binary256    = "\x82\x7e\x01\x00"
	binary64k    = "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"
	noMask       = "\x80\x00\x00\x00\x00" // an empty masked frame goes on: the second length byte, and a key of zeros
	maskOfZeroes = "\x00\x00\x00\x00"
)

func TestParser(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		role    websocket.Role
		input   string
		want    []string
		pending bool
		closed  bool
	}{
		"sample text":              {input: hello, want: []string{"text Hello"}},
		"sample masked":            {role: websocket.Server, input: helloMasked, want: []string{"text Hello"}},
		"sample in fragments":      {input: helloInTwo, want: []string{"text Hello"}},
		"sample ping":              {input: pingHello, want: []string{"ping Hello"}},
		"sample masked pong":       {role: websocket.Server, input: pongMasked, want: []string{"pong Hello"}},
		"sample of 256 bytes":      {input: binary256 + strings.Repeat("x", 256), want: []string{"binary " + strings.Repeat("x", 256)}},
		"nothing":                  {},
		"empty":                    {input: "\x81\x00\x82\x00\x89\x00\x8a\x00", want: []string{"text ", "binary ", "ping ", "pong "}},
		"empty masked":             {role: websocket.Server, input: "\x81" + noMask + "\x89" + noMask, want: []string{"text ", "ping "}},
		"empty fragments":          {input: "\x01\x00\x00\x00\x80\x00", want: []string{"text "}},
		"a text between empties":   {input: "\x01\x00\x00\x02hi\x00\x00\x80\x00", want: []string{"text hi"}},
		"a last one with it all":   {input: "\x02\x00\x80\x02hi" + hello, want: []string{"binary hi", "text Hello"}},
		"a ping between fragments": {input: "\x01\x03Hel" + pingHello + "\x8a\x00\x80\x02lo" + hello, want: []string{"ping Hello", "pong ", "text Hello", "text Hello"}},
		"a rune in two fragments":  {input: "\x01\x02\xe4\xb8\x80\x01\x96", want: []string{"text 世"}},
		"125 and 126 bytes":        {input: "\x82\x7d" + strings.Repeat("x", 125) + "\x82\x7e\x00\x7e" + strings.Repeat("y", 126), want: []string{"binary " + strings.Repeat("x", 125), "binary " + strings.Repeat("y", 126)}},
		"binary is no text":        {input: "\x82\x02\xff\xfe", want: []string{"binary \xff\xfe"}},
		"close without code":       {input: "\x88\x00", want: []string{"close 1005 "}, closed: true},
		"close":                    {input: "\x88\x05\x03\xe8bye", want: []string{"close 1000 bye"}, closed: true},
		"close of an application":  {input: "\x88\x02\x0f\xa0", want: []string{"close 4000 "}, closed: true},
		"close within a message":   {input: "\x01\x01a\x88\x00", want: []string{"close 1005 "}, closed: true},
		"behind a close":           {input: "\x88\x00" + hello + "\xff\xff\xff", want: []string{"close 1005 "}, closed: true},
		"half a head":              {input: hello + "\x81", want: []string{"text Hello"}, pending: true},
		"half a length":            {input: "\x81\x7e\x00", pending: true},
		"half a mask":              {role: websocket.Server, input: "\x81\x85\x37\xfa", pending: true},
		"half a payload":           {input: hello[:4], pending: true},
		"half a message":           {input: helloInTwo[:5], pending: true},
		"half an empty message":    {input: "\x01\x00", pending: true},
		"half a ping":              {input: helloInTwo[:5] + pingHello[:3], pending: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := said{lines: test.want, pending: test.pending, closed: test.closed}
			input := []byte(test.input)
			check := func(cuts []int) {
				p := websocket.Parser{Role: test.role}
				if got := feed(&p, input, cuts); !got.equal(want) {
					t.Fatalf("cut at %v\n got %+v\nwant %+v", cuts, got, want)
				}
			}
			for at := range len(input) + 1 {
				check([]int{at})
			}
			check(everywhere(input))
		})
	}
}

func TestParserRefuses(t *testing.T) {
	t.Parallel()
	const client, server = websocket.Client, websocket.Server
	for _, test := range []struct {
		role  websocket.Role
		input string
		code  websocket.Code
		want  string
	}{
		{client, "HTTP/1.1", 1002, "a reserved bit is set in the frame head 0x48, though no extension was negotiated"},
		{client, "\xc1\x00", 1002, "a reserved bit is set in the frame head 0xc1, though no extension was negotiated"},
		{client, "\xa1\x00", 1002, "a reserved bit is set in the frame head 0xa1, though no extension was negotiated"},
		{client, "\x91\x00", 1002, "a reserved bit is set in the frame head 0x91, though no extension was negotiated"},
		{client, helloMasked, 1002, "a frame from a server is masked"},
		{server, hello, 1002, "a frame from a client is not masked"},
		{client, "\x83\x00", 1002, "the opcode 0x3 is reserved"},
		{client, "\x87\x00", 1002, "the opcode 0x7 is reserved"},
		{client, "\x8b\x00", 1002, "the opcode 0xb is reserved"},
		{client, "\x8f\x00", 1002, "the opcode 0xf is reserved"},
		{client, "\x80\x00", 1002, "a continuation of no message"},
		{client, hello + "\x00\x00", 1002, "a continuation of no message"},
		{client, "\x01\x00\x81\x00", 1002, "a new message begins within another one"},
		{client, "\x01\x00\x02\x00", 1002, "a new message begins within another one"},
		{client, "\x09\x00", 1002, "a control frame in fragments"},
		{client, "\x08\x00", 1002, "a control frame in fragments"},
		{client, "\x89\x7e\x00\x7e", 1002, "a control frame of more than 125 bytes"},
		{server, "\x88\xff", 1002, "a control frame of more than 125 bytes"},
		{client, "\x81\x7e\x00\x7d", 1002, "the length 125 of a frame is not written in the fewest bytes, or in too many"},
		{client, "\x81\x7f\x00\x00\x00\x00\x00\x00\xff\xff", 1002, "the length 65535 of a frame is not written in the fewest bytes, or in too many"},
		{client, "\x81\x7f\x80\x00\x00\x00\x00\x00\x00\x00", 1002, "the length 9223372036854775808 of a frame is not written in the fewest bytes, or in too many"},
		{client, "\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", 1009, "a message is longer than 1048576 bytes"},
		{server, "\x82\xff\x00\x00\x00\x00\x00\x10\x00\x01" + maskOfZeroes, 1009, "a message is longer than 1048576 bytes"},
		{client, "\x81\x01\xff", 1007, "a text message is not UTF-8"},
		{client, "\x81\x03\xed\xa0\x80", 1007, "a text message is not UTF-8"},
		{client, "\x01\x02\xe4\xb8\x80\x01x", 1007, "a text message is not UTF-8"},
		{client, "\x88\x01x", 1002, "a Close with half a code"},
		{client, "\x88\x02\x03\xe7", 1002, "a Close with the code 999, which must not be sent"},
		{client, "\x88\x02\x03\xec", 1002, "a Close with the code 1004, which must not be sent"},
		{client, "\x88\x02\x03\xed", 1002, "a Close with the code 1005, which must not be sent"},
		{client, "\x88\x02\x03\xee", 1002, "a Close with the code 1006, which must not be sent"},
		{client, "\x88\x02\x03\xf7", 1002, "a Close with the code 1015, which must not be sent"},
		{client, "\x88\x02\x13\x88", 1002, "a Close with the code 5000, which must not be sent"},
		{client, "\x88\x03\x03\xe8\xff", 1007, "the reason of a Close is not UTF-8"},
	} {
		for _, cuts := range [][]int{nil, everywhere([]byte(test.input))} {
			p := websocket.Parser{Role: test.role}
			var n notes
			var err error
			from := 0
			for _, to := range append(cuts, len(test.input)) {
				if err = p.Feed([]byte(test.input[from:to]), &n); err != nil {
					break
				}
				from = to
			}
			fault, ok := errors.AsType[*websocket.FaultError](err)
			if !ok || fault.Code != test.code || err.Error() != "reading a WebSocket: "+test.want {
				t.Errorf("%q: error %v, want %d %s", test.input, err, test.code, test.want)
			}
			before := len(n.lines)
			if again := p.Feed([]byte(hello), &n); !errors.Is(again, err) || len(n.lines) != before {
				t.Errorf("%q: the dead parser said %v, %q", test.input, again, n.lines)
			}
			p.Reset()
			if p.Role != test.role || p.Pending() {
				t.Errorf("%q: after Reset %+v", test.input, p)
			}
		}
	}
}

func TestParserLimit(t *testing.T) {
	t.Parallel()
	for input, fits := range map[string]bool{
		hello:                         true,
		helloInTwo:                    true,
		"\x81\x06Hello!":              false,
		"\x01\x03Hel\x80\x03lo!":      false,
		"\x01\x05Hello\x80\x01!":      false,
		"\x01\x05Hello\x80\x00":       true,
		"\x89\x06Hello!":              true, // a control frame has a limit of its own
		"\x01\x03Hel\x89\x06Hello!":   true,
		hello + hello + hello:         true,
		"\x01\x03Hel\x00\x7e\x00\x7e": false, // before a byte of it has come
	} {
		p := websocket.Parser{Limit: len("Hello")}
		got := feed(&p, []byte(input), nil)
		if (got.fault == 0) != fits || !fits && got.fault != websocket.TooBig {
			t.Errorf("%q: %+v, want it to fit: %v", input, got, fits)
		}
	}
}

func TestParserReturnsTheHandlersError(t *testing.T) {
	t.Parallel()
	stop := errors.New("stop")
	for _, input := range []string{hello, helloInTwo, pingHello, "\x8a\x00", "\x82\x00", "\x88\x00"} {
		var p websocket.Parser
		n := notes{fail: stop}
		if err := p.Feed([]byte(input+hello), &n); !errors.Is(err, stop) || len(n.lines) != 1 {
			t.Errorf("%q: %v, %q", input, err, n.lines)
		}
		if err := p.Feed([]byte(hello), &n); !errors.Is(err, stop) || len(n.lines) != 1 {
			t.Errorf("%q, again: %v, %q", input, err, n.lines)
		}
	}
}

// TestRandomConnections holds the parser against what was written and against the definition, in random chunks.
func TestRandomConnections(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 1))
	for round := range 1500 {
		role := websocket.Role(random.IntN(2))
		input, want := connection(random, role)
		cuts := make([]int, random.IntN(8))
		for i := range cuts {
			cuts[i] = random.IntN(len(input) + 1)
		}
		slices.Sort(cuts)
		for _, got := range []said{
			feed(&websocket.Parser{Role: role}, input, nil),
			feed(&websocket.Parser{Role: role}, input, cuts),
			define(role, websocket.MaxMessage, input),
		} {
			if !got.equal(want) {
				t.Fatalf("seed %d, round %d, cuts %v\n got %.300q\nwant %.300q", seed, round, cuts, got.lines, want.lines)
			}
		}
	}
}

// connection writes random messages, some in fragments with control frames between them, and says what they say.
func connection(random *rand.Rand, to websocket.Role) (input []byte, want said) {
	add := func(f websocket.Frame) {
		if f.Masked = to == websocket.Server; f.Masked {
			f.Key = [4]byte{byte(random.Uint32()), byte(random.Uint32()), byte(random.Uint32()), byte(random.Uint32())}
		}
		input = websocket.AppendFrame(input, f)
	}
	text := func(longest int) []byte {
		return []byte(strings.Repeat("aé世🙂", longest/8+1)[:random.IntN(longest/10+1)*10])
	}
	longest := 300
	if random.IntN(50) == 0 {
		longest = 70_000 // so that a length takes 8 bytes
	}
	for range random.IntN(6) {
		body, fragment := text(longest), websocket.Text
		want.lines = append(want.lines, "text "+string(body))
		at := len(want.lines) - 1
		for random.IntN(2) == 0 {
			cut := random.IntN(len(body) + 1)
			add(websocket.Frame{Opcode: fragment, More: true, Payload: body[:cut]})
			body, fragment = body[cut:], websocket.Continuation
			if random.IntN(2) == 0 {
				ping := text(120)
				add(websocket.Frame{Opcode: websocket.Ping, Payload: ping})
				want.lines = slices.Insert(want.lines, at, "ping "+string(ping))
				at++
			}
		}
		add(websocket.Frame{Opcode: fragment, Payload: body})
	}
	if random.IntN(3) == 0 {
		add(websocket.Frame{Opcode: websocket.Close, Payload: websocket.AppendClosePayload(nil, websocket.GoingAway, "bye")})
		want.lines, want.closed = append(want.lines, "close 1001 bye"), true
	}
	return input, want
}
