package clients_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"holobench/clients"
	"holobench/history"
)

// A stream that the server moves is held where it leads, also to another host, and there again after a cut; one that is moved
// for ever is refused.
func TestARedirectIsFollowedAndRemembered(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var asked []string
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.URL.Path+"@"+strings.Split(r.Host, ":")[0]+" "+r.Header.Get("Last-Event-ID"))
		switch {
		case r.URL.Query().Get("channel") == "round":
			http.Redirect(w, r, r.URL.RequestURI(), http.StatusFound)
		case r.URL.Path == "/events":
			w.Header().Set("Location", "http://localhost:"+strings.Split(r.Host, ":")[1]+"/there")
			w.WriteHeader(http.StatusTemporaryRedirect)
		case r.Header.Get("Last-Event-ID") == "":
			w.Header().Set("Content-Type", "text/event-stream")
			w.Write([]byte("retry: 1\nid: 7\ndata: x\n\n"))
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	})
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	crowd := &clients.Crowd{
		Addr: server.Listener.Addr().String(), Names: new(history.Names), Epoch: time.Now().UnixNano(), Dial: (&net.Dialer{}).DialContext,
		Observe: func([]history.Observation) {},
	}
	err := crowd.NewClient(clients.ClientOptions{Instance: "a", Channels: []string{"room"}}).HoldStream(t.Context(), nil)
	if err == nil || !strings.Contains(err.Error(), "204") {
		t.Errorf("the stream ended with %v, want a refusal by 204", err)
	}
	mu.Lock()
	if want := []string{"/events@127.0.0.1 ", "/there@localhost ", "/there@localhost 7"}; !slices.Equal(asked, want) {
		t.Errorf("the server was asked for %q, want %q", asked, want)
	}
	asked = nil
	mu.Unlock()
	err = crowd.NewClient(clients.ClientOptions{Instance: "b", Channels: []string{"round"}}).HoldStream(t.Context(), nil)
	mu.Lock()
	defer mu.Unlock()
	if err == nil || !strings.Contains(err.Error(), "302") || len(asked) != 21 {
		t.Errorf("a stream that is moved for ever ended with %v after %d requests, want a refusal by 302 after 21", err, len(asked))
	}
}
