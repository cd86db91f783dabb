package target_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"holobench/internal/draw"
	"holobench/target"
	"holobench/wire"
)

// faultyBuses are the ends of a bus of so many nodes in memory, with what each hears and when, in ms.
func faultyBuses(t *testing.T, nodes int, ordered bool) (ends []*target.FaultyBus, heard []*[]string, counters []*target.Counters) {
	t.Helper()
	bus := target.NewMemoryBus(target.MemoryBusOptions{Ordered: ordered})
	began := time.Now()
	for n := range nodes {
		count, log := target.MemoryCounters(), new([]string)
		end := target.NewFaultyBus(bus.Node(n+1), n+1, count)
		stop, err := end.Subscribe(func(m target.BusMessage) {
			_, rest := binary.Uvarint(m.Data[1:])
			*log = append(*log, fmt.Sprintf("%d %s %s", time.Since(began).Milliseconds(), m.Channel, m.Data[1+rest:]))
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(stop)
		ends, heard, counters = append(ends, end), append(heard, log), append(counters, count)
	}
	t.Cleanup(bus.Close)
	return ends, heard, counters
}

// say publishes a text as a node, with its number where the bus looks for it.
func say(t *testing.T, end *target.FaultyBus, node int, channel, text string) {
	t.Helper()
	if err := end.Publish(channel, append(binary.AppendUvarint([]byte{1}, uint64(node)), text...)); err != nil {
		t.Error(err)
	}
	synctest.Wait()
}

func put(t *testing.T, ends []*target.FaultyBus, f target.BusFault) {
	t.Helper()
	for _, end := range ends {
		if err := end.Put(f); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Wait()
}

func hears(t *testing.T, what string, got *[]string, want ...string) {
	t.Helper()
	synctest.Wait()
	if !slices.Equal(*got, want) {
		t.Errorf("%s heard %q, want %q", what, *got, want)
	}
	*got = nil
}

// TestACutWayLosesWithoutAnOrder: what a node says during a cut never comes to the other side, and all that it says after does.
func TestACutWayLosesWithoutAnOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ends, heard, counters := faultyBuses(t, 3, false)
		put(t, ends, target.BusFault{Name: "cut", Kind: target.BusCut, Links: [][2]int{{1, 2}, {1, 3}, {2, 1}}})
		for n, end := range ends {
			say(t, end, n+1, "room", fmt.Sprint("from ", n+1))
		}
		hears(t, "node 1", heard[0], "0 room from 3") // 3 to 1 is not among the links: the cut is one-way there
		hears(t, "node 2", heard[1], "0 room from 3")
		hears(t, "node 3", heard[2], "0 room from 2")
		time.Sleep(3 * time.Second)
		put(t, ends, target.BusFault{Name: "cut", Over: true})
		say(t, ends[0], 1, "room", "again")
		hears(t, "node 2", heard[1], "3000 room again")
		hears(t, "node 3", heard[2], "3000 room again")
		if got := counters[1].Get(target.BusFaultLost); got != 1 {
			t.Errorf("node 2 counts %d lost messages, want 1", got)
		}
	})
}

// TestACutWayHoldsBackWithAnOrder: over a bus with an order nothing is lost, neither what is said on this side nor on that, and the
// order stays; only questions are lost.
func TestACutWayHoldsBackWithAnOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ends, heard, counters := faultyBuses(t, 2, true)
		say(t, ends[0], 1, "room", "before")
		put(t, ends, target.BusFault{Name: "cut", Kind: target.BusCut, Links: [][2]int{{2, 0}, {0, 2}}})
		say(t, ends[0], 1, "room", "a")
		say(t, ends[1], 2, "room", "b")
		say(t, ends[0], 1, "", "a question")
		say(t, ends[1], 2, "", "another")
		say(t, ends[0], 1, "room", "c")
		hears(t, "node 1", heard[0], "0 room before", "0 room a", "0  a question", "0 room c")
		hears(t, "node 2", heard[1], "0 room before")
		time.Sleep(3 * time.Second)
		put(t, ends, target.BusFault{Name: "cut", Over: true})
		say(t, ends[1], 2, "room", "d")
		hears(t, "node 1", heard[0], "3000 room b", "3000 room d")
		hears(t, "node 2", heard[1], "3000 room a", "3000 room c", "3000 room b", "3000 room d")
		if held, lost := counters[1].Get(target.BusFaultHeld), counters[1].Get(target.BusFaultLost); held != 3 || lost != 2 {
			t.Errorf("node 2 counts %d held and %d lost messages, want 3 and 2", held, lost)
		}
	})
}

// TestALateWayKeepsItsOrder: a delay is exact, and when it ends nothing overtakes what is under way.
func TestALateWayKeepsItsOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ends, heard, _ := faultyBuses(t, 3, false)
		slow := target.BusFault{Name: "slow", Kind: target.BusLate, Links: [][2]int{{1, 2}}, Law: draw.Law{A: float64(40 * time.Millisecond)}}
		put(t, ends, slow)
		say(t, ends[0], 1, "room", "a")
		time.Sleep(30 * time.Millisecond)
		put(t, ends, target.BusFault{Name: "slow", Over: true})
		say(t, ends[0], 1, "room", "b")
		say(t, ends[2], 3, "room", "c") // another way
		time.Sleep(time.Second)
		hears(t, "node 2", heard[1], "30 room c", "40 room a", "40 room b")
		hears(t, "node 3", heard[2], "0 room a", "30 room b")
	})
}

