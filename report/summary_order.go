package report

import (
	"encoding/json"
	"fmt"
	"io"

	"holobench/history"
	"holobench/ordering"
)

// summaryOrder is what summary.json says of order. Times of witnesses are in ns since the epoch of the run, as in the history;
// all other times are in ms.
type summaryOrder struct {
	PairWindow  float64          `json:"pairWindow"` // ms; pairs due at most this far apart are compared
	TieBelow    float64          `json:"tieBelow"`   // ms; closer than this, deliveries on two sockets give no order; 0 = only where their intervals touch
	MixedClient int              `json:"clientsOnTwoSockets"`
	Noise       *summaryNoise    `json:"noise"`      // null = not measured
	Known       summaryKnown     `json:"knownFirst"` // commands, by who knew of their event first
	Copies      summaryCopies    `json:"copies"`
	Away        []summaryAbsence `json:"away"` // clients that were away, the first of them: who missed most
	Overall     summaryFigures   `json:"overall"`
	Windows     []summaryFigures `json:"windows"`
	Channels    []summaryFigures `json:"channels"`
	Bins        []summaryBin     `json:"bins"`
	Witnesses   []summaryWitness `json:"witnesses"`
}

type summaryCopies struct {
	OneSocket int `json:"oneConnection"`
	Reconnect int `json:"reconnect"`
	TwoWays   int `json:"replyAndStream"`
}

type summaryNoise struct {
	Pairs         int     `json:"pairs"`
	Wrong         int     `json:"wrong"`
	Tied          int     `json:"tied"`
	Floor         float64 `json:"floor"` // ms
	WrongByKernel int     `json:"wrongByKernelStamp"`
	WrongByUser   int     `json:"wrongByUserStamp"`
}

type summaryFigures struct {
	Name               string         `json:"name,omitempty"`
	Events             int            `json:"events"`
	EventsTouched      int            `json:"eventsTouched"`
	All                summaryPairs   `json:"all"`
	OriginatorObserver summaryPairs   `json:"originatorObserver"`
	ObserverObserver   summaryPairs   `json:"observerObserver"`
	SameNode           summaryPairs   `json:"sameNode"` // by clients of one node of the target
	Inversions         int            `json:"inversions"`
	TiedViews          int            `json:"tiedViews"`
	ByPaths            map[string]int `json:"divergentByPath"`
	FIFO               summaryFIFO    `json:"fifo"`
	BeyondDivergent    int            `json:"divergentFurtherApart"`
	BeyondFIFO         int            `json:"fifoViolationsFurtherApart"`
}

type summaryPairs struct {
	Divergent int `json:"divergent"`
	AtRisk    int `json:"atRisk"`
	Tied      int `json:"tied"`
}

type summaryFIFO struct {
	Pairs      int `json:"pairs"`
	Violations int `json:"violations"`
	Views      int `json:"views"` // (pair, client)
	InFlight   int `json:"inFlight"`
	Concurrent int `json:"concurrent"`
	OtherNode  int `json:"violationsOfTwoNodes"`
}

type summaryBin struct {
	From float64 `json:"from"` // ms
	To   float64 `json:"to"`

	All                summaryPairs `json:"all"`
	OriginatorObserver summaryPairs `json:"originatorObserver"`
	ObserverObserver   summaryPairs `json:"observerObserver"`
}

type summaryWitness struct {
	Class   string       `json:"class"`
	Rank    int          `json:"rank"` // 1 = the largest margin of its class
	Of      int          `json:"of"`
	Channel string       `json:"channel"`
	Margin  int64        `json:"marginNs"`
	A       summaryEvent `json:"a"`
	B       summaryEvent `json:"b"`
	First   summaryView  `json:"first"`  // saw a before b
	Second  summaryView  `json:"second"` // saw b before a
}

type summaryEvent struct {
	Publisher uint32 `json:"publisher"`
	Seq       uint32 `json:"seq"`
	Part      uint32 `json:"part,omitempty"`
	Load      string `json:"load,omitempty"`
	Due       int64  `json:"dueNs"`
	Sent      int64  `json:"sentNs,omitempty"`
	Replied   int64  `json:"repliedNs,omitempty"`
	Payload   string `json:"payload"` // without its filler

	PayloadBytes int `json:"payloadBytes,omitempty"` // with it; 0 = not on record

	Dispatched []summaryDispatch `json:"dispatched"`
}

type summaryDispatch struct {
	Node     uint16 `json:"node"`
	Sequence uint64 `json:"sequence"`
	At       int64  `json:"atNs"`
}

type summaryView struct {
	Client     uint32          `json:"client"`
	Originator bool            `json:"originator"`
	OneSocket  bool            `json:"oneSocket"` // the order of bytes decided, not the stamps
	Margin     int64           `json:"marginNs"`
	Earlier    summaryDelivery `json:"earlier"`
	Later      summaryDelivery `json:"later"`
}

type summaryDelivery struct {
	Path      string `json:"path"`
	Conn      uint32 `json:"conn"`
	NotBefore int64  `json:"notBeforeNs"`
	At        int64  `json:"atNs"`
	Handled   int64  `json:"handledNs"`
}

type summaryGuarantee struct {
	Name    string  `json:"name"`
	Among   string  `json:"among,omitempty"`
	Verdict Verdict `json:"verdict"`
	Broken  int64   `json:"broken"`
	Of      int64   `json:"of"`
	AtLeast int     `json:"atRiskAtLeast"`
	Reason  string  `json:"reason,omitempty"`
}

