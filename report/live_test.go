package report

import (
	"sync"
	"testing"
	"time"

	"holobench/history"
)

func TestLiveLine(t *testing.T) {
	t.Parallel()
	l := NewLive()
	if got, want := l.Line(0), "0 commands, 0 deliveries (0/s), 0 missing"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	add := func(b *book) {
		if err := b.history().Scan(func(batch []history.Observation) error {
			l.Add(batch)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	add(fewClients())
	if got, want := l.Line(2*time.Second), "1 command, 3 deliveries (1.5/s), p50 12 ms p99 30 ms, 0 missing"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	more := newBook()
	more.names.Number("lobby")
	more.send(1, 1, "lobby", 3000, 3000, 3000)
	more.deliver(2, history.SSE, 1, 1, "lobby", 3000, 3020, 0)
	more.settle(history.Unknown, 1, 1, 3000, 3030, "timeout")
	more.add(history.Observation{Kind: history.Ended, Client: 2, Conn: 1, At: 3100 * msec})
	more.send(1, 2, "lobby", 3200, 3200, 3200)
	add(more)
	// The second command is expected at three clients, the third at the two that are left: 3 + 3 + 2 less 4 that came.
	if got, want := l.Line(3*time.Second), "3 commands, 4 deliveries (1/s), p50 12 ms p99 30 ms, 4 missing, 1 failed or dropped"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// Events that no command of the run has caused are heard as well; nobody owes them.
func TestLiveLineOfForeignEvents(t *testing.T) {
	t.Parallel()
	l := NewLive()
	for range 3 {
		l.Add([]history.Observation{{Kind: history.Foreign, Client: 1, Conn: 1, Path: history.SSE, At: 1}})
	}
	if got, want := l.Line(2*time.Second), "0 commands, 3 deliveries (1.5/s), 0 missing"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestLiveIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	l := NewLive()
	var both sync.WaitGroup
	b := fewClients()
	for range 4 {
		both.Go(func() {
			for i := range 50 {
				if err := b.history().Scan(func(batch []history.Observation) error {
					l.Add(batch)
					return nil
				}); err != nil {
					t.Error(err)
				}
				l.Line(time.Duration(i) * time.Second)
			}
		})
	}
	both.Wait()
	if l.figures.deliveries != 600 {
		t.Errorf("%d deliveries, want 600", l.figures.deliveries)
	}
}