// TestAShareComesTwice: which events do is a function of the seed, the fault, the way and the event.
func TestAShareComesTwice(t *testing.T) {
	t.Parallel()
	const said = 400
	twice := func(seed uint64, ordered bool, links ...[2]int) (at [][]int) {
		synctest.Test(t, func(t *testing.T) {
			ends, heard, _ := faultyBuses(t, 2, ordered)
			put(t, ends, target.BusFault{Name: "double", Kind: target.BusTwice, Links: links, Share: 0.25, Seed: seed})
			for i := range said {
				marker := wire.Marker{Run: 7, Event: wire.EventID{Publisher: 3, Seq: uint32(i)}}
				say(t, ends[0], 1, "room", string(wire.AppendMarker(nil, marker)))
			}
			for _, log := range heard {
				var numbers []int
				for i := 1; i < len(*log); i++ {
					if (*log)[i] == (*log)[i-1] {
						numbers = append(numbers, i)
					}
				}
				at = append(at, numbers)
			}
		})
		return at
	}
	first := twice(7, false, [2]int{1, 2})
	if n := len(first[1]); len(first[0]) != 0 || n < said/8 || n > said/2 {
		t.Errorf("%d and %d of %d came twice", len(first[0]), n, said)
	}
	if again := twice(7, false, [2]int{1, 2}); fmt.Sprint(again) != fmt.Sprint(first) {
		t.Error("the same seed doubled other events")
	}
	if other := twice(8, false, [2]int{1, 2}); fmt.Sprint(other) == fmt.Sprint(first) {
		t.Error("another seed doubled the same events")
	}
	if ordered := twice(7, true, [2]int{1, 0}); len(ordered[0]) == 0 || fmt.Sprint(ordered[0]) != fmt.Sprint(ordered[1]) {
		t.Error("over a bus with an order what is published twice does not come twice to everybody")
	}
}

// TestADelayOfTheBusComesOn: in a straight line from nothing, to the nanosecond, and anew each time that the fault begins.
func TestADelayOfTheBusComesOn(t *testing.T) {
	t.Parallel()
	for _, ordered := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			ends, heard, _ := faultyBuses(t, 2, ordered)
			began := time.Now()
			late := target.BusFault{
				Name: "late", Kind: target.BusLate, Links: [][2]int{{1, 2}, {0, 2}}, Law: draw.Law{A: 100e6}, Ramp: int64(time.Second),
			}
			put(t, ends, late)
			for _, at := range []time.Duration{0, 250 * time.Millisecond, 500 * time.Millisecond, 2 * time.Second} {
				<-time.After(at - time.Since(began))
				say(t, ends[0], 1, "room", at.String())
			}
			<-time.After(time.Second) // at 3 s it begins again
			put(t, ends, late)
			<-time.After(100 * time.Millisecond)
			say(t, ends[0], 1, "room", "again")
			<-time.After(time.Second)
			hears(t, "node 2", heard[1], "0 room 0s", "275 room 250ms", "550 room 500ms", "2100 room 2s", "3110 room again")
		})
	}
}

func TestBusFaultsAreChecked(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		`{"name":"a","kind":"cut","law":{}} {}`:                "reading a fault of the bus: something stands behind it",
		`{"name":"a","kind":"cut","lav":{}}`:                   `reading a fault of the bus: json: unknown field "lav"`,
		`{"kind":"cut"}`:                                       "a fault of the bus has no name",
		`{"name":"a","kind":"cute"}`:                           `the fault "a" of the bus is of no kind, or of a share that is none`,
		`{"name":"a","kind":"twice","share":2}`:                `the fault "a" of the bus is of no kind, or of a share that is none`,
		`{"name":"a","kind":"late","law":{"Base":-1}}`:         `the fault "a" of the bus: a constant law with a base of -1: give one of at least 0`,
		`{"name":"` + strings.Repeat("a", 1<<17) + `"}`:        "a fault of the bus has more than 65536 bytes or 1024 links",
		`{"name":"a","over":true,"kind":"whatever","law":{}}`:  "",
		`{"name":"a","kind":"cut","links":[[1,0]],"law":null}`: "",
		`{"name":"a","kind":"cut","ramp":1}`:                   `the fault "a" of the bus has a ramp that cannot be`,
		`{"name":"a","kind":"late","ramp":-1}`:                 `the fault "a" of the bus has a ramp that cannot be`,
	} {
		got := ""
		if _, err := target.ParseBusFault([]byte(line)); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%.60s: %q, want %q", line, got, want)
		}
	}
}

// FuzzBusFault: what is read can be written and read again as the same, and put on a bus.
func FuzzBusFault(f *testing.F) {
	for _, seed := range []string{`{"name":"a","kind":"cut","links":[[1,2]]}`, `{"name":"a","kind":"twice","share":0.5,"ramp":7}`, `{"name":"a","over":true}`, `{"name":"b","kind":"late","law":{"Kind":3,"A":1,"B":2}}`, `{`, ``} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		fault, err := target.ParseBusFault(line)
		if err != nil {
			return
		}
		written, err := json.Marshal(fault)
		if err != nil {
			t.Fatal(err)
		}
		again, err := target.ParseBusFault(written)
		if err != nil && len(written) <= 64<<10 || err == nil && fmt.Sprint(again) != fmt.Sprint(fault) {
			t.Errorf("%s came back as %+v, %v", written, again, err)
		}
		if err := target.NewFaultyBus(target.NewMemoryBus(target.MemoryBusOptions{}).Node(1), 1, target.MemoryCounters()).Put(fault); err != nil {
			t.Error(err)
		}
	})
}
