package phoenix_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"holobench/wire/phoenix"
)

// seenPoll is all of a Poll, to compare and to print.
func seenPoll(p phoenix.Poll) string { return fmt.Sprintf("%d %q %q", p.Status, p.Token, p.Messages) }

func TestPoll(t *testing.T) {
	t.Parallel()
	var kept phoenix.Poll // over all of them, as a client keeps one
	for body, want := range map[string]string{
		`{"status":410,"token":"T","messages":[]}`: `410 "T" []`,
		`{"status":204,"token":"T","messages":[]}`: `204 "T" []`,
		`{"status":200}`: `200 "" []`,
		`{"status":403}`: `403 "" []`,
		`{"status":200,"messages":["[null,null,\"room:1\",\"new_msg\",{}]"],"token":"T"}`: `200 "T" ["[null,null,\"room:1\",\"new_msg\",{}]"]`,
		`{"messages":["a","","\u00e9\n"],"token":null,"status":200}` + "\n":               `200 "" ["a" "" "é\n"]`,
		` { "token" : "\"" , "messages" : [ "a" , "b" ] , "status" : 999 } `:              `999 "\"" ["a" "b"]`,
	} {
		var fresh phoenix.Poll
		for _, p := range []*phoenix.Poll{&fresh, &kept} {
			if err := p.Parse([]byte(body)); err != nil || seenPoll(*p) != want {
				t.Errorf("%s:\n got %s, %v\nwant %s", body, seenPoll(*p), err, want)
			}
		}
	}
}

func TestPollRefuses(t *testing.T) {
	t.Parallel()
	many := `{"messages":[` + strings.Repeat(`"",`, phoenix.MaxPollMessages) + `""]}`
	long := strings.Repeat(" ", phoenix.MaxPoll) + "{"
	for body, want := range map[string]string{
		``:                               `at byte 0: it ends where '{' was expected`,
		`<html>`:                         `at byte 0: '<' where '{' was expected`,
		`{}`:                             `it lacks its status`,
		`{"token":"T","messages":[]}`:    `it lacks its status`,
		`{"status":"200"}`:               `at byte 10: the status is no number of three digits`,
		`{"status":20}`:                  `at byte 10: the status is no number of three digits`,
		`{"status":2000}`:                `at byte 10: the status is no number of three digits`,
		`{"status":000}`:                 `at byte 10: the status is no number of three digits`,
		`{"status":-20}`:                 `at byte 10: the status is no number of three digits`,
		`{"status":200.0}`:               `at byte 13: '.' where ',' or '}' was expected`,
		`{"status":200}{`:                `at byte 14: something follows it, '{'`,
		`{"status":200,"status":200}`:    `at byte 23: the field "status" is unknown, or comes twice`,
		`{"status":200,"extra":1}`:       `at byte 22: the field "extra" is unknown, or comes twice`,
		`{"status":200,"token":7}`:       `at byte 22: '7' where a string was expected`,
		`{"status":200,"messages":{}}`:   `at byte 25: '{' where '[' was expected`,
		`{"status":200,"messages":[[]]}`: `at byte 26: '[' where a string was expected`,
		`{"status":200,"messages":["a"`:  `at byte 29: it ends where ',' or ']' was expected`,
		many:                             `at byte 196621: more than 65536 messages`,
		long:                             `it is longer than 8388608 bytes`,
	} {
		p := phoenix.Poll{Status: 1, Token: "old", Messages: [][]byte{[]byte("old")}}
		err := p.Parse([]byte(body))
		if err == nil || err.Error() != "reading the answer to a Phoenix poll: "+want {
			t.Errorf("%.80q:\n got %v\nwant %s", body, err, want)
		}
		if seenPoll(p) != `0 "" []` {
			t.Errorf("%.80q: left %s", body, seenPoll(p))
		}
	}
}

