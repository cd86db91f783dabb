package scenarios

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A header value reaches no text that leaves the package, whatever its style.
func TestTextHidesHeaderValues(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, headers, want string }{
		{"flow", `{A: s3cr3t, B: "s3cr3t too", C: 's3cr3t ''three'''} # end`, `{A: "***", B: "***", C: "***"} # end`},
		{"block", "\n    A: s3cr3t # why\n    B: \"s3cr3t\"", "\n    A: \"***\" # why\n    B: \"***\""},
		{"block without space", "\n    A:   s3cr3t", "\n    A:   \"***\""},
		{"escapes", `{A: "s3cr3t\u0041\"", Bü: x}`, ``},
		{"wide letters before", `{"A": "ü€s3cr3t", B: 's3cr3t'}`, `{"A": "***", B: "***"}`},
		{"from the environment", `{A: "Bearer ${env.TOKEN}"}`, `{A: "Bearer ${env.TOKEN}"}`},
		{"number", `{A: 12, B: true}`, `{A: "***", B: "***"}`},
		{"anchor", `{A: &a s3cr3t, B: *a}`, `{A: &a "***", B: *a}`},
		{"comment that repeats it", "{A: s3cr3t-of-length} # s3cr3t-of-length", `{A: "***"} # "***"`},
		{"empty", `{A: ""}`, `{A: "***"}`},
	}
	for _, test := range tests {
		text := func(headers string) string { return whole + "server:\n  headers: " + headers + "\nseed: 12\n" }
		f, err := Parse("s.yaml", []byte(text(test.headers)), tokens)
		if test.want == "" {
			if err == nil || strings.Contains(err.Error(), "s3cr3t") {
				t.Errorf("%s: the error is %v", test.name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if f.Text != text(test.want) {
			t.Errorf("%s: got\n%s\nwant\n%s", test.name, f.Text, text(test.want))
		}
		if printed := fmt.Sprintf("%v %+v", f.Server, f); strings.Contains(printed, "s3cr3t") && !strings.Contains(test.headers, "${") {
			t.Errorf("%s: printed with its values: %s", test.name, printed)
		}
	}
}

// An error beside a secret shows the line without it, and its mark still stands right.
func TestExcerptsHideHeaderValues(t *testing.T) {
	t.Parallel()
	_, err := Parse("s.yaml", []byte(whole+`server: {headers: {Authorization: "Bearer s3cr3t"}, bundeld: {}}`), nil)
	want := `s.yaml:4:53: unknown key "bundeld" in server, did you mean "bundled"?
  4 | server: {headers: {Authorization: ***************}, bundeld: {}}
    |                                                     ^
  remedy: the keys here are bundled, url, insecure, protocol, login, teardown, headers, breaker`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	_, err = Parse("s.yaml", []byte(whole+"server: {headers: {X-Api-Key: s3cr3t\n"), nil)
	if err == nil || strings.Contains(err.Error(), "s3cr3t") || !strings.Contains(err.Error(), "the { here is not closed") {
		t.Errorf("got\n%v", err)
	}
	_, err = Parse("s.yaml", []byte(whole+"server: {headers: {Cookie: s3cr3t(a, s3cr3t)}}\n"), nil)
	if err == nil || strings.Contains(err.Error(), "s3cr3t") || !strings.Contains(err.Error(), `splits "***" in two`) {
		t.Errorf("got\n%v", err)
	}
	_, err = Parse("s.yaml", []byte(whole+"server: {bundled: {bus: {url: nats://user:s3cr3t@host\n"), nil)
	if err == nil || strings.Contains(err.Error(), "s3cr3t") || !strings.Contains(err.Error(), "://***********@host") {
		t.Errorf("got\n%v", err)
	}
	_, err = Parse("s.yaml", []byte("version: 2\nserver: {headers: {Cookie: s3cr3t}}\n"), nil)
	if err == nil || strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("got\n%v", err)
	}
	env := func(string) (string, bool) { return "s3cr3t\n", true }
	_, err = Parse("s.yaml", []byte(whole+"server: {headers: {A: '${env.X}'}}\n"), env)
	if _, ok := errors.AsType[Errors](err); !ok || strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("got\n%v", err)
	}
}

func TestSecretsAreListedInAllTheirForms(t *testing.T) {
	t.Parallel()
	f := parse(t, whole+`server: {headers: {Authorization: "Bearer in-file", X: "${env.TOKEN}", Y: "a ${env.TOKEN} b", Z: ""}}`)
	want := []string{"Bearer in-file", "in-file", "s3cr3t-token", "a s3cr3t-token b", "s3cr3t-token b"}
	if got := f.Secrets(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := fmt.Sprintf("%v|%+v|%#v|%s", f.Server.Headers[0], f.Server.Headers[0], f.Server.Headers[0], f.Server.Headers[0]); strings.Contains(got, "in-file") {
		t.Errorf("printed as %s", got)
	}
}

// What a server wrote is shown without what may be a secret in it.
func TestMaskLine(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		`{"error":"no such room"}`:                     `{"error":"no such room"}`,
		`{"error":"bad","api_key":"k1","more":1}`:      `{"error":"bad","api_key":***`,
		"Set-Cookie: a=b":                              "Set-Cookie: ***",
		"no password=hunter2 here":                     "no password=***",
		"the token is missing":                         "the token is missing",
		"see https://me:hunter2@example.test/ or call": "see https://***@example.test/ or call",
		"": "",
	} {
		if got := MaskLine(line); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", line, got, want)
		}
	}
}
