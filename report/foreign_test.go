package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"holobench/history"
	"holobench/ordering"
	"holobench/wire"
)

// foreign notes the arrival of an event that no command caused.
func (b *book) foreign(client uint32, name string, at int64) {
	b.add(history.Observation{
		Kind: history.Foreign, Client: client, Conn: 1, Path: history.SSE, Event: wire.ForeignEvent("lobby", []byte(name)),
		Channel: b.names.Number("lobby"), NotBefore: at * msec, At: at * msec, Handled: at * msec,
	})
}

// passive is what three clients saw of two events that a server made by itself: one saw them the other way round, one missed the
// second, and one got the first twice.
func passive() *book {
	b := newBook()
	b.run.Groups = []history.Group{{Name: "members", Count: 3}}
	for client := range uint32(3) {
		b.subscribe(client, "lobby", 900)
	}
	b.foreign(0, "one", 3000)
	b.foreign(0, "two", 3010)
	b.foreign(1, "two", 3002)
	b.foreign(1, "one", 3005)
	b.foreign(1, "one", 3006)
	b.foreign(2, "one", 3001)
	return b
}

// TestForeignEvents: they have an order, and come twice; nobody can say how late they were, nor, unless the server promises that
// all go to all, who should have got them.
func TestForeignEvents(t *testing.T) {
	t.Parallel()
	b := passive()
	r := b.report(t)
	if r.Foreign != 6 || r.ForeignEvents != 2 || r.Events != 0 || r.Deliveries != 0 {
		t.Errorf("%d deliveries of %d foreign events, %d of %d others", r.Foreign, r.ForeignEvents, r.Deliveries, r.Events)
	}
	if o := r.Order.Overall; o.ObserverObserver != (ordering.Pairs{AtRisk: 1, Divergent: 1}) || o.FIFO != (ordering.FIFO{}) {
		t.Errorf("order: %+v", o)
	}
	if lost, twice := r.total(EventsLost), r.total(EventsDuplicated); lost != 0 || twice != 1 {
		t.Errorf("%d lost, %d twice", lost, twice)
	}
	if m := r.find(SSEEvents, nil); m == nil || m.Values[0].Value != 6 {
		t.Errorf("events by streams: %+v", m)
	}
	if lost, twice := r.find(EventsLost, nil), r.find(EventsDuplicated, nil); lost.Count != 0 || twice.Count != 2 {
		t.Errorf("%d events stand behind what was lost, %d behind what came twice", lost.Count, twice.Count)
	}
	if m := r.find(FanoutLatency, nil); m != nil && m.Count > 0 {
		t.Errorf("there is a latency of %d deliveries, and nobody asked for any", m.Count)
	}
	if got, want := r.Sentence(), "3 clients saw 6 deliveries of 2 events in 1 channel, 0.6 a second over 10 s; 1 delivery came twice or more."; got != want {
		t.Errorf("it says\n%s\nand not\n%s", got, want)
	}
	for _, c := range r.Checks {
		if !c.Agree {
			t.Errorf("the counts of %s do not agree: %+v", c.Name, c)
		}
	}
	name := eventName(wire.ForeignEvent("lobby", []byte("one")), 0)
	page, err := r.HTML()
	if err != nil || !strings.Contains(string(page), name) {
		t.Errorf("the page does not name %s: %v", name, err)
	}
	if !bytes.Contains(page, []byte("6 deliveries of 2 events that no command of this run is known to have caused")) {
		t.Error("the page does not say that they are foreign")
	}

	b.run.Promises = map[string]string{"self_echo": "sse", "broadcast": "per channel"}
	if r = b.report(t); r.total(EventsLost) != 1 || r.find(EventsLost, nil).Count != 2 {
		t.Errorf("where all go to all, %d are lost, and it is one", r.total(EventsLost))
	}
	for _, p := range r.Promises {
		if p.Name == "broadcast" && (p.State != Broken || p.Seen != "1 delivery did not come of 6 to subscribers of its channel") {
			t.Errorf("the promise: %+v", p)
		}
	}
}

