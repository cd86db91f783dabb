package chaos

// Duplicate brings events of streams twice, the second right behind the first. (A reply twice would be no HTTP.)
type Duplicate struct {
	Pick
}

// Kind implements Effect.
func (Duplicate) Kind() string { return "duplicate" }

func (Duplicate) needs() needs { return needs{down: true, ramp: true, streams: true, http: true} }

type duplicateRule struct {
	calm
	scope
	Pick
}

func (d Duplicate) rule(s scope) eventStage { return &duplicateRule{scope: s, Pick: d.Pick} }

func (d *duplicateRule) busy(at int64) bool { return d.moment(at).in }

func (d *duplicateRule) judge(m message, next func(message)) {
	next(m)
	if at := d.moment(m.at); d.picks(d.Pick, at, &m) {
		d.judged(d.Pick, at, &m, 0)
		next(m)
	}
}
