package hologram_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"holobench/wire/hologram"
)

func TestExpression(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		term hologram.Term
		want string
	}{
		{hologram.Atom("nil"), `Type.atom("nil")`},
		{hologram.Term{}, `Type.atom("")`},
		{hologram.Text("abc全息图"), `Type.bitstring("abc全息图")`},
		{hologram.Text("\\ \" \a \b \f \n \r \t \v"), `Type.bitstring("\\ \" \x07 \b \f \n \r \t \v")`},
		{hologram.Text("\u2028\u2029\u0085\u0086\x00\x1f\ufffe\uffff"), `Type.bitstring("\u{2028}\u{2029}\u{85}\u{86}\u{0}\u{1F}\u{FFFE}\u{FFFF}")`},
		{hologram.Text("\x1b\x7f\u00a0\ufffd🙂</script>&'/"), "Type.bitstring(\"\x1b\x7f\u00a0\ufffd🙂</script>&'/\")"},
		{hologram.Int(12), `Type.integer(12n)`},
		{hologram.Int(-7), `Type.integer(-7n)`},
		{hologram.Term{Kind: hologram.KindInteger, Text: big}, `Type.integer(` + big + `n)`},
		{hologram.Float(1.5), `Type.float(1.5)`},
		{hologram.Float(2), `Type.float(2.0)`},
		{hologram.Float(0), `Type.float(0.0)`},
		{hologram.Float(1e20), `Type.float(1.0e+20)`},
		{hologram.Float(-1.5e-300), `Type.float(-1.5e-300)`},
		{hologram.List(), `Type.list([])`},
		{hologram.List(hologram.Atom("abc"), hologram.Int(123)), `Type.list([Type.atom("abc"), Type.integer(123n)])`},
		{hologram.Tuple(hologram.Atom("abc"), hologram.Int(123)), `Type.tuple([Type.atom("abc"), Type.integer(123n)])`},
		{hologram.Map(), `Type.map([])`},
		{
			hologram.Map(hologram.Atom("a"), hologram.Int(1), hologram.Text("b"), hologram.Float(2)),
			`Type.map([[Type.atom("a"), Type.integer(1n)], [Type.bitstring("b"), Type.float(2.0)]])`,
		},
	} {
		got := hologram.AppendExpression(nil, test.term)
		if string(got) != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
		if read, err := hologram.ParseExpression(got); err != nil || !reflect.DeepEqual(read, test.term) {
			t.Errorf("%s: read %+v, %v; want %+v", got, read, err, test.term)
		}
	}
}

// TestTextThatIsNoUTF8 shows what the comment of appendLiteral says of it.
func TestTextThatIsNoUTF8(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ text, expression, arrives string }{
		{"\xff", `Type.bitstring("\xFF")`, "ÿ"},
		{"a\xe4\xb8", `Type.bitstring("a\xE4\xB8")`, "aä¸"},
		{"\xed\xa0\x80", `Type.bitstring("\xED\xA0\x80")`, "í\u00a0\u0080"},
	} {
		got := hologram.AppendExpression(nil, hologram.Text(test.text))
		if string(got) != test.expression {
			t.Errorf("%q became %s, want %s", test.text, got, test.expression)
		}
		if read, err := hologram.ParseExpression(got); err != nil || read.Text != test.arrives {
			t.Errorf("%s: read %q, %v; want %q", got, read.Text, err, test.arrives)
		}
	}
}

// TestExpressionOfOthers reads what this package does not write.
func TestExpressionOfOthers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		source string
		want   hologram.Term
	}{
		{"\t Type.list( [ Type.atom( \"a\" ) ,Type.integer( 1n )\n] ) \r\n", hologram.List(hologram.Atom("a"), hologram.Int(1))},
		{`Type.bitstring("\'\x41\xe9\u0042\u{43}\u{00e9}\u{1F642}\uD83D\uDE42\u{D83D}\u{de42}\ud83d!")`, hologram.Text("'AéBCé🙂🙂🙂\ufffd!")},
		{"Type.bitstring(\"raw\u2028\u2029\t\a\")", hologram.Text("raw\u2028\u2029\t\a")},
		{`Type.bitstring("\u{3C}/script>")`, hologram.Text("</script>")},
		{`Type.float(1.0e-10)`, hologram.Float(1e-10)},
		{`Type.float(12)`, hologram.Float(12)},
	} {
		if got, err := hologram.ParseExpression([]byte(test.source)); err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: read %+v, %v; want %+v", test.source, got, err, test.want)
		}
	}
}

