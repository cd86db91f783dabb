package ordering_test

import (
	"encoding/binary"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"holobench/history"
	"holobench/ordering"
)

// analyse runs the Analysis over the rows in two batches, with a look in between.
func analyse(run history.Run, rows []history.Observation, window, ties time.Duration) ordering.Divergence {
	a := ordering.Analysis{Window: window, TieBelow: ties}
	a.Add(rows[:len(rows)/2])
	a.Close(run)
	a.Add(rows[len(rows)/2:])
	return a.Close(run)
}

// spread counts in how many of the invented histories something occurred.
type spread map[string]int

func (s spread) count(what string, is bool) {
	if n := s[what]; is {
		s[what] = n + 1
	} else {
		s[what] = n // what never occurs stands there too, as 0
	}
}

func (s spread) shape(is *shape) {
	s.count("2 clients", is.clients == 2)
	s.count("more than 50 clients", is.clients > 50)
	s.count("more than 90 clients", is.clients > 90)
	s.count("several channels", is.channels > 1)
	s.count("more than 3 channels", is.channels > 3)
	s.count("no loss", is.loss == 0)
	s.count("loss above 80 %", is.loss > 80)
	s.count("loss above 80 % of more than 50 clients", is.loss > 80 && is.clients > 50)
	s.count("duplicates", is.twice)
	s.count("late joins", is.late)
	s.count("reconnects", is.reconnect)
	s.count("two streams at once", is.torn)
	s.count("events in parts", is.parts)
	s.count("clock set back", is.backward)
	s.count("noise floor", is.floor)
	s.count("user stamps", is.user)
	s.count("foreign events", is.foreign)
	s.count("rows of a command twice", is.repeated)
}

func (s spread) figures(is *ordering.Figures) {
	for name, c := range map[string]*ordering.Pairs{"all": &is.All, "originator-observer": &is.OriginatorObserver, "observer-observer": &is.ObserverObserver} {
		s.count(name+" at risk", c.AtRisk > 0)
		s.count(name+" tied", c.Tied > 0)
		s.count(name+" divergent", c.Divergent > 0)
	}
	s.count("no divergent pair, some at risk", is.All.Divergent == 0 && is.All.AtRisk > 0)
	s.count("inversions", is.Inversions > 0)
	s.count("tied views", is.TiedViews > 0)
	s.count("fifo pairs", is.FIFO.Pairs > 0)
	s.count("fifo violations", is.FIFO.Violations > 0)
	s.count("fifo in flight", is.FIFO.InFlight > 0)
	s.count("fifo concurrent", is.FIFO.Concurrent > 0)
	s.count("divergent on one node", is.SameNode.Divergent > 0)
	s.count("divergent between nodes only", is.All.Divergent > is.SameNode.Divergent)
	s.count("at risk between nodes only", is.All.AtRisk > is.SameNode.AtRisk)
	s.count("fifo violations of two nodes", is.FIFO.OtherNode > 0)
	s.count("beyond divergent", is.Beyond.Divergent > 0)
	s.count("beyond fifo", is.Beyond.FIFOViolations > 0)
	for _, p := range is.ByPaths {
		s.count("by "+p.Paths.String(), true)
	}
}

func TestAnalysisIsItsDefinition(t *testing.T) {
	t.Parallel()
	seen := spread{}
	for range 2_000 {
		seed := rand.Uint64()
		random := rand.New(rand.NewPCG(seed, 5))
		c := inventCrossing(random.IntN)
		rows := weave(random, c.lanes)
		got := analyse(c.run, rows, c.window, c.ties)
		th := newTruth(c.run, rows, c.window, c.ties)
		if err := th.check(&got); err != nil {
			t.Fatalf("seed %d, %+v: %v", seed, c.shape, err)
		}
		if again := analyse(c.run, weave(random, c.lanes), c.window, c.ties); !reflect.DeepEqual(got, again) {
			t.Fatalf("seed %d: another order between connections, another outcome:\n%+v\n%+v", seed, got, again)
		}
		seen.shape(&c.shape)
		seen.count("stamps that run backwards on a socket", th.backward)
		seen.figures(&got.Overall)
	}
	t.Log(seen)
	for what, n := range seen {
		if n < 20 && !strings.HasPrefix(what, "by ") {
			t.Errorf("the invented histories are too tame to prove anything: %s in %d of 2,000", what, n)
		}
	}
}

// FuzzAnalysis does the same with histories that the bytes invent.
func FuzzAnalysis(f *testing.F) {
	f.Add([]byte("hologram answers the sender in the reply and everybody else by the stream"))
	f.Add([]byte(strings.Repeat("\x03\x91\x40\x07\xee", 60)))
	f.Fuzz(func(t *testing.T, data []byte) {
		draw := func(n int) int {
			if len(data) < 2 {
				return 0
			}
			v := int(binary.LittleEndian.Uint16(data)) % n
			data = data[2:]
			return v
		}
		c := inventCrossing(draw)
		rows := weave(rand.New(rand.NewPCG(1, 2)), c.lanes)
		got := analyse(c.run, rows, c.window, c.ties)
		if err := newTruth(c.run, rows, c.window, c.ties).check(&got); err != nil {
			t.Fatal(err)
		}
	})
}
