package report

import "holobench/history"

// waits are what became of the waits of flows that began in a window.
type waits struct {
	met   int64
	unmet int64
	took  Histogram // of those that were met
}

// waited counts the end of a wait.
func (f *Figures) waited(o *history.Observation) {
	for i := range f.tallies {
		if !f.windows.has(i, o.Due) {
			continue
		}
		w := &f.tallies[i].waits
		if o.Err != history.NoErr {
			w.unmet++
			continue
		}
		w.met++
		w.took.Record(o.At - o.Due)
	}
	if o.Err != history.NoErr {
		f.trouble[trouble{o.Kind, o.Err}]++
	}
}

// expectations lists what flows waited for, where they did: a run without flows has no such figure.
func (l *lister) expectations() {
	if all := &l.figures.tallies[whole].waits; all.met+all.unmet == 0 {
		return
	}
	l.windows(func(t *tally, tags []Tag, _ float64) {
		l.add(share(Expectations, Rate, tags, t.waits.unmet, t.waits.met+t.waits.unmet))
	})
	l.windows(func(t *tally, tags []Tag, _ float64) {
		m := trend(ExpectationWait, tags, &t.waits.took, nil)
		m.Events = 0 // a wait is for more than one event, or for none
		l.add(m)
	})
}
