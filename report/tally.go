package report

import "holobench/history"

// Of whom a delivery is, seen from the client that got it.
const (
	own   = iota // the client published the event itself
	other        // somebody else did
	roles
)

// paths is the number of history.Path constants.
const paths = int(history.Browser) + 1

// byDelivery is a table with one entry for each kind of delivery.
type byDelivery[T any] [roles][paths]T

// tally is what one window holds. The zero value is empty.
type tally struct {
	latency byDelivery[Histogram] // due -> arrival of each delivery
	worst   byDelivery[Histogram] // of each event that has such a delivery, the latest one

	worstOwn, worstOther, worstAny Histogram // the same over all paths
	worstPath                      [paths]Histogram

	spread     Histogram // first -> last arrival of each event that reached two clients or more
	connecting Histogram
	publish    Histogram // the generator's lateness: its client was free -> write(2)
	queue      Histogram // due -> its client was free
	lag        Histogram // arrival -> the client's code saw it

	commands commands // of the clients
	floods   []commands

	streamed   int64 // deliveries by stream
	reconnects int64

	events        int64
	expected      int64
	reached       int64
	lost          int64
	duplicated    int64
	indeterminate int64
	delivered     int64
	stray         int64
}

// commands counts what became of the commands that were due in a window.
type commands struct {
	due         int64 // sent, refused or dropped
	sent        int64
	answered    int64 // replied, whatever the status
	failed      int64 // answered with an error, refused, or without an answer
	refused     int64
	dropped     int64 // not counting interrupted
	interrupted int64 // never sent because the run was interrupted
	duration    Histogram
}

// requests counts the commands whose outcome is known to be good or bad.
func (c *commands) requests() int64 { return c.answered + c.lostReplies() + c.refused }

func (c *commands) lostReplies() int64 { return c.failed - c.refused - c.rejected() }
