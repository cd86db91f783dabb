package run_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"holobench/history"
	"holobench/ordering"
)

// votes takes votes, which it numbers, and tells everybody of each before it answers; of each tenth it says something of its own.
type votes struct {
	hub
	count, streamsOpened atomic.Int64
	ahead                bool // a summary comes before the vote
}

func (v *votes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	room := strings.Split(r.URL.Path, "/")[2]
	if r.Method == http.MethodGet {
		w.Header().Set("X-Node", fmt.Sprint("node-", v.streamsOpened.Add(1)%2))
		v.hold(w, r, room)
		return
	}
	n := v.count.Add(1)
	v.mu.Lock()
	told := []map[string]any{{"id": fmt.Sprint("v", n)}}
	if n%10 == 0 {
		told = append(told, map[string]any{"id": fmt.Sprint("summary", n)})
	}
	if v.ahead {
		slices.Reverse(told)
	}
	for _, one := range told {
		v.tell(room, "vote", one)
	}
	v.mu.Unlock()
	select {
	case <-time.After(3 * time.Millisecond):
	case <-r.Context().Done():
	}
	fmt.Fprintf(w, `{"id":"v%d"}`, n)
}

const votesProtocol = `version: 1
subscribe: {request: {get: "/rooms/${channel|url}/events"}, node: "${header.x-node}"}
publish:
  request: {post: "/rooms/${channel|url}/votes", json: '{"choice": 1}', headers: {Authorization: "hunter2hunter2"}}
  reply: {capture: {vote: {json: id}}}
identity: {reply_id: {reply: vote, event: {json: id}}}
`

// TestRepliesNameEvents: where no marker can be sent, the replies tell which command an event comes from, though it comes first; what
// no reply names is foreign; and who only listens sees order, too.
func TestRepliesNameEvents(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.1", "2"} { // over the second a client's replies come on the connection of its stream
		synctest.Test(t, func(t *testing.T) { repliesNameEvents(t, version) })
	}
}

func repliesNameEvents(t *testing.T, version string) {
	t.Helper()
	dir := t.TempDir()
	protocol := filepath.Join(dir, "votes.yaml")
	if err := os.WriteFile(protocol, []byte(votesProtocol), 0o600); err != nil {
		t.Fatal(err)
	}
	server := new(votes)
	seen, result := carryOutAt(context.Background(), t, filepath.Join(dir, "s.yaml"), `
version: 1
server: {url: http://votes.test:80, protocol: ./votes.yaml}
clients: {voters: {count: 6, channel: hall, http: "`+version+`"}}
load: {vote: {by: voters, rate: 50/s, for: 4s}}
`, server)
	all := kinds(seen)
	if all[history.Delivered] != 6*200 || all[history.Foreign] != 6*20 || all[history.Alien] > 0 || all[history.Replied] != 200 {
		t.Errorf("seen: %v", all)
	}
	latest := make(map[[2]uint32]int64)
	for _, o := range seen {
		if o.Kind != history.Delivered && o.Kind != history.Foreign {
			continue
		}
		socket := [2]uint32{o.Client, o.Conn}
		if o.At < latest[socket] {
			t.Fatalf("%+v stands behind what came at %d", o, latest[socket])
		}
		latest[socket] = o.At
		if late := o.At - o.Due; o.Kind == history.Delivered && late != 0 || o.Node == 0 || o.Event.Foreign() != (o.Kind == history.Foreign) {
			t.Fatalf("%+v came %d ns after it was due", o, late)
		}
	}
	slices.Sort(result.Met)
	if !slices.Equal(result.Met, []string{"node-0", "node-1"}) {
		t.Errorf("the nodes are %q", result.Met)
	}
	if p := result.Scenario.Protocol; p == nil || p.File != protocol || !strings.Contains(p.Text, "reply_id:") || strings.Contains(p.Text, "hunter2") {
		t.Errorf("run.json has of the protocol file %+v", p)
	}
}

// TestASilentStreamEndsTheDrain: the last vote stands behind a summary that no reply names. It is known when that has been waited for, and
// the drain does not go on until its end.
func TestASilentStreamEndsTheDrain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "votes.yaml"), []byte(votesProtocol), 0o600); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		seen, _ := carryOutAt(context.Background(), t, filepath.Join(dir, "s.yaml"), `
version: 1
server: {url: http://votes.test:80, protocol: ./votes.yaml}
clients: {voters: {count: 6, channel: hall}}
load: {vote: {by: voters, rate: 50/s, for: 4s}}
drain: 60s
`, &votes{ahead: true})
		if all, took := kinds(seen), time.Since(began); all[history.Delivered] != 6*200 || took > 20*time.Second {
			t.Errorf("after %v: %v", took, all)
		}
	})
}

// TestLookingOn: clients that only listen, to a server that talks by itself and tells one of them things the other way round.
func TestLookingOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		const protocol = "version: 1\nsubscribe: {request: {get: \"/rooms/${channel|url}/events\"}}\nidentity: {foreign: sse_id}\n"
		if err := os.WriteFile(filepath.Join(dir, "p.yaml"), []byte(protocol), 0o600); err != nil {
			t.Fatal(err)
		}
		opened := new(atomic.Int64)
		server := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			first := opened.Add(1) == 1
			w.Header().Set("Content-Type", "text/event-stream")
			for n := 1; ; n++ {
				ids := []int{2 * n, 2*n + 1}
				if first {
					slices.Reverse(ids)
				}
				for _, id := range ids {
					fmt.Fprintf(w, "id: %d\ndata: tick\n\n", id)
				}
				w.(http.Flusher).Flush()
				select {
				case <-time.After(100 * time.Millisecond):
				case <-r.Context().Done():
					return
				}
			}
		})
		seen, result := carryOutAt(context.Background(), t, filepath.Join(dir, "s.yaml"), `
version: 1
server: {url: "http://ticks.test:80", protocol: ./p.yaml}
clients: {watchers: {count: 3, channel: hall}}
load: {watch: {by: {clients: watchers, only: 1}, rate: 1/s, for: 2s, flow: [{think: 1s}]}}
`, server)
		var a ordering.Analysis
		a.Add(seen)
		if all := kinds(seen); all[history.Foreign] < 3*20 || all[history.Alien]+all[history.Sent]+all[history.Delivered]+all[history.Refused] > 0 {
			t.Errorf("seen: %v", all)
		}
		if o := a.Close(result).Overall; o.ObserverObserver.Divergent < 20 || o.All != o.ObserverObserver || o.Events < 40 || o.FIFO != (ordering.FIFO{}) {
			t.Errorf("order: %+v", o)
		}
	})
}
