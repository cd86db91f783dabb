package har_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"holobench/internal/har"
)

// asked is an entry of a recording: a request, and what came of it.
type asked struct {
	url     string // with its method before it: POST http://a/b
	header  []string
	body    string
	kind    string // of the body
	status  int    // 0 = 200
	answers []string
	is      string // the type of the answer
	answer  string
}

// recordingOf makes a HAR file, of which each request was sent a second behind the one before. A stream is open until the end, and its
// events have no times, as with Firefox.
func recordingOf(t *testing.T, all ...asked) []byte {
	t.Helper()
	fields := func(lines []string) []map[string]string {
		out := []map[string]string{}
		for _, line := range lines {
			name, value, _ := strings.Cut(line, ": ")
			out = append(out, map[string]string{"name": name, "value": value})
		}
		return out
	}
	entries := make([]map[string]any, 0, len(all))
	for i, a := range all {
		method, url, _ := strings.Cut(a.url, " ")
		request := map[string]any{"method": method, "url": url, "headers": fields(a.header)}
		if a.body != "" {
			request["postData"] = map[string]string{"mimeType": a.kind, "text": a.body}
			request["headers"] = fields(append(a.header, "Content-Type: "+a.kind))
		}
		if a.status == 0 {
			a.status = 200
		}
		entries = append(entries, map[string]any{
			"startedDateTime": time.Date(2026, 11, 20, 9, 0, i, 0, time.UTC).Format(time.RFC3339), "time": 10, "request": request,
			"response": map[string]any{"status": a.status, "headers": fields(a.answers), "content": map[string]string{"mimeType": a.is, "text": a.answer}},
		})
	}
	text, err := json.Marshal(map[string]any{"log": map[string]any{"entries": entries}})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
	sseType  = "text/event-stream"
)

// streamOf is a stream with one event, whose data are the text.
func streamOf(url, data string, header ...string) asked {
	return asked{url: "GET " + url, header: header, is: sseType, answer: "data: " + data + "\n\n"}
}

const saying = `{"text": "good morning 17"}`

func say(url string) asked {
	return asked{url: "POST " + url, body: saying, kind: jsonType, status: 202}
}

