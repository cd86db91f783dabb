package target

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestRegistry lays the registry beside its definition: a set of names for each stream, over thousands of random joins
// and leaves.
func TestRegistry(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := s.registry
	hears := map[*stream][]string{}
	names := []string{"a", "b", "c", "d", "e"}
	pick := func() *stream {
		all := slices.SortedFunc(maps.Keys(hears), func(x, y *stream) int { return compareNumbers(x.instance, y.instance) })
		return all[random.IntN(len(all))]
	}
	for step := range 3000 {
		if len(hears) > 0 && random.IntN(3) == 0 { // one channel more, or one less
			st, name := pick(), names[random.IntN(len(names))]
			if at := slices.Index(hears[st], name); at >= 0 != r.leave(st, name) {
				t.Errorf("leaving %s is not what was heard", name)
			} else if at >= 0 {
				hears[st] = slices.Delete(hears[st], at, at+1)
			} else {
				r.join(st, name)
				r.join(st, name) // once is enough
				hears[st] = append(hears[st], name)
			}
		} else if len(hears) < 20 && random.IntN(2) == 0 {
			random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
			chosen := slices.Clone(names[:1+random.IntN(len(names))])
			if err := r.reserve(20, func() {}); err != nil {
				t.Fatal(err)
			}
			w := &discardWriter{gone: make(chan struct{})}
			st := newStream(s, fmt.Sprint(step), formatPlain, w, http1Head(true, time.Unix(0, 0)))
			r.add(st)
			for _, name := range chosen {
				r.join(st, name)
			}
			hears[st] = chosen
		} else if len(hears) > 0 {
			st := pick()
			r.remove(st)
			delete(hears, st)
		}
		checkRegistry(t, r, hears)
		if t.Failed() {
			t.Fatalf("after step %d", step)
		}
	}
}

func compareNumbers(x, y string) int {
	if len(x) != len(y) {
		return len(x) - len(y)
	}
	if x < y {
		return -1
	}
	return 1
}

func checkRegistry(t *testing.T, r *registry, hears map[*stream][]string) {
	t.Helper()
	if r.reserved != len(hears) || len(r.streams) != len(hears) || len(r.instances) != len(hears) {
		t.Errorf("%d reserved, %d streams, %d instances; want %d", r.reserved, len(r.streams), len(r.instances), len(hears))
	}
	want := map[string]int{}
	for st, names := range hears {
		for slot, joined := range st.joined {
			if m := joined.channel.members[joined.index]; m.stream != st || m.slot != slot {
				t.Errorf("slot %d of stream %s points at slot %d of stream %s", slot, st.instance, m.slot, m.stream.instance)
			}
		}
		for _, name := range names {
			want[name]++
			c := r.channel(name)
			if c == nil || !slices.ContainsFunc(c.members, func(m member) bool { return m.stream == st }) {
				t.Errorf("stream %s is missing in %s", st.instance, name)
			}
		}
	}
	if len(r.channels) != len(want) {
		t.Errorf("%d channels, want %d: an empty one must not stay", len(r.channels), len(want))
	}
	for name, n := range want {
		if got := len(r.channels[name].members); got != n {
			t.Errorf("channel %s has %d members, want %d", name, got, n)
		}
	}
}
