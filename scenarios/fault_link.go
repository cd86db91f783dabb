package scenarios

import (
	"strconv"
	"time"
)

// LinkFault is what happens to what is on its way between clients and server: an Effect that the connections of the clients
// carry out. Which fields a kind has, and what they mean, is the manual of faults, docs/faults.md; the others are zero.
type LinkFault struct {
	Kind string // its key: "delay", "bandwidth", ...

	By       Amount        // ns; delay, slow_close, accept_delay, http_delay: how much later
	Jitter   Amount        // ns; delay: of each message of a socket
	Hold     time.Duration // delay: how long a path keeps one delay; stall: how long it is frozen; buffer: how long it keeps what comes
	Rate     float64       // bandwidth, slow_reader: bytes a second; loss: the share of packets, from 0 to 1
	Bytes    int           // slice: of a part; stall, reset, close: that go through first; limit_data: of a connection; buffer: that it keeps; bandwidth: of a burst; slow_reader: of the receive buffer
	Gap      time.Duration // slice: between two parts
	Within   time.Duration // reset, close: over how long they are spread
	Timeout  time.Duration // loss: until the first retransmission
	Share    float64       // refuse, http_abort, http_delay, and the faults on messages: of those that are hit, drawn for each; 0 = see Nth, and without it all
	Nth      int           // faults on messages: each so many-th
	Distance int           // reorder: how many events overtake it
	Status   int           // http_abort
	Method   string        // http_abort, http_delay: only requests of that method; "" = all
}

// CutsStreams implements Effect.
func (l LinkFault) CutsStreams() bool {
	switch l.Kind {
	case "reset", "close", "slow_close", "limit_data", "half_open":
		return true
	}
	return false
}

// onMessages says whether it is about messages, which are events unless it is asked for replies: a command whose reply never comes holds
// its client up for as long as it waits.
func (l LinkFault) onMessages() bool {
	switch l.Kind {
	case "drop", "duplicate", "reorder", "corrupt", "truncate", "buffer", "heartbeat_loss":
		return true
	}
	return false
}

// LosesEvents says whether events that the server sent do not reach a client whose stream goes on.
func (l LinkFault) LosesEvents() bool {
	switch l.Kind {
	case "drop", "corrupt", "truncate":
		return true
	}
	return false
}

const (
	maxThroughput = 1 << 40 // bytes a second
	maxDistance   = 1000    // events; chaos's own limit
)

// linkKinds are the kinds of fault_link.go, in the order of the manual.
func (r *resolver) linkKinds(form *faultForm) []faultKind {
	lasts, rises := []string{"for"}, []string{"for", "ramp"}
	return []faultKind{
		{"delay", &form.Delay.spot, rises, r.delayFault},
		{"bandwidth", &form.Bandwidth.spot, lasts, r.bandwidthFault},
		{"slice", &form.Slice.spot, lasts, r.sliceFault},
		{"stall", &form.Stall.spot, lasts, r.stallFault},
		{"loss", &form.Loss.spot, rises, r.lossFault},
		{"half_open", &form.HalfOpen.spot, lasts, bare("half_open")},
		{"reset", &form.Reset.spot, lasts, r.resetFault},
		{"close", &form.Close.spot, lasts, r.closeFault},
		{"slow_close", &form.SlowClose.spot, lasts, r.slowCloseFault},
		{"limit_data", &form.LimitData.spot, lasts, r.limitDataFault},
		{"slow_reader", &form.SlowReader.spot, lasts, r.slowReaderFault},
		{"refuse", &form.Refuse.spot, rises, r.refuseFault},
		{"accept_delay", &form.AcceptDelay.spot, rises, r.acceptDelayFault},
		{"http_abort", &form.HTTPAbort.spot, rises, r.httpAbortFault},
		{"http_delay", &form.HTTPDelay.spot, rises, r.httpDelayFault},
		{"drop", &form.Drop.spot, rises, r.pickFault("drop", func(f *faultForm) *pickForm { return &f.Drop })},
		{"duplicate", &form.Duplicate.spot, rises, r.pickFault("duplicate", func(f *faultForm) *pickForm { return &f.Duplicate })},
		{"reorder", &form.Reorder.spot, rises, r.reorderFault},
		{"corrupt", &form.Corrupt.spot, rises, r.pickFault("corrupt", func(f *faultForm) *pickForm { return &f.Corrupt })},
		{"truncate", &form.Truncate.spot, rises, r.pickFault("truncate", func(f *faultForm) *pickForm { return &f.Truncate })},
		{"buffer", &form.Buffer.spot, lasts, r.bufferFault},
		{"heartbeat_loss", &form.HeartbeatLoss.spot, lasts, bare("heartbeat_loss")},
	}
}

