package report

import (
	"holobench/history"
	"holobench/ordering"
)

// membership decides who should have received what.
type membership struct {
	members ordering.Membership
}

func (m *membership) add(batch []history.Observation) { m.members.Add(batch) }

// close enters where each event stands into the windows in which its command was due.
func (m *membership) close(run history.Run, f *Figures) {
	m.members.Close(run)
	m.members.Unmarked = func(publisher uint32) bool {
		_, flood := f.floods[publisher]
		return flood
	}
	m.members.Events(func(s ordering.Standing) {
		if s.ID.Foreign() {
			f.foreignEvents++
		}
		f.recovery.stood(&s)
		for i := range f.tallies {
			if !f.windows.has(i, s.Due) {
				continue
			}
			t := &f.tallies[i]
			switch {
			case !s.ID.Foreign():
				t.standing.events++
			case s.Expected > 0:
				t.standing.owed++
				t.standing.foreign++
			default:
				t.standing.foreign++
			}
			if s.OwnLost {
				t.standing.ownLost++
			}
			if s.OwnOtherWay {
				t.standing.ownOtherWay++
			}
			t.standing.expected += int64(s.Expected)
			t.standing.reached += int64(s.Reached)
			t.standing.lost += int64(s.Lost)
			t.standing.duplicated += int64(s.Duplicated)
			t.standing.indeterminate += int64(s.Indeterminate)
			t.standing.stray += int64(s.Stray)
			t.standing.missedAway += int64(s.MissedAway)
			t.standing.caughtUp += int64(s.CaughtUp)
			if s.Delivered >= 2 {
				t.spread.Record(s.Last - s.First)
			}
		}
	})
	f.cures.absences = m.members.Absences()
}
