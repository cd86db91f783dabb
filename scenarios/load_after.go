package scenarios

import (
	"slices"
	"strings"
)

// chain finds out when those loads start that begin when another is over.
func (r *resolver) chain(all []Load) {
	names := r.form.Load.names()
	for i := range all {
		l, form := &all[i], &r.form.Load.list[i].form
		l.pause = l.Start
		if l.After == "" {
			continue
		}
		at := slices.Index(names, l.After)
		if at < 0 {
			r.add(form.After.at, form.After.path+": there is no load "+quote(l.After)+suggest(l.After, names), known("loads", names))
			l.After = ""
		}
	}
	for i := range all {
		if circle := circleOf(all, i); circle != nil && slices.Min(circle) == circle[0] { // told once, where its first load stands
			form := &r.form.Load.list[i].form.After
			r.add(form.at, form.path+": none of these loads ever begins, since each waits for the next: "+strings.Join(append(circle, circle[0]), ", "),
				"let one of them begin at the barrier: leave its after out")
		}
	}
	for range all { // each round settles one more of a chain
		for i := range all {
			if at := slices.Index(names, all[i].After); all[i].After != "" && at >= 0 {
				all[i].Start = all[at].End() + all[i].pause
			}
			all[i].Start = min(all[i].Start, 2*maxTime) // those of a circle would go on for ever
		}
	}
	for i := range all {
		if l := &all[i]; l.End() > maxTime || l.End() < 0 {
			form := &r.form.Load.list[i].form
			r.add(form.at, form.path+": the load ends after "+l.End().String()+", the limit is "+maxTime.String(), "")
		}
	}
}

// circleOf lists the loads that wait for each other, from the i-th on in the order in which they wait; nil when it is in no circle.
func circleOf(all []Load, i int) []string {
	circle := []string{all[i].Name}
	for at := i; ; {
		after := all[at].After
		at = slices.IndexFunc(all, func(l Load) bool { return l.Name == after })
		switch {
		case after == "" || at < 0 || len(circle) > len(all): // a load without a name is reported already
			return nil
		case at == i:
			return circle
		}
		circle = append(circle, all[at].Name)
	}
}