// bare reads a kind that has no keys.
func bare(kind string) func(*faultForm, *Fault) {
	return func(_ *faultForm, f *Fault) { f.Effect = LinkFault{Kind: kind} }
}

func (r *resolver) delayFault(form *faultForm, f *Fault) {
	d := &form.Delay
	by := d.By
	if d.one.given() {
		by = amountForm{spot: d.spot, one: d.one}
	} else {
		r.require(&d.By.spot, &d.spot, "by", "say how much later: delay: 50ms, or {by: {p50: 40ms, p99: 200ms}, jitter: 2ms}")
	}
	r.checkFaultTime(&d.Hold)
	f.Effect = LinkFault{
		Kind: "delay", By: r.amount(&by, durations(maxFault), Amount{}), Jitter: r.amount(&d.Jitter, durations(maxFault), Amount{}), Hold: d.Hold.or(0),
	}
}

func (r *resolver) bandwidthFault(form *faultForm, f *Fault) {
	b := &form.Bandwidth
	r.require(&b.Rate.spot, &b.spot, "rate", "say how much goes through: {rate: 64KiB/s}")
	f.Effect = LinkFault{Kind: "bandwidth", Rate: r.throughput(&b.Rate), Bytes: b.Burst.or(0)}
}

func (r *resolver) sliceFault(form *faultForm, f *Fault) {
	s := &form.Slice
	r.require(&s.Size.spot, &s.spot, "size", "say how long a part is: {size: 7B, gap: 5ms}")
	r.checkFaultTime(&s.Gap)
	f.Effect = LinkFault{Kind: "slice", Bytes: r.someBytes(&s.Size), Gap: s.Gap.or(0)}
}

func (r *resolver) stallFault(form *faultForm, f *Fault) {
	s := &form.Stall
	r.checkFaultTime(&s.Hold)
	f.Effect = LinkFault{Kind: "stall", Bytes: s.After.or(0), Hold: s.Hold.or(0)}
}

func (r *resolver) lossFault(form *faultForm, f *Fault) {
	l := &form.Loss
	r.require(&l.Rate.spot, &l.spot, "rate", "say how many packets are lost: {rate: 1%}")
	r.checkFaultTime(&l.Timeout)
	if l.Rate.usable() && l.Rate.v == 0 {
		r.add(l.Rate.at, l.Rate.path+": no packet is lost", "write a share above 0%, or leave the fault out")
	}
	f.Effect = LinkFault{Kind: "loss", Rate: l.Rate.or(0), Timeout: l.Timeout.or(0)}
}

func (r *resolver) resetFault(form *faultForm, f *Fault) {
	r.checkFaultTime(&form.Reset.Within)
	f.Effect = LinkFault{Kind: "reset", Within: form.Reset.Within.or(0), Bytes: form.Reset.After.or(0)}
}

func (r *resolver) closeFault(form *faultForm, f *Fault) {
	r.checkFaultTime(&form.Close.Within)
	f.Effect = LinkFault{Kind: "close", Within: form.Close.Within.or(0), Bytes: form.Close.After.or(0)}
}

func (r *resolver) slowCloseFault(form *faultForm, f *Fault) {
	s := &form.SlowClose
	r.require(&s.By.spot, &s.spot, "by", "say how much later an end is seen: {by: 2s}")
	f.Effect = LinkFault{Kind: "slow_close", By: r.amount(&s.By, durations(maxFault), Amount{})}
}

func (r *resolver) limitDataFault(form *faultForm, f *Fault) {
	l := &form.LimitData
	r.require(&l.Bytes.spot, &l.spot, "bytes", "say how much a connection carries: {bytes: 4KiB}")
	f.Effect = LinkFault{Kind: "limit_data", Bytes: r.someBytes(&l.Bytes)}
}

func (r *resolver) slowReaderFault(form *faultForm, f *Fault) {
	s := &form.SlowReader
	r.require(&s.Rate.spot, &s.spot, "rate", "say how fast they read: {rate: 1KiB/s}")
	f.Effect = LinkFault{Kind: "slow_reader", Rate: r.throughput(&s.Rate), Bytes: s.ReceiveBuffer.or(0)}
}

