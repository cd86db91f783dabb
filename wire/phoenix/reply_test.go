package phoenix_test

import (
	"testing"

	"holobench/wire/phoenix"
)

func TestParseReply(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]phoenix.Reply{
		`{"response":{},"status":"ok"}`:                              {Status: phoenix.StatusOK, Response: []byte(`{}`)},
		`{"response":{"reason":"unmatched topic"},"status":"error"}`: {Status: phoenix.StatusError, Response: []byte(phoenix.ReasonUnmatchedTopic)},
		` { "status" : "l\u0061te" , "response" : [ 1 ] } `:          {Status: "late", Response: []byte(`[ 1 ]`)},
		`{"status":"","response":null}`:                              {Response: []byte(`null`)},
	} {
		got, err := phoenix.ParseReply([]byte(payload))
		if err != nil || got.Status != want.Status || string(got.Response) != string(want.Response) {
			t.Errorf("%s: %q %s, %v", payload, got.Status, got.Response, err)
		}
	}
	for payload, want := range map[string]string{
		``:                               `at byte 0: it ends where '{' was expected`,
		`[]`:                             `at byte 0: '[' where '{' was expected`,
		`{}`:                             `it lacks its status or its response`,
		`{"status":"ok"}`:                `it lacks its status or its response`,
		`{"response":{}}`:                `it lacks its status or its response`,
		`{"status":1,"response":{}}`:     `at byte 10: '1' where a string was expected`,
		`{"status":"ok","status":"ok"}`:  `at byte 24: the field "status" is unknown, or comes twice`,
		`{"status":"ok","x":1}`:          `at byte 19: the field "x" is unknown, or comes twice`,
		`{"response":{},"status":"ok"}x`: `at byte 29: something follows it, 'x'`,
		`{"response":{,"status":"ok"}`:   `at byte 13: ',' where a string was expected`,
	} {
		got, err := phoenix.ParseReply([]byte(payload))
		if err == nil || err.Error() != "reading a Phoenix reply: "+want || got.Status != "" || got.Response != nil {
			t.Errorf("%s: %+v,\n got %v\nwant %s", payload, got, err, want)
		}
	}
}
