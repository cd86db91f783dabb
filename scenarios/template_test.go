package scenarios

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

// names of a client, for tests.
func some(dst []byte, name string) ([]byte, bool) {
	switch name {
	case "client":
		return append(dst, '7'), true
	case "user.name":
		return append(dst, "Ann \"O\" Ü"...), true
	case "reply.body":
		return append(dst, `{"document": {"version": 12, "title": "a \"b\""}}`...), true
	case "event.text":
		return append(dst, "no JSON"...), true
	case "empty":
		return dst, true
	case "torn":
		return append(dst, "never seen"...), false
	}
	return dst, false
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want, missing string }{
		{"", "", ""},
		{"plain", "plain", ""},
		{"${client}", "7", ""},
		{"a ${client} b ${ client } c", "a 7 b 7 c", ""},
		{"$ $$ $} {}", "$ $$ $} {}", ""},
		{"$${client} and $$${client}", "${client} and $${client}", ""},
		{"${user.name|json}", `"Ann \"O\" Ü"`, ""},
		{`"${user.name|in_json}"`, `"Ann \"O\" Ü"`, ""},
		{"/u/${user.name|url}", "/u/Ann%20%22O%22%20%C3%9C", ""},
		{"${user.name|upper}", "ANN \"O\" Ü", ""},
		{"${user.name|lower|url}", "ann%20%22o%22%20%C3%9C", ""},
		{"${user.name|base64}", "QW5uICJPIiDDnA==", ""},
		{"${reply.json.document.version}", "12", ""},
		{"${reply.json.document.title|json}", `"a \"b\""`, ""},
		{"${reply.json.document.nothing}", "", "reply.body"},
		{"${reply.json.document.nothing|default:0}!", "0!", ""},
		{"${event.json.id}", "", "event.text"},
		{"${later}-${client}-${other}", "-7-", "later"},
		{"${later|default:none}", "none", ""},
		{"${later|default:}", "", ""},
		{"${later|default:'}|'}", "}|", ""},
		{"${later|default:'it''s'|upper}", "IT'S", ""},
		{"${later|upper|default: x y }", "x y", ""},
		{"${empty|default:none}", "", ""},
		{"x${torn}y", "xy", "torn"},
	}
	for _, test := range tests {
		tmpl, err := ParseTemplate(test.text)
		if err != nil {
			t.Errorf("%q: %v", test.text, err)
			continue
		}
		got, missing := tmpl.Append([]byte("<"), some)
		if string(got) != "<"+test.want || missing != test.missing {
			t.Errorf("%q: got %q, missing %q, want %q, missing %q", test.text, got, missing, "<"+test.want, test.missing)
		}
	}
}

func TestTemplatesThatAreNone(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want string }{
		{"${", `"${" does not end in }: write ${name}, and $${ for the two characters themselves`},
		{"a ${client", `"${client" does not end in }: write ${name}, and $${ for the two characters themselves`},
		{"${}", `"${}" has no name: write ${name} or ${name|filter}, and $${ for the two characters themselves`},
		{"${1}", `"${1}" has no name: write ${name} or ${name|filter}, and $${ for the two characters themselves`},
		{"${a b}", `"${a b}" has no name: write ${name} or ${name|filter}, and $${ for the two characters themselves`},
		{"${client|jsn}", `unknown filter "jsn", did you mean "json"?: the filters are json, in_json, url, base64, upper, lower, default`},
		{"${client|}", `unknown filter "": the filters are json, in_json, url, base64, upper, lower, default`},
		{"${client|json:x}", `the filter json takes nothing behind a colon: write |json`},
		{"${client|default}", `the filter default does not say what to take instead: write |default:none, or |default:'' for nothing at all`},
		{"${reply.json.}", `"" is no path into JSON: write keys with dots between them, and numbers from 0 in []: document.version, items[0].id`},
		{"${reply.json.a[x]}", `"a[x]" is no path into JSON: write keys with dots between them, and numbers from 0 in []: document.version, items[0].id`},
		{strings.Repeat("${a}", 501), `the text has more than 500 ${...}`},
	}
	for _, test := range tests {
		if _, err := ParseTemplate(test.text); err == nil || err.Error() != test.want {
			t.Errorf("%.40q:\ngot  %v\nwant %s", test.text, err, test.want)
		}
	}
}

