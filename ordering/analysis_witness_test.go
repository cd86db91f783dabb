package ordering_test

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"

	"holobench/history"
	"holobench/ordering"
)

// checkWitnesses holds that each class shows the pairs with the largest, the median and the smallest margin, that no two
// clients prove them better, and that all that is said about them stands in the rows.
func (th *truth) checkWitnesses(got []ordering.Witness) error {
	for _, class := range []ordering.Class{ordering.OriginatorObserver, ordering.ObserverObserver} {
		var margins []int64
		for _, p := range th.pairs {
			if p.apart() <= th.window && p.divergent() && p.class() == class {
				margins = append(margins, p.best[class])
			}
		}
		slices.SortFunc(margins, func(a, b int64) int { return cmp.Compare(b, a) })
		ranks := []int{1, len(margins)/2 + 1, len(margins)}
		if len(margins) == 0 {
			ranks = nil
		}
		for _, rank := range slices.Compact(ranks) {
			if len(got) == 0 {
				return fmt.Errorf("no witness %d of class %v", rank, class)
			}
			w := &got[0]
			if w.Class != class || w.Rank != rank || w.Of != len(margins) || int64(w.Margin) != margins[rank-1] {
				return fmt.Errorf("witness %+v\nwant %d of %d of class %v with a margin of %d", w, rank, len(margins), class, margins[rank-1])
			}
			if err := th.checkWitness(w); err != nil {
				return err
			}
			got = got[1:]
		}
	}
	if len(got) > 0 {
		return fmt.Errorf("a witness too many: %+v", got[0])
	}
	return nil
}

func (th *truth) checkWitness(w *ordering.Witness) error {
	at := slices.IndexFunc(th.pairs, func(p *judged) bool { return is(p.a, &w.A) && is(p.b, &w.B) })
	if at < 0 {
		return fmt.Errorf("witness %+v is of no pair", w)
	}
	p := th.pairs[at]
	if !p.divergent() || p.class() != w.Class || p.a.channel != w.Channel || p.best[w.Class] != int64(w.Margin) {
		return fmt.Errorf("witness %+v\nis wrong about its pair %+v", w, p)
	}
	if a, b := eventShown(p.a), eventShown(p.b); !reflect.DeepEqual(w.A, a) || !reflect.DeepEqual(w.B, b) {
		return fmt.Errorf("witness %+v\nwant events %+v and %+v", w, a, b)
	}
	originator := false
	for i, v := range []*ordering.View{&w.First, &w.Second} {
		order := 1 - 2*i
		n := slices.IndexFunc(p.list, func(x witnessed) bool { return x.client == v.Client && x.order == order })
		if n < 0 {
			return fmt.Errorf("witness %+v: client %d did not see it so", w, v.Client)
		}
		x := p.list[n]
		want := ordering.View{Client: x.client, Originator: x.originator, Earlier: th.row(x.a), Later: th.row(x.b), ByBytes: bytes(x.a, x.b)}
		if order < 0 {
			want.Earlier, want.Later = want.Later, want.Earlier
		}
		want.Margin = v.Margin
		if int64(v.Margin) != x.margin() || !reflect.DeepEqual(*v, want) {
			return fmt.Errorf("witness view %+v\nwant %+v with a margin of %d", v, want, x.margin())
		}
		// Whoever speaks for a side has the largest margin of those who could, and of equal ones the smallest number.
		for _, other := range p.list {
			if other.order == order && other.originator == x.originator && (other.margin() > x.margin() || other.margin() == x.margin() && other.client < x.client) {
				return fmt.Errorf("witness %+v: client %d should speak, not %d", w, other.client, x.client)
			}
		}
		originator = originator || x.originator
	}
	if originator != (w.Class == ordering.OriginatorObserver) || w.Margin != min(w.First.Margin, w.Second.Margin) {
		return fmt.Errorf("witness %+v: wrong class or margin", w)
	}
	return nil
}

func is(f *fact, e *ordering.Event) bool { return f.id == e.ID && f.part == e.Part }

// eventShown is the event as a witness should show it; the invented histories have no journal.
func eventShown(f *fact) ordering.Event {
	e := ordering.Event{ID: f.id, Part: f.part, Due: f.due, Earliest: f.first}
	if f.sent != nil {
		e.Sent, e.Load = f.sent.At, f.sent.Load
	}
	if f.replied != nil {
		e.Replied = f.replied.At
	}
	return e
}

// row is the delivery of a moment; a NotBefore after At counts as At.
func (th *truth) row(m moment) history.Observation {
	o := th.rows[m.row]
	o.NotBefore = min(o.NotBefore, o.At)
	return o
}