func TestAppendPoll(t *testing.T) {
	t.Parallel()
	first := phoenix.AppendBroadcast(nil, "room:1", "new_msg", `hb1.x "é"`)
	for _, test := range []struct {
		got  []byte
		want string
	}{
		{phoenix.AppendPoll(nil, 410, "T"), `{"status":410,"token":"T","messages":[]}`},
		{
			phoenix.AppendPoll([]byte("> "), 200, `"`, first, []byte("[]")),
			`> {"status":200,"token":"\"","messages":["[null,null,\"room:1\",\"new_msg\",{\"payload\":\"hb1.x \\\"é\\\"\"}]","[]"]}`,
		},
		{phoenix.AppendStatus([]byte("> "), 200), `> {"status":200}`},
	} {
		if string(test.got) != test.want {
			t.Errorf("got  %s\nwant %s", test.got, test.want)
		}
	}
	var p phoenix.Poll
	if err := p.Parse(phoenix.AppendPoll(nil, 200, "T", first, first)); err != nil || len(p.Messages) != 2 || string(p.Messages[1]) != string(first) {
		t.Errorf("%s, %v", seenPoll(p), err)
	}
}

func TestBatch(t *testing.T) {
	t.Parallel()
	var all []phoenix.Message
	var texts []string
	for _, s := range samples() {
		all, texts = append(all, s.message), append(texts, s.text)
	}
	body := phoenix.AppendBatch(nil, all...)
	if string(body) != strings.Join(texts, "\n") {
		t.Errorf("wrote %s", body)
	}
	for _, contentType := range []string{phoenix.BatchType, "Application/X-NDJSON ; charset=utf-8"} {
		for _, body := range []string{string(body), string(body) + "\n", strings.Join(texts, "\r\n") + "\r\n"} {
			got, err := phoenix.ParseBatch(contentType, []byte(body))
			if err != nil || len(got) != len(all) {
				t.Fatalf("%d messages, %v", len(got), err)
			}
			for i, m := range got {
				if shown(m) != shown(all[i]) {
					t.Errorf("message %d: %s", i, shown(m))
				}
			}
		}
	}
	got, err := phoenix.ParseBatch("application/json", []byte("[null,\n\"9\",\n\"t\",\"e\",{}]\n"))
	if err != nil || len(got) != 1 || shown(got[0]) != `"" "9" "t" "e" {}` {
		t.Errorf("%v, %v", got, err)
	}
}

func TestBatchRefuses(t *testing.T) {
	t.Parallel()
	const one = `[null,null,"t","e",{}]`
	full := strings.Repeat(one+"\n", phoenix.MaxBatch)
	if got, err := phoenix.ParseBatch(phoenix.BatchType, []byte(full)); err != nil || len(got) != phoenix.MaxBatch {
		t.Errorf("a full batch: %d messages, %v", len(got), err)
	}
	for _, test := range []struct{ contentType, body, want string }{
		{phoenix.BatchType, "", "reading a Phoenix batch: it is empty; send one message a line"},
		{phoenix.BatchType, "\n", "reading a Phoenix batch: it is empty; send one message a line"},
		{phoenix.BatchType, full + one, "reading a Phoenix batch: it has 101 lines; send at most 100 messages in one POST"},
		{phoenix.BatchType, one + "\n\n" + one, "reading a Phoenix batch: line 2: at byte 0: it ends where '[' was expected"},
		{phoenix.BatchType, one + "\n" + one + "\nAAEC", "reading a Phoenix batch: line 3: at byte 0: 'A' where '[' was expected"},
		{phoenix.BatchType, one + one, "reading a Phoenix batch: line 1: at byte 22: something follows it, '['"},
		{"", one + "\n" + one, "reading a Phoenix message: at byte 23: something follows it, '['"},
		{"text/plain", "", "reading a Phoenix message: at byte 0: it ends where '[' was expected"},
		{"", strings.Repeat(" ", phoenix.MaxBody+1), "reading a Phoenix POST: it is longer than 8388608 bytes"},
	} {
		got, err := phoenix.ParseBatch(test.contentType, []byte(test.body))
		if err == nil || err.Error() != test.want || got != nil {
			t.Errorf("%.80q: %d messages,\n got %v\nwant %s", test.body, len(got), err, test.want)
		}
	}
}

// definePoll reads a body with encoding/json, which is laxer: it takes any case of a name, and a name twice.
func definePoll(body []byte) (p phoenix.Poll, err error) {
	var read struct {
		Status   int
		Token    *string
		Messages []string
	}
	err = json.Unmarshal(body, &read)
	p.Status = read.Status
	if read.Token != nil {
		p.Token = *read.Token
	}
	for _, m := range read.Messages {
		p.Messages = append(p.Messages, []byte(m))
	}
	return p, err
}