// TestDeduce: what stands in the files (no line of which begins with a space), and what does not.
func TestDeduce(t *testing.T) {
	t.Parallel()
	const a = "http://a.example.org"
	for name, c := range map[string]struct {
		recording  []asked
		want, none []string
	}{
		"the event says where commands go": {
			recording: []asked{
				{url: "GET " + a + "/sse", is: sseType, answer: "event: endpoint\ndata: /messages?sessionId=9f8e7d6c5b\n\nevent: said\ndata: good morning 17\n\n"},
				say(a + "/messages?sessionId=9f8e7d6c5b"),
			},
			want: []string{"match: {event: endpoint}", `session_id: {regex: 'sessionId=(`, "post: '/messages?sessionId=${session_id|url}'", "match: {event: said}"},
			none: []string{"9f8e7d6c5b", "CHECK: the browser"},
		},
		"a token is asked for before the stream": {
			recording: []asked{
				{url: "POST " + a + "/ticket", is: jsonType, answer: `{"ticket": {"id": "9f8e7d6c5b"}}`},
				streamOf(a+"/events?ticket=9f8e7d6c5b", saying), say(a + "/say"),
			},
			want: []string{"CHECK: these are asked for at every connect", "before:", "- post: /ticket", "id: {json: ticket.id}", "get: '/events?ticket=${id|url}'"},
			none: []string{"\nsetup:"},
		},
		"it is asked for again with a second stream": {
			recording: []asked{
				{url: "POST " + a + "/ticket", is: jsonType, answer: `{"ticket": "9f8e7d6c5b"}`},
				{url: "GET " + a + "/events?ticket=9f8e7d6c5b", is: sseType},
				{url: "POST " + a + "/ticket", is: jsonType, answer: `{"ticket": "1a2b3c4d5e"}`},
				streamOf(a+"/events?ticket=1a2b3c4d5e", saying), say(a + "/say"),
			},
			want: []string{"before:", "ticket: {json: ticket}", "get: '/events?ticket=${ticket|url}'"},
			none: []string{"CHECK: these are asked"},
		},
		"a cookie is sent in a header field as well": {
			recording: []asked{
				{url: "GET " + a + "/", is: "text/html", answers: []string{"Set-Cookie: XSRF=9f8e7d6c5b; Path=/"}},
				streamOf(a+"/events", saying, "Cookie: XSRF=9f8e7d6c5b"),
				{url: "POST " + a + "/say", header: []string{"Cookie: XSRF=9f8e7d6c5b", "X-XSRF: 9f8e7d6c5b"}, body: saying, kind: jsonType},
			},
			want: []string{"setup:", "- get: /", `xsrf: {header: Set-Cookie, regex: 'XSRF=([^;]+)'}`, "X-XSRF: '${xsrf}'", "CHECK: the value of the cookie"},
			none: []string{"9f8e7d6c5b", "env."},
		},
		"a text that is sent twice": {
			recording: []asked{
				streamOf(a+"/events", `{"plain": "good morning 17", "html": "<p>good morning 17</p>"}`),
				{url: "POST " + a + "/say", body: `{"html": "<p>good morning 17</p>", "text": "good morning 17"}`, kind: jsonType},
			},
			want: []string{`json: '{"html": "<p>${payload|in_json}</p>", "text": ${payload|json}}'`, "payload: {json: plain}"},
		},
		"each command has a number and an id": {
			recording: []asked{
				streamOf(a+"/events", `{"text": "good morning 17"} {"text": "good evening 18"}`),
				{url: "POST " + a + "/say", body: `{"n": 4, "id": "b0c4de9f-1111-4aaa-8bbb-0123456789ab", "text": "good morning 17"}`, kind: jsonType},
				{url: "POST " + a + "/say", body: `{"n": 5, "id": "b0c4de9f-2222-4bbb-8bbb-0123456789cd", "text": "good evening 18"}`, kind: jsonType},
			},
			want: []string{`{"n": ${seq}, "id": "${run.id}-0000-4000-8000-${client}-${seq}", "text": ${payload|json}}`, "CHECK: the browser made it up for this command", `CHECK: "n" rose`},
			none: []string{"b0c4de9f"},
		},
		"one of a list": {
			recording: []asked{
				{url: "GET " + a + "/rooms.json", is: jsonType, answer: `{"rooms": [{"id": "9f8e7d6c5b"}, {"id": "1a2b3c4d5e"}]}`},
				streamOf(a+"/events?id=1a2b3c4d5e", saying), say(a + "/say"),
			},
			want: []string{"id: {json: 'rooms[1].id'}", "CHECK: it is one of a list"},
		},
		"lines of JSON": {
			recording: []asked{{url: "GET " + a + "/feeds/lobby", is: "application/x-ndjson", answer: "{\"hello\": 1}\n" + saying + "\n"}, say(a + "/feeds/lobby")},
			want:      []string{"framing: ndjson", "get: '/feeds/${channel|url}'", "match: {event: message, has: text}", "payload: {json: text}"},
		},
		"a form": {
			recording: []asked{
				streamOf(a+"/hub?topic=rooms%2Flobby", "good morning 17"),
				{url: "POST " + a + "/hub", header: []string{"Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJpZCI6Im"}, body: "topic=rooms%2Flobby&data=good+morning+17", kind: formType},
			},
			want: []string{"get: '/hub?topic=${channel|url}'", "topic: '${channel}'", "data: '${payload}'", "Authorization: 'Bearer ${env.AUTHORIZATION}'", "channel: rooms/lobby"},
			none: []string{"eyJ"},
		},
		"commands go elsewhere": {
			recording: []asked{streamOf(a+"/events", saying), say("http://b.example.org/say")},
			want:      []string{"post: 'http://b.example.org/say'", "url: 'http://a.example.org'"},
		},
		"the text comes back in the answer, the stream of which is another": {
			recording: []asked{streamOf(a+"/events", "hello"), {url: "POST " + a + "/say", body: saying, kind: jsonType, is: sseType, answer: "data: good morning 17\n\n"}},
			want:      []string{"self_echo: reply", "reply: {framing: sse}"},
		},
		"Chrome left the cookies out": {
			recording: []asked{{url: "POST " + a + "/login", body: "user=ann&password=x", kind: formType}, streamOf(a+"/events", saying), say(a + "/say")},
			want:      []string{"CHECK: somebody logged in, and there is no cookie", "password: '${env.PASSWORD}'"},
		},
		"a dollar before a name": {
			recording: []asked{streamOf(a+"/events", "pay $good morning 17 ${now}"), {url: "POST " + a + "/say", body: `{"a": "$${x} $good morning 17", "text": "good morning 17"}`, kind: jsonType}},
			want:      []string{`"a": "$$${x} \u0024${payload|in_json}"`, `"text": ${payload|json}`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files, err := convert(t, recordingOf(t, c.recording...), "made")
			if err != nil {
				t.Fatal(err)
			}
			all := files.Scenario + files.Protocol
			for _, want := range c.want {
				if !strings.Contains(all, want) {
					t.Errorf("nowhere stands %s", want)
				}
			}
			for _, none := range c.none {
				if strings.Contains(all, none) {
					t.Errorf("%s stands there", none)
				}
			}
			if err := check(t, files, "made"); err != nil {
				t.Error(err)
			}
			if t.Failed() {
				t.Log(all)
			}
		})
	}
}

