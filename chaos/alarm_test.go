package chaos_test

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holobench/chaos"
	"holobench/internal/draw"
)

// outlet takes what a link offers, as far as it has room.
type outlet struct {
	began time.Time
	mu    sync.Mutex
	room  int
	seen  []string // what came when
}

func (o *outlet) offer(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := min(len(p), o.room)
	o.room -= n
	if n > 0 {
		o.seen = append(o.seen, fmt.Sprintf("%s offered at %v", p[:n], time.Since(o.began)))
	}
	return n, nil
}

// read notes one Read.
func (o *outlet) read(conn io.Reader) error {
	buf := make([]byte, 100)
	n, err := conn.Read(buf)
	o.mu.Lock()
	defer o.mu.Unlock()
	if n > 0 {
		o.seen = append(o.seen, fmt.Sprintf("%s read at %v", buf[:n], time.Since(o.began)))
	}
	return err
}

// TestWhatIsDueIsOffered: as far as there is room, and when it is due; the reader gets the rest, and nothing goes past what it has
// out.
func TestWhatIsDueIsOffered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := newLive(t)
		defer v.Wait()
		defer v.Close()
		o := &outlet{began: time.Now(), room: 3}
		near, far := linked(t, v, 1, o.offer)
		back := make(chan bool)
		var reading sync.WaitGroup
		defer reading.Wait()
		reading.Go(func() {
			for o.read(near) == nil && <-back {
			}
		})
		io.WriteString(far, "direct")
		synctest.Wait()
		back <- true
		if err := v.Set(chaos.Fault{Name: "lag", Effect: chaos.Delay{Law: draw.Law{A: 50e6}}}, 1); err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{"a", "b", "cde", "f"} { // at 0, 10, 20 and 30 ms
			io.WriteString(far, text)
			<-time.After(10 * ms)
		}
		<-time.After(60 * ms) // at 100 ms: the reader has "de" out, and "f" is due since 80 ms
		o.mu.Lock()
		o.room = 100
		o.mu.Unlock()
		back <- true // it reads "f"
		synctest.Wait()
		back <- true
		io.WriteString(far, "g")
		<-time.After(20 * ms)
		v.Clear("lag") // "g" comes out, by the reader, which looks again
		synctest.Wait()
		back <- true
		io.WriteString(far, "h")
		synctest.Wait()
		far.Close()
		back <- true
		want := []string{
			"direct read at 0s", "a offered at 50ms", "b offered at 60ms", "c offered at 70ms", "de read at 70ms", "f read at 100ms",
			"g read at 120ms", "h read at 120ms",
		}
		reading.Wait()
		if !slices.Equal(o.seen, want) {
			t.Errorf("seen was\n%q, want\n%q", o.seen, want)
		}
	})
}

// TestAnAlarmIsExact: a hundred links get what is drawn for each, to the nanosecond, and one that takes nothing holds up no other.
func TestAnAlarmIsExact(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const clients, stuck = 100, 13
		var mu sync.Mutex
		drawn := make(map[uint32]time.Duration)
		v, err := chaos.NewLive(chaos.LiveOptions{Seed: 7, Record: func(d chaos.Decision) {
			mu.Lock()
			defer mu.Unlock()
			drawn[d.Client] = time.Duration(d.Amount)
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer v.Wait()
		defer v.Close()
		lag := chaos.Delay{Law: lognormal(t, 80*ms, 400*ms), Hold: time.Hour}
		if err := v.Set(chaos.Fault{Name: "lag", Effect: lag}, 1); err != nil {
			t.Fatal(err)
		}
		var reading sync.WaitGroup
		defer reading.Wait()
		var outlets []*outlet
		for client := range uint32(clients) {
			o := &outlet{began: time.Now(), room: 1}
			if client == stuck {
				o.room = 0
			}
			near, far := linked(t, v, client, o.offer)
			defer near.Close()
			reading.Go(func() { o.read(near) }) // it does not come back
			io.WriteString(far, "x")
			outlets = append(outlets, o)
		}
		<-time.After(time.Hour)
		synctest.Wait()
		for client, o := range outlets {
			how := "offered"
			if client == stuck {
				how = "read"
			}
			if want := []string{fmt.Sprintf("x %s at %v", how, drawn[uint32(client)])}; !slices.Equal(o.seen, want) {
				t.Errorf("client %d saw %q, want %q", client, o.seen, want)
			}
		}
	})
}
