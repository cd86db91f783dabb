package target_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"holobench/target"
	"holobench/wire"
)

// TestStateIsRead holds that the document of a channel can be asked for, and what is answered otherwise.
func TestStateIsRead(t *testing.T) {
	t.Parallel()
	documents, err := target.New(target.Options{Design: target.StateSync})
	if err != nil {
		t.Fatal(err)
	}
	none, err := target.New(target.Options{Design: target.Sequenced})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(s *target.Server, method, path, body string) (int, string) {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w.Code, strings.TrimSpace(w.Body.String())
	}
	for i, key := range []string{"b", "a", "b"} {
		body := fmt.Sprintf(`{"channel":"room","name":"set","payload":"%d","key":%q}`, i+1, key)
		if status, answer := ask(documents, http.MethodPost, wire.CommandPath, body); status != http.StatusOK {
			t.Fatalf("%d %s", status, answer)
		}
	}
	whole := `{"channel":"room","version":3,"entries":[{"key":"a","name":"set","payload":"2","seq":2},{"key":"b","name":"set","payload":"3","seq":3}]}`
	for _, test := range []struct {
		server       *target.Server
		method, path string
		status       int
		answer       string
	}{
		{documents, http.MethodGet, "/state?channel=room", 200, whole},
		{documents, http.MethodGet, "/state?channel=empty", 200, `{"channel":"empty","version":0,"entries":[]}`},
		{documents, http.MethodGet, "/state", 400, "channel is given 0 times; ask for one"},
		{documents, http.MethodGet, "/state?channel=a&channel=b", 400, "channel is given 2 times; ask for one"},
		{documents, http.MethodGet, "/state?channel=", 400, "channel is missing"},
		{documents, http.MethodPost, "/state?channel=room", 405, "/state takes GET, HEAD only"},
		{none, http.MethodGet, "/state?channel=room", 404, "the design sequenced keeps no documents"},
	} {
		if status, answer := ask(test.server, test.method, test.path, ""); status != test.status || !strings.Contains(answer, test.answer) {
			t.Errorf("%s %s: %d %s, want %d %s", test.method, test.path, status, answer, test.status, test.answer)
		}
	}
}
