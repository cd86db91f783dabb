package chaos

// Corrupt changes one byte in the data of events, or in the bodies of replies, so that what carries them stays whole: "~"
// stands in its place, or "!" where there was a "~".
type Corrupt struct {
	Pick
}

// Kind implements Effect.
func (Corrupt) Kind() string { return "corrupt" }

func (Corrupt) needs() needs { return needs{down: true, ramp: true, http: true} }

type corruptRule struct {
	calm
	scope
	Pick
}

func (c Corrupt) rule(s scope) eventStage { return &corruptRule{scope: s, Pick: c.Pick} }

func (c *corruptRule) busy(at int64) bool { return c.moment(at).in }

func (c *corruptRule) judge(m message, next func(message)) {
	at := c.moment(m.at)
	if c.picks(c.Pick, at, &m) {
		if i, ok := spot(&m, c.luck(at, &m, within)); ok {
			c.judged(c.Pick, at, &m, int64(i))
			m.bytes = append([]byte(nil), m.bytes...)
			if m.bytes[i] == '~' {
				m.bytes[i] = '!'
			} else {
				m.bytes[i] = '~'
			}
		}
	}
	next(m)
}
