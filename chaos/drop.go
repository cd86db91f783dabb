package chaos

// Drop loses events of streams, each whole, as a server or a proxy does that throws away; TCP itself never loses one, see Loss. On
// the path of commands it loses replies: the client waits for one until its time is out.
type Drop struct {
	Pick
}

// Kind implements Effect.
func (Drop) Kind() string { return "drop" }

func (Drop) needs() needs { return needs{down: true, ramp: true, http: true} }

type dropRule struct {
	calm
	scope
	Pick
}

func (d Drop) rule(s scope) eventStage { return &dropRule{scope: s, Pick: d.Pick} }

func (d *dropRule) busy(at int64) bool { return d.moment(at).in }

func (d *dropRule) judge(m message, next func(message)) {
	if at := d.moment(m.at); d.picks(d.Pick, at, &m) {
		d.judged(d.Pick, at, &m, 0)
		return
	}
	next(m)
}