func (r *resolver) refuseFault(form *faultForm, f *Fault) {
	f.Effect = LinkFault{Kind: "refuse", Share: r.drawnShare(&form.Refuse.Share)}
}

func (r *resolver) acceptDelayFault(form *faultForm, f *Fault) {
	a := &form.AcceptDelay
	r.require(&a.By.spot, &a.spot, "by", "say how much later a connection is there: {by: 300ms}")
	f.Effect = LinkFault{Kind: "accept_delay", By: r.amount(&a.By, durations(maxFault), Amount{})}
}

func (r *resolver) httpAbortFault(form *faultForm, f *Fault) {
	a := &form.HTTPAbort
	r.require(&a.Status.spot, &a.spot, "status", "say what is answered in the server's place: {status: 503}")
	if a.Status.usable() && (a.Status.v < 200 || a.Status.v > 599) {
		r.add(a.Status.at, a.Status.path+": "+strconv.FormatUint(a.Status.v, 10)+" is no status of an answer", "write one from 200 to 599, such as 503")
	}
	f.Effect = LinkFault{Kind: "http_abort", Status: int(min(a.Status.or(0), 999)), Method: r.method(&a.Method), Share: r.drawnShare(&a.Share)} //nolint:gosec // bounded
}

func (r *resolver) httpDelayFault(form *faultForm, f *Fault) {
	d := &form.HTTPDelay
	r.require(&d.By.spot, &d.spot, "by", "say how much later a request goes on: {by: 200ms}")
	f.Effect = LinkFault{Kind: "http_delay", By: r.amount(&d.By, durations(maxFault), Amount{}), Method: r.method(&d.Method), Share: r.drawnShare(&d.Share)}
}

// pickFault reads a kind that has nothing but what it picks.
func (r *resolver) pickFault(kind string, of func(*faultForm) *pickForm) func(*faultForm, *Fault) {
	return func(form *faultForm, f *Fault) {
		p := of(form)
		f.Effect = r.picked(LinkFault{Kind: kind}, &p.spot, &p.Share, &p.Nth)
	}
}

func (r *resolver) reorderFault(form *faultForm, f *Fault) {
	o := &form.Reorder
	distance := r.upTo(&o.Distance, 1, maxDistance, "an event can be overtaken by")
	f.Effect = r.picked(LinkFault{Kind: "reorder", Distance: int(distance)}, &o.spot, &o.Share, &o.Nth) //nolint:gosec // within its limits
}

func (r *resolver) bufferFault(form *faultForm, f *Fault) {
	b := &form.Buffer
	r.checkFaultTime(&b.For)
	if !b.broken && b.given() && !b.Bytes.given() && !b.For.given() {
		r.add(b.at, b.path+": it would keep nothing back", "say until when it keeps what comes: {bytes: 4KiB}, {for: 2s}, or both")
	}
	f.Effect = LinkFault{Kind: "buffer", Bytes: b.Bytes.or(0), Hold: b.For.or(0)}
}

// picked adds what is picked: a share, each n-th, or all.
func (r *resolver) picked(l LinkFault, at *spot, of *share, nth *integer) LinkFault {
	if of.given() && nth.given() {
		r.add(nth.at, at.path+": nth stands beside share", "keep one of the two: a share is drawn, each n-th is counted")
	}
	l.Share = r.drawnShare(of)
	l.Nth = int(r.upTo(nth, 0, 1_000_000_000, "each n-th can be from")) //nolint:gosec // within its limits
	return l
}

// drawnShare is a share of what is hit; 0 = all.
func (r *resolver) drawnShare(form *share) float64 {
	if form.usable() && form.v == 0 {
		r.add(form.at, form.path+": a fault that hits nothing is none", "write a share above 0%, or leave the fault out")
	}
	return form.or(0)
}

// method is that of a request.
func (r *resolver) method(form *text) string {
	return r.oneOf(form, "", []string{"GET", "POST", "PUT", "PATCH", "DELETE"})
}

// throughput is more than nothing.
func (r *resolver) throughput(form *throughput) float64 {
	if form.usable() && (form.v == 0 || form.v > maxThroughput) {
		r.add(form.at, form.path+": that is nothing, or more than the limit of 1 TiB/s", "write how much goes through, for example 64KiB/s; for nothing at all there is stall")
	}
	return form.or(0)
}

// someBytes is at least one.
func (r *resolver) someBytes(form *size) int {
	if form.usable() && form.v == 0 {
		r.add(form.at, form.path+": no bytes are no part", "write at least 1B")
	}
	return form.or(1)
}
