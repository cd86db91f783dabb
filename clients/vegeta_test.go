package clients

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"holobench/history"
	"holobench/wire"
)

// TestCommandsBesideVegeta lays our http_req_duration beside vegeta's: the same endpoint, which takes 20 ms, at the same low
// rate. Neither queues there, so that sent-to-reply and vegeta's latency mean the same.
func TestCommandsBesideVegeta(t *testing.T) {
	t.Parallel()
	const takes, rate, length = 20 * time.Millisecond, 25, 2 * time.Second
	var served atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		<-time.After(takes)
		served.Add(1)
		w.WriteHeader(http.StatusAccepted)
	}))
	defer server.Close()

	ours := postAtRate(t, server.Listener.Addr().String(), rate, length)
	attacker := vegeta.NewAttacker()
	target := vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodPost, URL: server.URL + wire.CommandPath, Body: []byte("{}")})
	var theirs []time.Duration
	for r := range attacker.Attack(target, vegeta.ConstantPacer{Freq: rate, Per: time.Second}, length, "") {
		if r.Code != http.StatusAccepted {
			t.Fatalf("vegeta got %d: %s", r.Code, r.Error)
		}
		theirs = append(theirs, r.Latency)
	}
	want := int(rate * length.Seconds())
	if len(ours) != want || len(theirs) != want || int(served.Load()) != 2*want {
		t.Fatalf("%d of ours, %d of vegeta's, %d served; want %d of each", len(ours), len(theirs), served.Load(), want)
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	mine, its := ours[want/2], theirs[want/2]
	t.Logf("median http_req_duration: ours %v, vegeta's %v, the endpoint takes %v", mine, its, takes)
	if mine < takes || its < takes || (mine-its).Abs() > takes/2 {
		t.Errorf("median http_req_duration: ours %v, vegeta's %v; both must be above %v, and near each other", mine, its, takes)
	}
}

// postAtRate posts commands of one client by a schedule and returns how long each took, from sent to the end of its reply.
func postAtRate(t *testing.T, addr string, rate float64, length time.Duration) []time.Duration {
	t.Helper()
	var mu sync.Mutex
	sent, replied := map[uint32]int64{}, map[uint32]int64{}
	crowd := &Crowd{
		Addr: addr, Epoch: time.Now().UnixNano(), Names: new(history.Names), Dial: new(net.Dialer).DialContext,
		Observe: func(batch []history.Observation) {
			mu.Lock()
			defer mu.Unlock()
			for _, o := range batch {
				switch o.Kind {
				case history.Sent:
					sent[o.Event.Seq] = o.At
				case history.Replied:
					replied[o.Event.Seq] = o.At
				default:
				}
			}
		},
	}
	ctx, cancel := context.WithCancel(t.Context())
	c := crowd.NewClient(ClientOptions{ID: 1, Instance: "c1"})
	done := make(chan error)
	go func() { done <- c.PostCommands(ctx, t.Context(), nil) }()
	var arrivals Arrivals
	if err := arrivals.Add(rate, rate, length, nil); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for due, ok := arrivals.Next(); ok; due, ok = arrivals.Next() {
		<-time.After(time.Until(began.Add(due)))
		c.Post(int64(due), &Message{Channel: "room", Size: 100})
	}
	for waiting := true; waiting; {
		<-time.After(time.Millisecond)
		mu.Lock()
		waiting = len(replied) < int(rate*length.Seconds())
		mu.Unlock()
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	var took []time.Duration
	for seq, at := range replied {
		took = append(took, time.Duration(at-sent[seq]))
	}
	return took
}

func TestFloodCountsEveryPost(t *testing.T) {
	t.Parallel()
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("HTTP/2 %v", http2), func(t *testing.T) {
			t.Parallel()
			checkFlood(t, http2)
		})
	}
}

func checkFlood(t *testing.T, http2 bool) {
	t.Helper()
	var served atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		command, err := wire.ParseCommand(body)
		if err != nil || command.Channel != "press" || len(command.Payload) != 120 || strings.Contains(command.Payload, "hb1.") ||
			r.Header.Get("X-Team") != "blue" || (r.ProtoMajor == 2) != http2 {
			http.Error(w, "not as it should be", http.StatusBadRequest)
			return
		}
		if served.Add(1) == 7 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	defer server.Close()
	var mu sync.Mutex
	counts := map[string]int{}
	names := new(history.Names)
	crowd := &Crowd{
		Addr: server.Listener.Addr().String(), Epoch: time.Now().UnixNano(), Names: names, Dial: new(net.Dialer).DialContext, HTTP2: http2,
		Observe: func(batch []history.Observation) {
			mu.Lock()
			defer mu.Unlock()
			for _, o := range batch {
				counts[fmt.Sprintf("%s %s", o.Kind, names.Name(uint32(o.Err)))]++
				if o.Channel != history.NoChannel {
					t.Error("a flood names a channel: its subscribers would be expected to hear of it")
				}
			}
		},
	}
	crowd.Header = append(crowd.Header, struct{ Name, Value string }{"X-Team", "blue"})
	var arrivals Arrivals
	if err := arrivals.Add(100, 100, time.Second, nil); err != nil {
		t.Fatal(err)
	}
	err := crowd.Flood(t.Context(), FloodOptions{
		Client: 9, Message: Message{Channel: "press", Name: "message", Size: 120}, Arrivals: &arrivals, Length: time.Minute, // the schedule ends it, however busy the machine is
	})
	if err != nil || counts["sent "] != 100 || counts["replied "] != 99 || counts["replied http 503"] != 1 || served.Load() != 100 {
		t.Errorf("flood: %v; seen %v, served %d; want 100 sent and served, one of them answered 503", err, counts, served.Load())
	}
}