func TestExpressionErrors(t *testing.T) {
	t.Parallel()
	noTerm := func(at int, found string) string {
		return "at byte " + itoa(at) + ": found " + found + ` where a term must stand, as Type.atom("a"); functions, pids, ports and references are not read here`
	}
	for _, test := range []struct{ source, want string }{
		{``, noTerm(0, "the end")},
		{`alert(1)`, noTerm(0, `'a'`)},
		{`Type.nil()`, noTerm(0, `'T'`)},
		{`Type.atomic("a")`, noTerm(0, `'T'`)},
		{`Type.pid("nonode@nohost", [0, 11, 222])`, noTerm(0, `'T'`)},
		{`Type.atom`, noTerm(0, `'T'`)},
		{`Type.list([Type.atom("a"), ])`, noTerm(27, `']'`)},
		{`Type.list([, Type.atom("a")])`, noTerm(11, `','`)},
		{`Type.atom()`, `at byte 10: found ')' where '"' must stand`},
		{`Type.atom('a')`, `at byte 10: found '\'' where '"' must stand`},
		{`Type.atom("a"`, `at byte 13: found the end where ')' must stand`},
		{`Type.atom("a`, `at byte 11: the text has no end`},
		{`Type.atom("a\`, `at byte 11: the text has no end`},
		{`Type.atom("a" + "b")`, `at byte 14: found '+' where ')' must stand`},
		{`Type.atom("a"); alert(1)`, `at byte 14: found ';' behind the end`},
		{"Type.atom(\"a\nb\")", `at byte 12: the text holds a line end that is not escaped`},
		{"Type.atom(\"a\xffb\")", `at byte 11: the text is no UTF-8`},
		{`Type.atom("a\q")`, `at byte 12: the escape has no meaning here`},
		{`Type.atom("a\0")`, `at byte 12: the escape has no meaning here`},
		{`Type.atom("a\x4")`, `at byte 12: the escape has no meaning here`},
		{`Type.atom("a\x4g")`, `at byte 12: the escape has no meaning here`},
		{`Type.atom("a\u123")`, `at byte 12: the escape has no meaning here`},
		{`Type.atom("a\u{}")`, `at byte 12: the escape has no meaning here`},
		{`Type.atom("a\u{110000}")`, `at byte 12: the escape has no meaning here`},
		{`Type.atom("a\u{0000041}")`, `at byte 12: the escape has no meaning here`},
		{`Type.atom("a\u{41")`, `at byte 12: the escape has no meaning here`},
		{`Type.integer(12)`, `at byte 15: found ')' where the n of an integer must stand`},
		{`Type.integer(12 n)`, `at byte 15: found ' ' where the n of an integer must stand`},
		{`Type.integer(n)`, `at byte 13: the integer is no decimal number without a leading zero`},
		{`Type.integer(1e3n)`, `at byte 13: the integer is no decimal number without a leading zero`},
		{`Type.integer(0x10n)`, `at byte 14: found 'x' where the n of an integer must stand`},
		{`Type.float()`, `at byte 11: the float is no decimal number that 64 bits hold`},
		{`Type.float(NaN)`, `at byte 11: the float is no decimal number that 64 bits hold`},
		{`Type.float(1-2)`, `at byte 11: the float is no decimal number that 64 bits hold`},
		{`Type.float(1e999)`, `at byte 11: the float is no decimal number that 64 bits hold`},
		{`Type.list()`, `at byte 10: found ')' where '[' must stand`},
		{`Type.map([Type.atom("a")])`, `at byte 10: found 'T' where '[' must stand`},
		{`Type.map([[Type.atom("a")]])`, `at byte 25: found ']' where ',' must stand`},
		{`Type.bitstring([Type.bitstringSegment(Type.integer(2n), {type: "integer"})])`, `at byte 15: found '[' where '"' must stand`},
		{
			nested(`Type.list([`, ``, `])`, hologram.MaxDepth+1),
			`at byte ` + itoa(11*hologram.MaxDepth+10) + `: lists, tuples and maps stand more than 64 deep within each other`,
		},
		{
			`Type.list([` + many(`Type.atom("")`, hologram.MaxTerms) + `])`,
			`at byte ` + itoa(11+14*(hologram.MaxTerms-1)) + `: there are more than 65536 terms`,
		},
	} {
		got, err := hologram.ParseExpression([]byte(test.source))
		if want := "reading an expression: " + test.want; problem(err) != want || !reflect.DeepEqual(got, hologram.Term{}) {
			t.Errorf("%.100s\n got %v, %+v\nwant %s", test.source, err, got, want)
		}
	}
}

// TestErrorsKeepSecrets checks that no more than one character of what was read stands in an error.
func TestErrorsKeepSecrets(t *testing.T) {
	t.Parallel()
	const secret = "SFMyNTY-secret"
	good := string(hologram.AppendReceipts(nil, []hologram.Receipt{{Channel: hologram.Atom("a"), CID: "page", Token: secret}}))
	document := string(hologram.AppendPage(nil, hologram.Page{CSRFToken: secret, InstanceID: secret}))
	for cut := range len(good) {
		for _, text := range []string{good[:cut], good[:cut] + "!" + good[cut:], strings.Replace(good, secret, secret+good[cut:], 1)} {
			_, err := hologram.ParseReceipts([]byte(text))
			if strings.Contains(problem(err), "SFM") {
				t.Fatalf("%s: %v", text, err)
			}
		}
	}
	for cut := range len(document) {
		_, err := hologram.ParsePage([]byte(document[:cut]))
		if strings.Contains(problem(err), "SFM") {
			t.Fatalf("%s: %v", document[:cut], err)
		}
	}
}

// TestEncodersAppend checks that what stands in dst already is left alone, also by the escapes.
func TestEncodersAppend(t *testing.T) {
	t.Parallel()
	before := "\"<\n"
	for name, encode := range map[string]func(dst []byte) []byte{
		"expression": func(dst []byte) []byte { return hologram.AppendExpression(dst, hologram.Text("\n")) },
		"serialized": func(dst []byte) []byte { return hologram.AppendSerialized(dst, hologram.Atom("\n")) },
		"reply":      func(dst []byte) []byte { return hologram.AppendReply(dst, hologram.EmptyReply()) },
		"page":       func(dst []byte) []byte { return hologram.AppendPage(dst, hologram.Page{CSRFToken: "<"}) },
	} {
		got, rest := encode([]byte(before)), encode(nil)
		if !bytes.Equal(got, append([]byte(before), rest...)) {
			t.Errorf("%s: got %q", name, got)
		}
	}
}
