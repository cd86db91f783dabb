package chaos

// Truncate cuts events off in the middle of their data, and ends them there, so that the stream goes on. A reply is cut off
// with its connection: its head promised more.
type Truncate struct {
	Pick
}

// Kind implements Effect.
func (Truncate) Kind() string { return "truncate" }

func (Truncate) needs() needs { return needs{down: true, ramp: true, http: true} }

type truncateRule struct {
	calm
	scope
	Pick
}

func (t Truncate) rule(s scope) eventStage { return &truncateRule{scope: s, Pick: t.Pick} }

func (t *truncateRule) busy(at int64) bool { return t.moment(at).in }

func (t *truncateRule) judge(m message, next func(message)) {
	at := t.moment(m.at)
	if t.picks(t.Pick, at, &m) {
		if i, ok := spot(&m, t.luck(at, &m, within)); ok {
			t.judged(t.Pick, at, &m, int64(i))
			m.bytes = m.bytes[:i:i]
			if m.cut = m.reply; !m.reply {
				m.bytes = append(m.bytes, "\n\n"...)
			}
		}
	}
	next(m)
}
