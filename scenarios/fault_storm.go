package scenarios

import "time"

// ReconnectStorm ends the streams of clients all at once, and lets all of them come back in a short time, as after the restart of a
// proxy. Commands are posted all the time.
type ReconnectStorm struct {
	Away   time.Duration // from the end of the streams until the first comes back
	Within time.Duration // the moments at which they come back are drawn from this time on, each as likely; 0 = all at once
}

// CutsStreams implements Effect.
func (ReconnectStorm) CutsStreams() bool { return true }

// stormForm may be empty: {}.
type stormForm struct {
	spot
	Away   duration `yaml:"away"`
	Within duration `yaml:"within"`
}

// storm resolves the kind of that name.
func (r *resolver) storm(form *faultForm, f *Fault) {
	s := &form.ReconnectStorm
	r.checkFaultTime(&s.Within)
	r.checkFaultTime(&s.Away)
	effect := ReconnectStorm{Away: s.Away.or(defaultAway), Within: s.Within.or(0)}
	f.Effect, f.For = effect, effect.Away+effect.Within
}
