package hologram_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"holobench/wire/hologram"
)

// big is a number beyond 64 bits.
const big = "123456789012345678901234567890"

func TestSerialized(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		term hologram.Term
		want string
	}{
		{hologram.Atom("nil"), `[3,"anil"]`},
		{hologram.Atom("true"), `[3,"atrue"]`},
		{hologram.Atom("Elixir.My.Page"), `[3,"aElixir.My.Page"]`},
		{hologram.Term{}, `[3,"a"]`},
		{hologram.Atom("a\"b\\c\n\x01é"), `[3,"aa\"b\\c\n\u0001é"]`},
		{hologram.Text(""), `[3,"b"]`},
		{hologram.Text("hello"), `[3,"b068656c6c6f"]`},
		{hologram.Text("é\xff\x00"), `[3,"b0c3a9ff00"]`},
		{hologram.Int(12), `[3,"i12"]`},
		{hologram.Int(math.MinInt64), `[3,"i-9223372036854775808"]`},
		{hologram.Term{Kind: hologram.KindInteger, Text: big}, `[3,"i` + big + `"]`},
		{hologram.Float(1.5), `[3,"f1.5"]`},
		{hologram.Float(1), `[3,"f1"]`},
		{hologram.Float(0), `[3,"f0"]`},
		{hologram.Float(1e21), `[3,"f1e+21"]`},
		{hologram.Float(-1.5e-7), `[3,"f-1.5e-7"]`},
		{hologram.Float(1e-6), `[3,"f0.000001"]`},
		{hologram.Float(1e100), `[3,"f1e+100"]`},
		{hologram.List(), `[3,{"t":"l","d":[]}]`},
		{hologram.List(hologram.Int(1), hologram.Atom("a")), `[3,{"t":"l","d":["i1","aa"]}]`},
		{hologram.Tuple(hologram.Atom("room"), hologram.Int(42)), `[3,{"t":"t","d":["aroom","i42"]}]`},
		{hologram.Map(), `[3,{"t":"m","d":[]}]`},
		{hologram.Map(hologram.Atom("k"), hologram.Text("v"), hologram.Int(1), hologram.List()), `[3,{"t":"m","d":[["ak","b076"],["i1",{"t":"l","d":[]}]]}]`},
	} {
		got := hologram.AppendSerialized(nil, test.term)
		if string(got) != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
		if read, err := hologram.ParseSerialized(got); err != nil || !reflect.DeepEqual(read, test.term) {
			t.Errorf("%s: read %+v, %v; want %+v", got, read, err, test.term)
		}
	}
}

func TestMapLeavesOutAKeyWithoutValue(t *testing.T) {
	t.Parallel()
	if got := hologram.Map(hologram.Atom("a"), hologram.Int(1), hologram.Atom("b")); len(got.Items) != 2 {
		t.Errorf("got %+v", got)
	}
	odd := hologram.Term{Kind: hologram.KindMap, Items: []hologram.Term{hologram.Atom("a")}}
	if got := string(hologram.AppendSerialized(nil, odd)) + string(hologram.AppendExpression(nil, odd)); got != `[3,{"t":"m","d":[]}]Type.map([])` {
		t.Errorf("got %s", got)
	}
}

func TestFloatIsFinite(t *testing.T) {
	t.Parallel()
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if got := hologram.Float(f); got.Float != 0 {
			t.Errorf("%v became %v", f, got.Float)
		}
	}
}

func TestGetTakesTheLastOfAKey(t *testing.T) {
	t.Parallel()
	m := hologram.Map(hologram.Atom("k"), hologram.Int(1), hologram.Text("k"), hologram.Int(2), hologram.Atom("k"), hologram.Int(3), hologram.Text("k"), hologram.Int(4))
	if got, ok := m.Get("k"); !ok || got.Text != "3" {
		t.Errorf("got %+v, %v", got, ok)
	}
	for _, none := range []hologram.Term{m, {}, hologram.List(hologram.Atom("x"), hologram.Atom("x"))} {
		if got, ok := none.Get("x"); ok {
			t.Errorf("found %+v in %+v", got, none)
		}
	}
}

