package phoenix_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"holobench/wire/phoenix"
)

// defineMessage is the definition: what encoding/json takes for a list of five, with strings where they belong. It is laxer
// in one thing, invalid UTF-8, which the caller looks at.
func defineMessage(data []byte) (m phoenix.Message, ok bool) {
	var elements []json.RawMessage
	if json.Unmarshal(data, &elements) != nil || len(elements) != 5 {
		return m, false
	}
	for i, to := range []*string{&m.JoinRef, &m.Ref, &m.Topic, &m.Event} {
		var read *string
		if json.Unmarshal(elements[i], &read) != nil || read == nil && i >= 2 || read != nil && *read == "" {
			return m, false
		}
		if read != nil {
			*to = *read
		}
	}
	m.Payload = elements[4]
	return m, depth(m.Payload) <= phoenix.MaxDepth
}

// depth is how deep the objects and lists of valid JSON lie within each other.
func depth(data []byte) (deepest int) {
	at, quoted := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == '[' || c == '{'):
			at++
			deepest = max(deepest, at)
		case !quoted && (c == ']' || c == '}'):
			at--
		}
	}
	return deepest
}

// FuzzMessage holds the reader of messages against the definition, and checks that what it read is read again when it is
// written.
func FuzzMessage(f *testing.F) {
	for _, s := range samples() {
		f.Add([]byte(s.text))
	}
	f.Add([]byte(" [null, \"\\u0032\",\"\\ud83d\\ude42\",\"e\",{\"payload\":\"hb1.\\n\",\"a\":[-1.5e+3,true,false,null]}] "))
	f.Add([]byte("[null,null,\"t\",\"\\ud83dx\",[[[{}]]]]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var m phoenix.Message
		err := m.Parse(data)
		want, ok := defineMessage(data)
		if ok = ok && utf8.Valid(data); ok != (err == nil) {
			t.Fatalf("%q: error %v, encoding/json accepts it: %v", data, err, ok)
		}
		phoenix.PayloadText(data) // foreign bytes: anything but a panic
		_, _ = phoenix.ParseReply(data)
		if err != nil {
			return
		}
		if shown(m) != shown(want) {
			t.Fatalf("%q\n got %s\nwant %s", data, shown(m), shown(want))
		}
		line := phoenix.AppendMessage(nil, m)
		var again phoenix.Message
		if err := again.Parse(line); err != nil || bytes.ContainsAny(line, "\r\n") {
			t.Fatalf("%q was written as %q: %v", data, line, err)
		}
		oneLine := strings.NewReplacer("\n", " ", "\r", " ")
		if m.Payload = []byte(oneLine.Replace(string(m.Payload))); shown(again) != shown(m) {
			t.Fatalf("%s came back as %s", shown(m), shown(again))
		}
		checkText(t, m.Payload)
		checkReply(t, m)
	})
}

// checkText holds PayloadText against encoding/json, where it promises something: for an object.
func checkText(t *testing.T, payload []byte) {
	t.Helper()
	var object map[string]json.RawMessage
	got, ok := phoenix.PayloadText(payload)
	if json.Unmarshal(payload, &object) != nil {
		if ok {
			t.Fatalf("%q is no object, and has the text %q", payload, got)
		}
		return
	}
	if bytes.Count(payload, []byte("payload")) != 1 || bytes.Contains(payload, []byte(`\u00`)) {
		return // a name may come twice, or be spelled with escapes
	}
	var want string
	if read, there := object["payload"]; ok != (there && json.Unmarshal(read, &want) == nil && string(read) != "null") || string(got) != want {
		t.Fatalf("%q: text %q, %v, want %q", payload, got, ok, want)
	}
}

// checkReply checks that a payload which is read as one of a reply is written as the same.
func checkReply(t *testing.T, to phoenix.Message) {
	t.Helper()
	r, err := phoenix.ParseReply(to.Payload)
	if err != nil {
		return
	}
	var m phoenix.Message
	if err := m.Parse(phoenix.AppendReply(nil, to, r)); err != nil || m.Event != phoenix.EventReply {
		t.Fatalf("%+v: %s, %v", r, shown(m), err)
	}
	again, err := phoenix.ParseReply(m.Payload)
	if err != nil || again.Status != r.Status || !bytes.Equal(again.Response, r.Response) {
		t.Fatalf("%q %s came back as %q %s, %v", r.Status, r.Response, again.Status, again.Response, err)
	}
}

// FuzzPoll holds the reader of polls against encoding/json, and checks that what it read is read again when it is written.
func FuzzPoll(f *testing.F) {
	f.Add([]byte(`{"status":410,"token":"T","messages":[]}`))
	f.Add([]byte(`{"status":200,"messages":["[null,null,\"room:1\",\"new_msg\",{}]","a\u00e9\ud83d\ude42\ud83d"],"token":"T"}`))
	f.Add([]byte(` { "token" : null , "status" : 403 } `))
	f.Add([]byte(`{"status":200}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var p phoenix.Poll
		if p.Parse(body) != nil {
			return
		}
		want, err := definePoll(body)
		if err != nil || seenPoll(p) != seenPoll(want) {
			t.Fatalf("%q\n got %s\nwant %s, %v", body, seenPoll(p), seenPoll(want), err)
		}
		written := phoenix.AppendPoll(nil, p.Status, p.Token, p.Messages...)
		var again phoenix.Poll
		if err := again.Parse(written); err != nil || seenPoll(again) != seenPoll(p) {
			t.Fatalf("%s came back as %s, %v", seenPoll(p), seenPoll(again), err)
		}
	})
}

// FuzzBatch checks that a batch is its lines, each read by itself, and that what was read is read again when it is written.
func FuzzBatch(f *testing.F) {
	f.Add([]byte(samples()[0].text+"\n"+samples()[2].text), true)
	f.Add([]byte("[null,null,\"t\",\"e\",{}]\r\n[null,\"2\",\"t\",\"e\",{}]\n"), true)
	f.Add([]byte("[null,\nnull,\"t\",\"e\",{\r}]\n"), false)
	f.Add([]byte("\n\n"), true)
	f.Fuzz(func(t *testing.T, body []byte, lines bool) {
		contentType := ""
		parts := [][]byte{body}
		if lines {
			contentType = phoenix.BatchType
			parts = bytes.Split(bytes.TrimSuffix(body, []byte("\n")), []byte("\n"))
		}
		got, err := phoenix.ParseBatch(contentType, body)
		good := len(parts) <= phoenix.MaxBatch
		for i, part := range parts {
			var m phoenix.Message
			if m.Parse(part) != nil {
				good = false
			} else if err == nil && shown(m) != shown(got[i]) {
				t.Fatalf("%q: message %d is %s, not %s", body, i, shown(got[i]), shown(m))
			}
		}
		if good != (err == nil) || err == nil && len(got) != len(parts) {
			t.Fatalf("%q: %d messages, %v; want it to be good: %v", body, len(got), err, good)
		}
		if err != nil {
			return
		}
		again, err := phoenix.ParseBatch(phoenix.BatchType, phoenix.AppendBatch(nil, got...))
		if err != nil || len(again) != len(got) {
			t.Fatalf("%q: written and read again: %d messages, %v", body, len(again), err)
		}
	})
}