func TestTemplateSaysWhatItUses(t *testing.T) {
	t.Parallel()
	tmpl, err := ParseTemplate("${client} ${reply.json.a} ${client} ${reply.json.b} ${later|default:x}")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(tmpl.Uses(), " "); got != "client reply.body later" {
		t.Errorf("it uses %s", got)
	}
	if text, ok := tmpl.Constant(); ok {
		t.Errorf("it is always %q", text)
	}
	literal := Literal("a ${b}")
	if text, ok := literal.Constant(); !ok || text != "a ${b}" || literal.Text != "a $${b}" || literal.Uses() != nil {
		t.Errorf("the literal is %+v", literal)
	}
	if empty := Literal(""); !empty.Empty() || tmpl.Empty() {
		t.Error("what is empty is not")
	}
}

// Filling in allocates nothing, whatever is in the template.
func TestTemplateAllocatesNothing(t *testing.T) {
	if slowness > 1 {
		t.Skip("the race detector allocates")
	}
	tmpl, err := ParseTemplate("a ${client} ${user.name|json|url|base64|upper} ${reply.json.document.title} ${later|default:x}")
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() { dst, _ = tmpl.Append(dst[:0], some) }); n != 0 {
		t.Errorf("it allocates %v times: %s", n, dst)
	}
}

func BenchmarkTemplate(b *testing.B) {
	tmpl, err := ParseTemplate(`{"client": ${client}, "name": ${user.name|json}, "version": ${reply.json.document.version}}`)
	if err != nil {
		b.Fatal(err)
	}
	dst := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		dst, _ = tmpl.Append(dst[:0], some)
	}
}

// Any text is a template or none; one that is keeps what stands between its names, and its literal spelling reads as itself.
func FuzzTemplate(f *testing.F) {
	for _, text := range []string{"", "a ${client} b", "$${a}", "$$${a}", "${a|default:'}'}", "${reply.json.a[0].b|json|url}", "${", "${a|default:'", "$}{$"} {
		f.Add(text, "value \"x\" \xff")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		literal := Literal(text)
		if got, _ := literal.Append(nil, some); string(got) != text {
			t.Fatalf("the literal of %q is %q", text, got)
		}
		if again, err := ParseTemplate(literal.Text); err == nil {
			if got, _ := again.Append(nil, some); string(got) != text && !strings.Contains(text, "$${") {
				t.Fatalf("%q spelled %q reads as %q", text, literal.Text, got)
			}
		}
		tmpl, err := ParseTemplate(text)
		if err != nil {
			return
		}
		names := func(dst []byte, _ string) ([]byte, bool) { return append(dst, value...), true }
		got, _ := tmpl.Append([]byte("<"), names)
		if !strings.HasPrefix(string(got), "<") {
			t.Fatalf("%q overwrites what was there: %q", text, got)
		}
		if plain, ok := tmpl.Constant(); ok && string(got) != "<"+plain {
			t.Fatalf("%q is always %q, and is %q", text, plain, got)
		}
	})
}

// What a filter makes is read back by the readers of the standard library.
func FuzzFilters(f *testing.F) {
	f.Add("Ann \"O\" \\ \x00\x7f\n ü € \U0001f600")
	f.Add("\xff\xfe a")
	f.Fuzz(func(t *testing.T, value string) {
		names := func(dst []byte, _ string) ([]byte, bool) { return append(dst, value...), true }
		filled := func(text string) string {
			tmpl, err := ParseTemplate(text)
			if err != nil {
				t.Fatal(err)
			}
			got, _ := tmpl.Append(nil, names)
			return string(got)
		}
		valid := strings.ToValidUTF8(value, "\ufffd")
		var quoted string
		if err := json.Unmarshal([]byte(filled("${a|json}")), &quoted); err != nil || utf8.ValidString(value) && quoted != value || len([]rune(quoted)) != len([]rune(value)) {
			t.Errorf("json: %q became %q (%v), want %q", value, quoted, err, valid)
		}
		if got := filled(`"${a|in_json}"`); got != filled("${a|json}") {
			t.Errorf("in_json: %q", got)
		}
		if got, err := url.PathUnescape(filled("${a|url}")); err != nil || got != value {
			t.Errorf("url: %q became %q (%v)", value, got, err)
		}
		if got, err := base64.StdEncoding.DecodeString(filled("${a|base64}")); err != nil || string(got) != value {
			t.Errorf("base64: %q became %q (%v)", value, got, err)
		}
	})
}
