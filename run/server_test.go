package run_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holobench/history"
	"holobench/internal/memnet"
	"holobench/run"
	"holobench/scenarios"
)

// hub is what the servers of these tests have in common: streams by topic.
type hub struct {
	mu      sync.Mutex
	streams map[string][]chan string
}

// hold serves a stream of server-sent events until its client goes.
func (h *hub) hold(w http.ResponseWriter, r *http.Request, topic string) {
	events := make(chan string, 4096)
	h.mu.Lock()
	if h.streams == nil {
		h.streams = make(map[string][]chan string)
	}
	h.streams[topic] = append(h.streams[topic], events)
	h.mu.Unlock()
	w.Header().Set("Content-Type", "text/event-stream")
	w.(http.Flusher).Flush()
	for {
		select {
		case event := <-events:
			fmt.Fprint(w, event)
			w.(http.Flusher).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

// tell hands an event to all streams of a topic; the caller holds mu.
func (h *hub) tell(topic, name string, data any) {
	text, err := json.Marshal(data)
	if err != nil {
		panic(err)
	}
	for _, stream := range h.streams[topic] {
		stream <- "event: " + name + "\ndata: " + string(text) + "\n\n"
	}
}

// carryOutCase runs a scenario of the library, with changes to its text, against a server in memory at the place that it names.
func carryOutCase(t *testing.T, name string, server http.Handler, changes ...string) ([]history.Observation, history.Run) {
	t.Helper()
	path := "../scenarios/library/cases/" + name + ".yaml"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(changes); i += 2 {
		if !strings.Contains(string(text), changes[i]) {
			t.Fatalf("%s has no %q", path, changes[i])
		}
		text = []byte(strings.ReplaceAll(string(text), changes[i], changes[i+1]))
	}
	return carryOutAt(context.Background(), t, path, string(text), server)
}

// carryOutAt runs a scenario against a server in memory at the place that it names.
func carryOutAt(ctx context.Context, t *testing.T, path, text string, server http.Handler) ([]history.Observation, history.Run) {
	t.Helper()
	plan, network := planAt(t, path, text), memnet.New(nil)
	defer hosted(t, network, plan.Server.URL.Host, server)()
	return carryOut(ctx, t, plan, nil, network.DialContext)
}

// planOf is the plan of a scenario.
func planOf(t *testing.T, text string) run.Plan {
	t.Helper()
	return planAt(t, "s.yaml", text)
}

// planAt is the plan of a scenario that lies there.
func planAt(t *testing.T, path, text string) run.Plan {
	t.Helper()
	file, err := scenarios.Parse(path, []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := run.FromFile(file, history.Machine{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// hosted lets a server answer at an address of a network in memory until stop, over both versions of HTTP.
func hosted(t *testing.T, network *memnet.Network, addr string, server http.Handler) (stop func()) {
	t.Helper()
	listener, err := network.Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	host := &http.Server{Handler: server, Protocols: new(http.Protocols)}
	host.Protocols.SetHTTP1(true)
	host.Protocols.SetUnencryptedHTTP2(true)
	var serving sync.WaitGroup
	serving.Go(func() { host.Serve(listener) })
	return func() {
		host.Close()
		serving.Wait()
	}
}

// kinds counts observations by what they are, with the reason behind.
func kinds(seen []history.Observation) map[history.Kind]int {
	all := make(map[history.Kind]int)
	for _, o := range seen {
		all[o.Kind]++
	}
	return all
}

// auctionHouse takes bids, but for those whose amount is a multiple of 50.
type auctionHouse struct {
	hub
	accepted map[string]int
	refused  int
}

func (a *auctionHouse) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	lot := strings.Split(r.URL.Path, "/")[2]
	if r.Method == http.MethodGet {
		a.hold(w, r, lot)
		return
	}
	var bid struct{ ID, Amount int64 }
	if err := json.NewDecoder(r.Body).Decode(&bid); err != nil || bid.ID < 1<<52 || bid.ID >= 1<<53 {
		http.Error(w, fmt.Sprint(bid, err), http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	w.WriteHeader(http.StatusCreated)
	if bid.Amount%50 == 0 {
		a.refused++
		fmt.Fprint(w, `{"accepted":false}`)
		return
	}
	if a.accepted == nil {
		a.accepted = make(map[string]int)
	}
	a.accepted[lot]++
	a.tell(lot, "viewers", 17)
	a.tell(lot, "bid", map[string]any{"bid": map[string]any{"id": bid.ID, "number": a.accepted[lot], "amount": bid.Amount}})
	fmt.Fprint(w, `{"accepted":true}`)
}

// Bids are found by their numbers, reactions and bursts go the same way, and a refusal that comes with 201 is one.
func TestLiveAuction(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := new(auctionHouse)
		seen, _ := carryOutCase(t, "live-auction", server, "for: 60s", "for: 4s", "at: [20s, 40s, 59s]", "at: [1s, 2s]",
			"calm: 5s..20s, rush: 20s..22s", "calm: 0s..1s, rush: 1s..3s", "count: 300", "count: 50", "only: 60", "only: 20")
		bids, delivered, refused := 0, 0, 0
		server.mu.Lock()
		defer server.mu.Unlock()
		for _, n := range server.accepted {
			bids += n
		}
		for _, o := range seen {
			switch {
			case o.Kind == history.Delivered:
				delivered++
				if o.Sequence == 0 || o.Due <= 0 || o.Path != history.SSE {
					t.Fatalf("delivered %+v", o)
				}
			case o.Kind == history.Replied && o.Err != history.NoErr:
				refused++
			}
		}
		if all := kinds(seen); bids < 500 || delivered != 5*bids || refused != server.refused || refused == 0 || all[history.Alien] > 0 || all[history.Unknown] > 0 {
			t.Errorf("%d bids were accepted and %d refused: %v, of which %d refused", bids, server.refused, all, refused)
		}
	})
}

// editor keeps documents with versions.
type editor struct {
	hub
	documents map[string]*document
	conflicts int
}

type document struct {
	Version int    `json:"version"`
	Text    string `json:"text"`
}

func (e *editor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, events := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/documents/"), "/events")
	if events {
		e.hold(w, r, name)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.documents == nil {
		e.documents = make(map[string]*document)
	}
	d := e.documents[name]
	if d == nil {
		d = &document{Version: 1}
		e.documents[name] = d
	}
	if r.Method == http.MethodPut {
		var edit struct {
			Base int
			Text string
		}
		if err := json.NewDecoder(r.Body).Decode(&edit); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if edit.Base != d.Version {
			e.conflicts++
			w.WriteHeader(http.StatusConflict)
			return
		}
		d.Version, d.Text = d.Version+1, edit.Text
		e.tell(name, "edited", d)
	}
	json.NewEncoder(w).Encode(d)
}

// An author who was late fetches the document and sends the edit again; at the end all fetch the same.
func TestCollaborativeEditor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := new(editor)
		seen, result := carryOutCase(t, "collaborative-editor", server, "for: 60s", "for: 10s", "count: 60", "count: 12", "count: 12}}", "count: 3}}")
		conflicts, unmet := 0, 0
		versions := 0
		server.mu.Lock()
		defer server.mu.Unlock()
		for _, d := range server.documents {
			versions += d.Version - 1
		}
		delivered := 0
		for _, o := range seen {
			switch {
			case o.Kind == history.Replied && o.Err != history.NoErr:
				conflicts++
			case o.Kind == history.Expectation && o.Err != history.NoErr:
				unmet++
			case o.Kind == history.Delivered:
				delivered++
			}
		}
		if conflicts != server.conflicts || conflicts == 0 || versions < 50 || delivered < versions || unmet > conflicts {
			t.Errorf("%d edits and %d conflicts: %d delivered, %d refused, %d waits were in vain", versions, server.conflicts, delivered, conflicts, unmet)
		}
		if c := result.Convergence; c == nil || c.Things != len(server.documents) || c.Alike != c.Clients || c.Failed != 0 {
			t.Errorf("the views at the end: %+v", c)
		}
	})
}

// However a run ends, each client that has come in leaves.
func TestTeardownAfterAnInterruption(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var server hub
		var mu sync.Mutex
		asked := make(map[string]int)
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			asked[r.Method+" "+r.URL.Path]++
			mu.Unlock()
			if r.URL.Path == "/events" {
				server.hold(w, r, "lobby")
			}
		})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(2*time.Second, cancel)
		_, result := carryOutAt(ctx, t, "s.yaml", "version: 1\nserver: {url: http://127.0.0.1:4500, login: [{post: /login}], teardown: [{delete: /session}]}\n"+
			"clients: {members: {count: 7, channel: lobby}}\nload: {talk: {by: members, rate: 10/s, for: 1h}}\n", handler)
		mu.Lock()
		defer mu.Unlock()
		if result.Ending != history.EndingInterrupted || asked["POST /login"] != 7 || asked["DELETE /session"] != 7 || asked["POST /command"] == 0 {
			t.Errorf("the run was %s: %v", result.Ending, asked)
		}
	})
}
