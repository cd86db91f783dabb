package scenarios

import "time"

// Disconnection ends the streams of clients, as a phone does that loses its network; each opens its stream again, with what it needs
// to go on where it was, when it has been away for a while. Commands are posted all the time.
type Disconnection struct {
	Within time.Duration // the moments at which they leave are drawn from this time on, each as likely; 0 = all at once
	Away   Amount        // ns, drawn for each of them
}

// CutsStreams implements Effect.
func (Disconnection) CutsStreams() bool { return true }

// disconnectForm may be empty: {}.
type disconnectForm struct {
	spot
	Within duration   `yaml:"within"`
	Away   amountForm `yaml:"away"`
}

// disconnection resolves the kind of that name.
func (r *resolver) disconnection(form *faultForm, f *Fault) {
	d := &form.Disconnect
	r.checkFaultTime(&d.Within)
	effect := Disconnection{Within: d.Within.or(0), Away: r.amount(&d.Away, durations(maxFault), Exactly(float64(defaultAway)))}
	f.Effect, f.For = effect, effect.Within+nearlyMost(effect.Away)
}
