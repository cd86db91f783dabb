package scenarios

// Churn lets clients leave and come back as long as the fault is at work: at Rate one of those that are there leaves, each as likely,
// and opens its stream again after Away. Who is away at the end of the fault comes back then. Commands are posted all the time.
type Churn struct {
	Rate float64 // departures a second, of all clients together, evenly spaced; with a ramp it rises to that
	Away Amount  // ns, drawn for each departure
}

// CutsStreams implements Effect.
func (Churn) CutsStreams() bool { return true }

type churnForm struct {
	spot
	Rate rate       `yaml:"rate" scale:"yes"`
	Away amountForm `yaml:"away"`
}

// churn resolves the kind of that name.
func (r *resolver) churn(form *faultForm, f *Fault) {
	c := &form.Churn
	r.require(&c.Rate.spot, &c.spot, "rate", "say how many clients leave: {rate: 5/s, away: 1s..3s}")
	r.checkRate(&c.Rate, false)
	f.Effect = Churn{Rate: c.Rate.v, Away: r.amount(&c.Away, durations(maxFault), Exactly(float64(defaultAway)))}
}