// TestSerializedOfOthers reads what this package does not write.
func TestSerializedOfOthers(t *testing.T) {
	t.Parallel()
	want := hologram.Map(hologram.Atom("k"), hologram.List(hologram.Text("é"), hologram.Tuple(hologram.Int(-7)), hologram.Float(2.5), hologram.Text("")))
	for _, body := range []string{
		`[2,{"t":"m","d":[["ak",{"t":"l","d":["b0c3a9",{"t":"t","d":["i-7"]},"f2.5","b"]}]]}]`,
		`[1,{"type":"map","data":[["__atom__:k",{"type":"list","data":["__binary__:é",{"type":"tuple","data":["__integer__:-7"]},"__float__:2.5","__binary__:"]}]]}]`,
		" [ 3 , { \"t\" : \"m\" ,\n\"d\"\t:\r[ [ \"ak\" , { \"t\" : \"l\" , \"d\" : [ \"b0c3a9\" , { \"t\" : \"t\" , \"d\" : [ \"i-7\" ] } , \"f2.50\" , \"b0\" ] } ] ] } ] ",
		`[3,{"\u0074":"\u006d","\u0064":[["\u0061k",{"t":"l","d":["\u00620c3a9",{"t":"t","d":["i-7"]},"f25e-1","b"]}]]}]`,
	} {
		if got, err := hologram.ParseSerialized([]byte(body)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: read %+v, %v", body, got, err)
		}
	}
	escaped := `[3,"a\"\\\/\b\f\n\r\t\u00e9\uD83D\ude42\ud83d\ud83dx\ude42"]`
	if got, err := hologram.ParseSerialized([]byte(escaped)); err != nil || got.Text != "\"\\/\b\f\n\r\té🙂\ufffd\ufffdx\ufffd" {
		t.Errorf("read %q, %v", got.Text, err)
	}
}

