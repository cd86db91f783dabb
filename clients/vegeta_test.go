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
	"testing/synctest"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"holobench/history"
	"holobench/internal/memnet"
	"holobench/wire"
)

// TestCommandsBesideVegeta lays our http_req_duration beside vegeta's: the same endpoint, which takes 20 ms, at the same low
// rate. Neither queues there, so that sent-to-reply and vegeta's latency mean the same: in a bubble, exactly.
func TestCommandsBesideVegeta(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const takes, rate, length = 20 * time.Millisecond, 25, 2 * time.Second
		network := memnet.New(nil)
		listener, err := network.Listen("server:80")
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			<-time.After(takes)
			w.WriteHeader(http.StatusAccepted)
		})}
		go server.Serve(listener)
		defer server.Close()

		ours := postAtRate(t, network.DialContext, rate, length)
		way := &http.Transport{DialContext: network.DialContext}
		defer way.CloseIdleConnections()
		attacker := vegeta.NewAttacker(vegeta.Client(&http.Client{Transport: way}))
		target := vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodPost, URL: "http://server:80" + wire.CommandPath, Body: []byte("{}")})
		var theirs []time.Duration
		for r := range attacker.Attack(target, vegeta.ConstantPacer{Freq: rate, Per: time.Second}, length-1, "") { // at the end of its time vegeta sends one more
			if r.Code != http.StatusAccepted {
				t.Fatalf("vegeta got %d: %s", r.Code, r.Error)
			}
			theirs = append(theirs, r.Latency)
		}
		slices.Sort(ours)
		slices.Sort(theirs)
		want := int(rate * length.Seconds())
		if len(ours) != want || len(theirs) != want {
			t.Fatalf("%d of ours, %d of vegeta's; want %d of each", len(ours), len(theirs), want)
		}
		if ours[0] != takes || ours[want-1] != takes || theirs[0] != takes || theirs[want-1] != takes {
			t.Errorf("http_req_duration: ours from %v to %v, vegeta's from %v to %v; the endpoint takes %v", ours[0], ours[want-1], theirs[0], theirs[want-1], takes)
		}
	})
}

// postAtRate posts commands of one client by a schedule and returns how long each took, from sent to the end of its reply.
func postAtRate(t *testing.T, dial DialFunc, rate float64, length time.Duration) []time.Duration {
	t.Helper()
	var mu sync.Mutex
	sent, replied := map[uint32]int64{}, map[uint32]int64{}
	crowd := &Crowd{
		Addr: "server:80", Epoch: time.Now().UnixNano(), Names: new(history.Names), Dial: dial,
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
