package har

import (
	"strings"
	"testing"
)

func TestRandom(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"yn8hftxagupmfeq": true,
		"page-1a2b3c4d":   true, "x81kd02hza": true, "b0c4de9f-1111-4aaa-8bbb-0123456789ab": true, "1795451332": true, "kS8dj2LmQx0a": true,
		"eyJhbGciOiJIUzI1NiJ9.eyJpZCI6Im": true, "QWxhZGRpbjpvcGVuU2VzYW1l": true, "tok_9a8b7c6d5e": true,
		"lobby": false, "room-42": false, "messages/*": false, "application/json": false, "text/event-stream": false, "XMLHttpRequest": false,
		"2025-06-18": false, "user-7": false, "ann@example.org": false, "good morning 17": false, "": false, "abcdefghij": false, "v1.2.3": false,
	} {
		if got := random(text); got != want {
			t.Errorf("random(%q) = %v", text, got)
		}
	}
}

// TestAround: a pattern finds the value in its text, by what stands before it and is no token itself.
func TestAround(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, value, pattern, key string }{
		{`<meta name="csrf-token" content="kS8dj2LmQx0a">`, "kS8dj2LmQx0a", `token"\s+content="([^"'\s<>&;,)\\]+)`, "token"},
		{`<script>window.boot = {"apiToken": "tok_9a8b7c6d5e"}</script>`, "tok_9a8b7c6d5e", `apiToken":\s+"([^"'\s<>&;,)\\]+)`, "apiToken"},
		{"/messages?sessionId=9f8e7d6c5b", "9f8e7d6c5b", `sessionId=([^"'\s<>&;,)\\]+)`, "sessionId"},
		{`{"a":"1f2e3d4c5b","b":"9f8e7d6c5b"}`, "9f8e7d6c5b", "", ""},   // nothing before it has a name
		{`session 1f2e3d4c5b 9f8e7d6c5b`, "9f8e7d6c5b", "", ""},         // a token stands before it
		{strings.Repeat("x", 200) + "9f8e7d6c5b", "9f8e7d6c5b", "", ""}, // it is the end of a longer word
		{`nonce="a b9f8e7d6c5"`, "a b9f8e7d6c5", "", ""},                // a value with a space in it has no end
		{"state = \"\xff9f8e7d6c5b\xff\"", "9f8e7d6c5b", "", ""},        // what is no text is in no pattern
		{`var key='9f8e7d6c5b', other='9f8e7d6c5b'`, "9f8e7d6c5b", `key='([^"'\s<>&;,)\\]+)`, "key"},
	} {
		pattern, key, ok := around(c.text, c.value)
		if ok != (c.pattern != "") || ok && (pattern != c.pattern || key != c.key) {
			t.Errorf("around(%q) = %q, %q, %v", c.text, pattern, key, ok)
		}
	}
}

func TestLeaves(t *testing.T) {
	t.Parallel()
	const text = `{"a": [1, "x\u00e4", {"b": null, "c.d": "q"}], "e": {"f": true}}`
	all, ok := leaves(text)
	if !ok {
		t.Fatal("it is JSON")
	}
	want := []struct{ path, value, spelled string }{
		{"a[0]", "1", "1"}, {"a[1]", "xä", `"x\u00e4"`}, {"a[2].b", "null", "null"}, {"", "q", `"q"`}, {"e.f", "true", "true"},
	}
	if len(all) != len(want) {
		t.Fatalf("%+v", all)
	}
	for i, w := range want {
		if l := all[i]; l.path != w.path || l.value != w.value || text[l.from:l.to] != w.spelled {
			t.Errorf("leaf %d is %+v, spelled %s", i, l, text[l.from:l.to])
		}
	}
	for _, text := range []string{"", "7", `"a"`, "[1", `{"a"}`, "[1] 2", strings.Repeat("[", maxDepth+2) + strings.Repeat("]", maxDepth+2)} {
		if _, ok := leaves(text); ok {
			t.Errorf("leaves(%.20q) took it", text)
		}
	}
}

func TestReadIsBounded(t *testing.T) {
	t.Parallel()
	_, err := readUpTo(strings.NewReader(`{"log": {"entries": [`+strings.Repeat(" ", 2<<20)), 1<<20)
	if err == nil || err.Error() != "the recording is longer than 1 MiB: record less, or clear the list of requests before you begin" {
		t.Error(err)
	}
	const one = `{"request": {"url": "http://a/"}},`
	_, err = Read(strings.NewReader(`{"log": {"entries": [` + strings.Repeat(one, MaxRequests+1)))
	if err == nil || !strings.HasPrefix(err.Error(), "the recording has more than 20000 requests: ") {
		t.Error(err)
	}
}

func TestIdentifier(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"clientId": "client_id", "X-Csrf-Token": "x_csrf_token", "_csrf": "csrf", "Mcp-Session-Id": "mcp_session_id", "id": "id", "HTTPToken": "httptoken",
		"channel": "channel_of_server", "false": "false_of_server", "on": "on_of_server", "7th": "th", "": "", "...": "", "tökn": "tkn", "a" + strings.Repeat("b", 60): "a" + strings.Repeat("b", 39),
	} {
		if got := identifier(word); got != want {
			t.Errorf("identifier(%q) = %q", word, got)
		}
	}
}