func TestSerializedErrors(t *testing.T) {
	t.Parallel()
	const noTerm = "it is no atom, bitstring, integer or float; functions, pids, ports and references are not read here"
	const noCollection = "it is no list, tuple or map; bitstrings of bits, functions, pids, ports and references are not read here"
	const noVersion = "there is no version from 1 to 3 of the serializer; the body begins with [3,"
	for _, test := range []struct{ body, want string }{
		{``, `at byte 0: found the end where '[' must stand`},
		{`{}`, `at byte 0: found '{' where '[' must stand`},
		{`[4,"anil"]`, `at byte 1: ` + noVersion},
		{`[0,"anil"]`, `at byte 1: ` + noVersion},
		{`[33,"anil"]`, `at byte 1: ` + noVersion},
		{`[,"anil"]`, `at byte 1: ` + noVersion},
		{`[3]`, `at byte 2: found ']' where ',' must stand`},
		{`[3,]`, `at byte 3: found ']' where '"' must stand`},
		{`[3,12]`, `at byte 3: found '1' where '"' must stand`},
		{`[3,null]`, `at byte 3: found 'n' where '"' must stand`},
		{`[3,"anil"`, `at byte 9: found the end where ']' must stand`},
		{`[3,"anil"]x`, `at byte 10: found 'x' behind the end`},
		{`[3,"anil","anil"]`, `at byte 9: found ',' where ']' must stand`},
		{`[3,""]`, `at byte 3: a term is empty`},
		{`[3,"x"]`, `at byte 3: ` + noTerm},
		{`[3,"cErlang` + "\x7f" + `+` + "\x7f" + `2"]`, `at byte 3: ` + noTerm},
		{`[3,"b12080"]`, `at byte 3: the bitstring is no whole bytes; text begins with b0`},
		{`[3,"b0a"]`, `at byte 3: the bitstring ends within a byte`},
		{`[3,"b0AB"]`, `at byte 3: the bitstring holds what is no hex digit in lower case`},
		{`[3,"b0:0"]`, `at byte 3: the bitstring holds what is no hex digit in lower case`},
		{`[3,"i"]`, `at byte 3: the integer is no decimal number without a leading zero`},
		{`[3,"i-"]`, `at byte 3: the integer is no decimal number without a leading zero`},
		{`[3,"i007"]`, `at byte 3: the integer is no decimal number without a leading zero`},
		{`[3,"i-0"]`, `at byte 3: the integer is no decimal number without a leading zero`},
		{`[3,"i1.0"]`, `at byte 3: the integer is no decimal number without a leading zero`},
		{`[3,"f"]`, `at byte 3: the float is no decimal number that 64 bits hold`},
		{`[3,"fNaN"]`, `at byte 3: the float is no decimal number`},
		{`[3,"f0x1p3"]`, `at byte 3: the float is no decimal number`},
		{`[3,"f1e999"]`, `at byte 3: the float is no decimal number that 64 bits hold`},
		{`[3,"a`, `at byte 4: the string has no end`},
		{`[3,"a\`, `at byte 4: the string has no end`},
		{"[3,\"a\n\"]", `at byte 5: the string holds a control character that is not escaped`},
		{"[3,\"a\xff\"]", `at byte 4: the string is no UTF-8`},
		{`[3,"a\x41"]`, `at byte 5: the escape has no meaning here`},
		{`[3,"a\u{41}"]`, `at byte 5: the escape has no meaning here`},
		{`[3,"a\u12"]`, `at byte 5: the escape has no meaning here`},
		{`[3,"a\v"]`, `at byte 5: the escape has no meaning here`},
		{`[3,{}]`, `at byte 4: found '}' where '"' must stand`},
		{`[3,{"d":[],"t":"l"}]`, `at byte 4: the key "t" must stand here`},
		{`[3,{"type":"list","data":[]}]`, `at byte 4: the key "t" must stand here`},
		{`[1,{"t":"l","d":[]}]`, `at byte 4: the key "type" must stand here`},
		{`[1,"anil"]`, `at byte 3: it is no atom, binary, integer or float of version 1`},
		{`[3,{"t":"r","n":"sx","c":1,"i":[1]}]`, `at byte 12: the key "d" must stand here`},
		{`[3,{"t":"x","d":[]}]`, `at byte 8: ` + noCollection},
		{`[3,{"t":"list","d":[]}]`, `at byte 8: ` + noCollection},
		{`[1,{"type":"l","data":[]}]`, `at byte 11: ` + noCollection},
		{`[3,{"t":"l","d":[}]`, `at byte 17: found '}' where '"' must stand`},
		{`[3,{"t":"l","d":["i1",]}]`, `at byte 22: found ']' where '"' must stand`},
		{`[3,{"t":"l","d":["i1" "i2"]}]`, `at byte 22: found '"' where ',' must stand`},
		{`[3,{"t":"l","d":[],"x":1}]`, `at byte 18: found ',' where '}' must stand`},
		{`[3,{"t":"m","d":["ak"]}]`, `at byte 17: found '"' where '[' must stand`},
		{`[3,{"t":"m","d":[["ak"]]}]`, `at byte 22: found ']' where ',' must stand`},
		{`[3,{"t":"m","d":[["ak","av","ax"]]}]`, `at byte 27: found ',' where ']' must stand`},
		{
			`[3,` + nested(`{"t":"l","d":[`, ``, `]}`, hologram.MaxDepth+1) + `]`,
			`at byte ` + itoa(3+14*hologram.MaxDepth) + `: lists, tuples and maps stand more than 64 deep within each other`,
		},
		{
			`[3,{"t":"l","d":[` + many(`"a"`, hologram.MaxTerms) + `]}]`,
			`at byte ` + itoa(17+4*(hologram.MaxTerms-1)) + `: there are more than 65536 terms`,
		},
	} {
		got, err := hologram.ParseSerialized([]byte(test.body))
		if want := "reading a term: " + test.want; problem(err) != want || !reflect.DeepEqual(got, hologram.Term{}) {
			t.Errorf("%.100s\n got %v, %+v\nwant %s", test.body, err, got, want)
		}
	}
}

func TestSerializedLimits(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`[3,` + nested(`{"t":"l","d":[`, ``, `]}`, hologram.MaxDepth) + `]`,
		`[3,{"t":"l","d":[` + many(`"a"`, hologram.MaxTerms-1) + `]}]`,
	} {
		got, err := hologram.ParseSerialized([]byte(body))
		if err != nil || !bytes.Equal(hologram.AppendSerialized(nil, got), []byte(body)) {
			t.Errorf("%.100s: %v", body, err)
		}
	}
}

func TestRandomTermsTravelBothWays(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 3))
	for range 500 {
		want := randomTerm(random, 4)
		serialized := hologram.AppendSerialized(nil, want)
		if got, err := hologram.ParseSerialized(serialized); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: wrote %s\nread %+v, %v\nwant %+v", seed, serialized, got, err, want)
		}
		expression := hologram.AppendExpression(nil, want)
		if got, err := hologram.ParseExpression(expression); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: wrote %s\nread %+v, %v\nwant %+v", seed, expression, got, err, want)
		}
		if bytes.ContainsAny(expression, "\r\n") || bytes.ContainsAny(serialized, "\r\n") {
			t.Fatalf("seed %d: %q or %q is more than one line", seed, expression, serialized)
		}
	}
}
