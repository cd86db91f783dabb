package report

import "time"

// summaryFaultReport is what summary.json says of a fault. Times are in ms after the barrier.
type summaryFaultReport struct {
	Name      string            `json:"name"`
	Kind      string            `json:"kind"`
	Backend   string            `json:"backend"`
	Whom      string            `json:"whom,omitempty"`
	Turns     []summaryTurn     `json:"turns"`
	Clients   int               `json:"clients"`
	Decisions uint64            `json:"decisions"`
	Digest    string            `json:"digest,omitempty"`
	During    *summaryAftermath `json:"during"` // null = it has no window
	After     *summaryAftermath `json:"after"`  // null = the load ended with it
	Recovery  *summaryRecovery  `json:"recovery"`
}

type summaryTurn struct {
	From float64 `json:"from"`
	To   float64 `json:"to"`
}

type summaryAftermath struct {
	Reach     *float64 `json:"reach"` // null = nothing was expected
	Lost      int64    `json:"lost"`
	Order     Verdict  `json:"order"`
	Divergent int      `json:"divergent"`
	AtRisk    int      `json:"atRisk"`
	FIFO      int      `json:"fifoViolations"`
	Reason    string   `json:"reason,omitempty"` // why the order is unknown
}

type summaryRecovery struct {
	Longest *float64 `json:"longest"` // ms; null = nothing is known
	Open    int64    `json:"open"`    // times at which that is a lower bound
	Unseen  int64    `json:"unseen"`  // times behind which there was too little to see
}

func (r *Report) summaryFaults() []summaryFaultReport {
	list := []summaryFaultReport{}
	for _, f := range r.faultReports() {
		s := summaryFaultReport{
			Name: f.Name, Kind: f.Kind, Backend: f.Backend, Whom: f.Whom, Clients: f.Clients, Decisions: f.Decisions, Digest: f.Digest,
			Turns: []summaryTurn{}, During: f.During.summary(), After: f.After.summary(),
		}
		for _, turn := range f.Turns {
			s.Turns = append(s.Turns, summaryTurn{ms(float64(time.Duration(turn.From))), ms(float64(time.Duration(turn.To)))})
		}
		if m := f.Recovery; m != nil {
			s.Recovery = &summaryRecovery{Open: m.Open, Unseen: m.Unseen}
			if longest, ok := m.Aggregate("max"); ok {
				s.Recovery.Longest = &longest.Value
			}
		}
		list = append(list, s)
	}
	return list
}

func (a *Aftermath) summary() *summaryAftermath {
	if !a.Known {
		return nil
	}
	s := &summaryAftermath{Lost: a.Lost, Order: a.Order, Divergent: a.Divergent, AtRisk: a.AtRisk, FIFO: a.FIFO, Reason: a.Doubt}
	if a.Measured {
		s.Reach = &a.Reach.Value
	}
	return s
}
