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