type summaryPromise struct {
	Name     string `json:"name"`
	Promised string `json:"promised,omitempty"`
	State    State  `json:"state"`
	Seen     string `json:"seen"`
}

func (r *Report) summaryOrder() summaryOrder {
	o := &r.Order
	s := summaryOrder{
		PairWindow: ms(float64(o.Window)), TieBelow: ms(float64(o.TieBelow)), MixedClient: o.Mixed, Known: r.summaryKnown(), Copies: summaryCopies(o.Copies), Away: r.summaryAbsences(), Overall: summariseFigures("", &o.Overall),
		Windows: []summaryFigures{}, Channels: []summaryFigures{}, Bins: []summaryBin{}, Witnesses: []summaryWitness{},
	}
	if n := r.Run.Noise; n != nil {
		s.Noise = &summaryNoise{n.Pairs, n.Wrong, n.Tied, ms(float64(n.Floor)), n.WrongByKernel, n.WrongByUser}
	}
	for i := range o.Windows {
		s.Windows = append(s.Windows, summariseFigures(o.Windows[i].Name, &o.Windows[i].Figures))
	}
	for i := range o.Channels {
		s.Channels = append(s.Channels, summariseFigures(r.names.Name(o.Channels[i].Channel), &o.Channels[i].Figures))
	}
	for _, b := range o.Bins {
		s.Bins = append(s.Bins, summaryBin{
			From: ms(float64(b.From)), To: ms(float64(b.To)), All: summarisePairs(b.All),
			OriginatorObserver: summarisePairs(b.OriginatorObserver), ObserverObserver: summarisePairs(b.ObserverObserver),
		})
	}
	for i := range o.Witnesses {
		s.Witnesses = append(s.Witnesses, r.summariseWitness(&o.Witnesses[i]))
	}
	return s
}

func summarisePairs(p ordering.Pairs) summaryPairs {
	return summaryPairs{p.Divergent, p.AtRisk, p.Tied}
}

func summariseFigures(name string, f *ordering.Figures) summaryFigures {
	s := summaryFigures{
		Name: name, Events: f.Events, EventsTouched: f.Touched, All: summarisePairs(f.All),
		OriginatorObserver: summarisePairs(f.OriginatorObserver), ObserverObserver: summarisePairs(f.ObserverObserver),
		SameNode: summarisePairs(f.SameNode), Inversions: f.Inversions, TiedViews: f.TiedViews, ByPaths: make(map[string]int, len(f.ByPaths)), FIFO: summaryFIFO(f.FIFO),
		BeyondDivergent: f.Beyond.Divergent, BeyondFIFO: f.Beyond.FIFOViolations,
	}
	for _, p := range f.ByPaths {
		s.ByPaths[p.Paths.String()] = p.Divergent
	}
	return s
}

func (r *Report) summariseWitness(w *ordering.Witness) summaryWitness {
	return summaryWitness{
		Class: w.Class.String(), Rank: w.Rank, Of: w.Of, Channel: r.names.Name(w.Channel), Margin: int64(w.Margin),
		A: r.summariseEvent(&w.A), B: r.summariseEvent(&w.B), First: summariseView(&w.First), Second: summariseView(&w.Second),
	}
}

func (r *Report) summariseEvent(e *ordering.Event) summaryEvent {
	payload, size := r.payload(e)
	if e.ID.Foreign() {
		payload = "" // it is no command of ours
	}
	s := summaryEvent{
		Publisher: e.ID.Publisher, Seq: e.ID.Seq, Part: e.Part, Due: e.Due, Sent: e.Sent, Replied: e.Replied,
		Payload: payload, PayloadBytes: size, Dispatched: []summaryDispatch{},
	}
	if load := r.loadOf(e); load != nil {
		s.Load = load.Name
	}
	for _, d := range e.Dispatched {
		s.Dispatched = append(s.Dispatched, summaryDispatch{Node: d.Node, Sequence: d.Sequence, At: d.At})
	}
	return s
}

func summariseView(v *ordering.View) summaryView {
	delivery := func(o *history.Observation) summaryDelivery {
		return summaryDelivery{o.Path.String(), o.Conn, o.NotBefore, o.At, o.Handled}
	}
	return summaryView{
		Client: v.Client, Originator: v.Originator, OneSocket: v.ByBytes, Margin: int64(v.Margin), Earlier: delivery(&v.Earlier), Later: delivery(&v.Later),
	}
}

func (r *Report) summaryGuarantees() []summaryGuarantee {
	list := []summaryGuarantee{}
	for _, g := range r.Demands {
		list = append(list, summaryGuarantee{g.Name, g.Among, g.Verdict, g.Broken, g.Of, g.AtRisk, g.Reason})
	}
	return list
}

func (r *Report) summaryPromises() []summaryPromise {
	list := []summaryPromise{}
	for _, p := range r.Promises {
		list = append(list, summaryPromise(p))
	}
	return list
}

// WitnessJSON writes what summary.json says of order, the witnesses among it, for a program. An error is one of w.
func (r *Report) WitnessJSON(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	if err := out.Encode(r.summaryOrder()); err != nil {
		return fmt.Errorf("print the witnesses: %w", err)
	}
	return nil
}