// TestWhatAStreamSaysOfItself: events that no rule of a protocol file knows are told by their names, and so is what a stream is
// found to lack; what a sender was promised not to hear is looked for.
func TestWhatAStreamSaysOfItself(t *testing.T) {
	t.Parallel()
	b := fewClients()
	b.run.Promises = map[string]string{"self_echo": ""}
	b.run.Met = []string{"blue", "green"}
	b.run.Scenario.Protocol = &history.Protocol{File: "chat.yaml", Text: "version: 1\n# <b>\n"}
	for range 3 {
		b.add(history.Observation{Kind: history.Alien, Client: 1, Conn: 1, At: 2020 * msec, Err: uint16(b.names.Number(`unknown event "typing"`))})
	}
	b.add(history.Observation{Kind: history.Heartbeat, Client: 1, Conn: 1, At: 2020 * msec})
	b.add(history.Observation{Kind: history.Heartbeat, Client: 1, Conn: 1, At: 2020 * msec, Err: uint16(b.names.Number("the server's numbers have a gap"))})
	r := b.report(t)
	text := console(t, r, false)
	for _, want := range []string{`alien: unknown event "typing"`, "stream: the server's numbers have a gap"} {
		if !strings.Contains(text, want) {
			t.Errorf("the console does not say %q:\n%s", want, text)
		}
	}
	if len(r.Troubles) != 2 || r.Troubles[0].Count != 3 || r.Troubles[1].Count != 1 {
		t.Errorf("what went wrong: %+v", r.Troubles)
	}
	page, err := r.HTML()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"among the clients of one node", "Protocol chat.yaml", "# &lt;b&gt;"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	found := false
	for _, p := range r.Promises {
		if p.Name == "self_echo" {
			found = p.State == Broken && p.Promised == "none" && p.Seen == "1 event came back to their publishers"
		}
	}
	if !found {
		t.Errorf("the sender heard of its own event: %+v", r.Promises)
	}
}

// TestForeignEventsBehindAQueue: they are held back as others are, and have no latency there either.
func TestForeignEventsBehindAQueue(t *testing.T) {
	t.Parallel()
	b := passive()
	AsIf(&b.run, 100*time.Millisecond, false)
	r := b.report(t)
	if hold, late := r.find(ResequenceHold, nil), r.find(ResequencedLatency, nil); hold.Count != 5 || hold.Events != 2 || late != nil && late.Count != 0 {
		t.Errorf("%d of %d events were handed on, want 5 of 2; their latency is %+v, and nobody knows it", hold.Count, hold.Events, late)
	}
}

// TestForeignEventsByGroup: groups that only look on are laid side by side by what they saw.
func TestForeignEventsByGroup(t *testing.T) {
	t.Parallel()
	b := passive()
	b.run.Groups = []history.Group{{Name: "one", Count: 2}, {Name: "two", First: 2, Count: 1}}
	text := console(t, b.report(t), false)
	says(t, "the console", text, "GROUPS  order, whole run", "one (2 clients)")
	if strings.Contains(text, "GROUPS  times") {
		t.Errorf("there are no times of anybody:\n%s", text)
	}
}

// TestWhoLooksOnAndSeesNothing: no figure of what nobody did stands there, and it is said plainly that nothing came, or that what came
// has no name.
func TestWhoLooksOnAndSeesNothing(t *testing.T) {
	t.Parallel()
	b := newBook()
	b.run.Groups = []history.Group{{Name: "members", Count: 3}}
	for client := range uint32(3) {
		b.subscribe(client, "lobby", 900)
	}
	r := b.report(t)
	if got, want := r.Sentence(), "3 clients looked on for 10 s; no event came."; got != want {
		t.Errorf("it says\n%s\nand not\n%s", got, want)
	}
	text := console(t, r, false)
	says(t, "the console", text, "clients.................................: 3")
	for what, text := range map[string]string{"the console": text, "the page": onPage(t, r)} {
		for _, not := range []string{"no data", HTTPReqs, SSEEvents, EventsLost, "expected by the subscriptions"} {
			if strings.Contains(text, not) {
				t.Errorf("%s says %q:\n%s", what, not, text)
			}
		}
	}
	for range 2 {
		b.add(history.Observation{Kind: history.Alien, Client: 1, Conn: 1, At: 2020 * msec, Err: uint16(b.names.Number("an event without a name"))})
	}
	if got, want := b.report(t).Sentence(), "3 clients looked on for 10 s; 2 events came, but none with a name by which it is told from others."; got != want {
		t.Errorf("it says\n%s\nand not\n%s", got, want)
	}
}

// TestNobodyClaimsForeignEvents: beside events of the run's own, nothing is said of the loss of others, whom nobody knows who should get.
func TestNobodyClaimsForeignEvents(t *testing.T) {
	t.Parallel()
	b := fewClients()
	b.foreign(0, "one", 3000)
	r := b.report(t)
	if got := r.Sentence(); !strings.HasSuffix(got, "; nothing that this run sent was lost, and nothing came twice.") {
		t.Errorf("it says %s", got)
	}
	says(t, "the console", console(t, r, false), "3 more are indeterminate: their clients came or went meanwhile, or no command caused their events, and nobody knows who should get those")
}