// TestNoSecretIsWritten plants secrets wherever a request can have one.
func TestNoSecretIsWritten(t *testing.T) {
	t.Parallel()
	n := 0
	secret := func() string { n++; return fmt.Sprintf("s3cr3t%04dXyZ", n) }
	const a = "https://a.example.org"
	cookie := "Cookie: sid=" + secret()
	recording := recordingOf(t,
		asked{
			url: "POST https://user:" + secret() + "@a.example.org/login?key=" + secret() + "#" + secret(), header: []string{cookie, "Authorization: Basic " + secret()},
			body: `{"user": "ann", "password": "` + secret() + `", "otp": "` + secret() + `", "deep": [{"clientSecret": "` + secret() + `"}]}`, kind: jsonType,
			answers: []string{"Set-Cookie: session=" + secret() + "; HttpOnly"},
		},
		asked{url: "POST " + a + "/consent", header: []string{cookie, "X-Api-Key: " + secret(), strings.Repeat("X", 70) + ": " + secret()}, body: "pin=" + secret() + "&passwd=" + secret(), kind: formType},
		streamOf(a+"/events?access_token="+secret()+"&v=1", saying, cookie, "X-Whatever: "+secret()),
		asked{url: "POST " + a + "/say", header: []string{cookie, "Authorization: Bearer " + secret()}, body: `{"text": "good morning 17", "signature": "` + secret() + `", "x": "` + secret() + `"}`, kind: jsonType},
	)
	files, err := convert(t, recording, "made")
	if err != nil {
		t.Fatal(err)
	}
	all := files.Scenario + files.Protocol + strings.Join(files.Found, "\n")
	if n < 15 || strings.Contains(all, "s3cr3t") {
		t.Errorf("of %d secrets some are written:\n%s", n, all)
	}
	if long := strings.Repeat("X", 60); !strings.Contains(all, " "+long+"=...") || !strings.Contains(all, "${env."+long+"}") {
		t.Errorf("of a long name one variable is told and another one is read:\n%s", all)
	}
	for _, variable := range []string{"KEY", "PASSWORD", "OTP", "CLIENTSECRET", "PIN", "PASSWD", "X_API_KEY", "AUTHORIZATION", "ACCESS_TOKEN", "X_WHATEVER", "SIGNATURE", "COOKIE"} {
		if !strings.Contains(all, "${env."+variable) {
			t.Errorf("nothing asks for %s:\n%s", variable, all)
		}
	}
	if err := check(t, files, "made"); err != nil {
		t.Error(err)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	const a = "http://a.example.org"
	for name, c := range map[string]struct {
		recording []byte
		is        error
		want      string
	}{
		"nothing":       {nil, har.ErrNoRecording, "this is no HAR recording: near byte 0: unexpected EOF"},
		"a page":        {[]byte("<html>"), har.ErrNoRecording, "this is no HAR recording: near byte 0: invalid character '<' looking for beginning of value"},
		"a list":        {[]byte("[]"), har.ErrNoRecording, `this is no HAR recording: at byte 1 something else than { stands around "log"`},
		"other JSON":    {[]byte(`{"version": 1}`), har.ErrNoRecording, `this is no HAR recording: it has no "log": save it anew in the developer tools of the browser, as HAR with content`},
		"cut off":       {recordingOf(t, say(a+"/say"))[:200], har.ErrNoRecording, "entry 1: this is no HAR recording: near byte "},
		"no address":    {[]byte(`{"log": {"entries": [{"request": {}}]}}`), har.ErrNoRecording, "this is no HAR recording: entry 1: it has no request.url"},
		"a bad address": {[]byte(`{"log": {"entries": [{"request": {"url": "http://%zz/?password=x"}}]}}`), har.ErrNoRecording, "this is no HAR recording: entry 1: request.url is no address"},
		"another type":  {[]byte(`{"log": {"entries": [{"request": {"url": 7}}]}}`), har.ErrNoRecording, "entry 1: this is no HAR recording: near byte "},
		"no requests":   {recordingOf(t), har.ErrNoStream, "the recording has no stream of events, nor any request: open the developer tools first, "},
		"no stream":     {recordingOf(t, say(a+"/say")), har.ErrNoStream, "the recording has no stream of events: no answer has the type text/event-stream, "},
		"no command":    {recordingOf(t, streamOf(a+"/events", "hello")), har.ErrNoCommand, "the recording has no request that made an event behind the beginning of the stream /events: "},
		"a socket":      {recordingOf(t, asked{url: "GET ws://a.example.org/live", status: 101}), har.ErrNoStream, "the recording has no stream of events: there is a WebSocket at /live, "},
		"no Phoenix":    {recordingOf(t, asked{url: "GET " + a + "/live/longpoll?vsn=2.0.0"}), har.ErrNoStream, `the recording has no stream of events: Phoenix Channels are spoken at "/live/longpoll", and holobench speaks them at /socket/longpoll only: `},
		"no push":       {recordingOf(t, asked{url: "GET " + a + "/socket/longpoll?vsn=2.0.0"}), har.ErrNoCommand, `the recording has no request that made an event: nothing was pushed to a topic at "/socket/longpoll": `},
		"bad Hologram":  {recordingOf(t, asked{url: "POST " + a + "/hologram/command", body: "[]", kind: jsonType}), nil, "request 1, a command of Hologram: "},
		"its page is missing": {
			recordingOf(t, asked{
				url: "POST " + a + "/hologram/command", kind: jsonType,
				body: `[3,{"t":"m","d":[["ainstance_id","b061"],["amodule","aElixir.P"],["aname","asend"],["aparams",{"t":"m","d":[]}],["atarget","b070616765"]]}]`,
			}), har.ErrNoCommand,
			"the recording has no request that made an event: it has commands of Hologram, and not the page that they come from: ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := convert(t, c.recording, "made")
			if err == nil || !strings.HasPrefix(err.Error(), c.want) || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%v", err)
			}
		})
	}
}
