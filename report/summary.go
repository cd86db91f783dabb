package report

import (
	"encoding/json"
	"fmt"
	"time"

	"holobench/history"
)

// summaryVersion is the layout of summary.json.
const summaryVersion = 1

// summary is summary.json. Its shape follows k6's summary.
type summary struct {
	Version  int             `json:"version"`
	Metadata summaryMetadata `json:"metadata"`
	Config   summaryConfig   `json:"config"`
	Verdict  summaryVerdict  `json:"verdict"`
	Counts   []summaryCheck  `json:"counts"`
	Ordering summaryOrder    `json:"ordering"`
	Results  summaryResults  `json:"results"`
	Health   []summaryHealth `json:"generator"`
	Troubles []summaryFault  `json:"troubles"`
	Warnings []string        `json:"warnings"`
	Notes    []string        `json:"notes"`

	Cures       *summaryCures        `json:"cures,omitempty"`       // that clients took
	Faults      []summaryFaultReport `json:"faults,omitempty"`      // that were injected
	Convergence *history.Convergence `json:"convergence,omitempty"` // of the views that clients fetched at the end
	Documents   []history.Document   `json:"documents,omitempty"`   // of the replicas that they keep
}

type summaryMetadata struct {
	GeneratedAt      time.Time `json:"generatedAt"` // the end of the run, so that the same history gives the same bytes
	HolobenchVersion string    `json:"holobenchVersion"`
}

type summaryConfig struct {
	Name     string           `json:"name"`
	Seed     uint64           `json:"seed"`
	Scenario string           `json:"scenario"`
	Subject  string           `json:"subject"`
	Design   string           `json:"design,omitempty"`
	Machine  history.Machine  `json:"machine"`
	Groups   []history.Group  `json:"clients"`
	Loads    []history.Load   `json:"load"`
	Windows  []history.Window `json:"windows"`
}

type summaryVerdict struct {
	Outcome  string          `json:"outcome"` // PASSED, VIOLATED, UNKNOWN, ...
	Exit     int             `json:"exit"`
	Sentence string          `json:"sentence"`
	Order    string          `json:"order,omitempty"` // the sentence about order
	Ending   string          `json:"ending,omitempty"`
	Budgets  []summaryBudget `json:"budgets"`

	Guarantees []summaryGuarantee `json:"guarantees"`
	Promises   []summaryPromise   `json:"promises"`
}

type summaryBudget struct {
	Metric    string   `json:"metric"`
	Threshold string   `json:"threshold"`
	Verdict   Verdict  `json:"verdict"`
	Value     *float64 `json:"value,omitempty"` // left out when nothing was measured
	Bound     float64  `json:"bound"`
	Unit      string   `json:"unit,omitempty"`
	Reason    string   `json:"reason,omitempty"`
}

type summaryCheck struct {
	Name  string           `json:"name"`
	Agree bool             `json:"agree"`
	Sides map[string]int64 `json:"sides"`
	Note  string           `json:"note,omitempty"`
}

type summaryResults struct {
	Metrics []summaryMetric `json:"metrics"`
}

type summaryMetric struct {
	Name       string                      `json:"name"` // with its tags
	Type       string                      `json:"type"`
	Contains   string                      `json:"contains"`
	Unit       string                      `json:"unit"`
	Values     map[string]float64          `json:"values"`
	Thin       []string                    `json:"thin,omitempty"` // percentiles of which too few events are the tail
	Events     int64                       `json:"events,omitempty"`
	Negative   int64                       `json:"negative,omitempty"`
	Beyond     int64                       `json:"beyond,omitempty"`
	Histogram  string                      `json:"histogram,omitempty"` // of a trend: V2 compressed HdrHistogram, base64, in ns
	Thresholds map[string]summaryThreshold `json:"thresholds,omitempty"`
}

type summaryThreshold struct {
	OK      bool    `json:"ok"` // held; false also when it is unknown
	Verdict Verdict `json:"verdict"`
}

type summaryHealth struct {
	Name    string  `json:"name"`
	Mean    float64 `json:"mean"`
	Max     float64 `json:"max"`
	Samples int     `json:"samples"`
}

type summaryFault struct {
	Kind   string `json:"kind"`
	Reason string `json:"reason,omitempty"`
	Count  int64  `json:"count"`
}

// Summary is summary.json: all figures for a machine, with the histograms inside, so that two summaries can be merged and
// compared exactly. It holds nothing that the history does not.
func (r *Report) Summary() ([]byte, error) {
	word, _ := r.Headline()
	s := summary{
		Version:  summaryVersion,
		Metadata: summaryMetadata{GeneratedAt: r.Run.Started.Add(time.Duration(r.Run.End)).UTC(), HolobenchVersion: r.Run.Software.Holobench},
		Config: summaryConfig{
			Name: r.Run.Name, Seed: r.Run.Seed, Scenario: r.Run.Scenario.File, Subject: r.Subject(), Design: r.Run.Design, Machine: r.Run.Machine,
			Groups: some(r.Run.Groups), Loads: some(r.Run.Loads), Windows: some(r.Run.Windows),
		},
		Verdict:  summaryVerdict{Outcome: word, Exit: r.Exit(), Sentence: r.Sentence(), Order: r.OrderSentence(), Ending: r.Ending(), Budgets: []summaryBudget{}},
		Counts:   []summaryCheck{},
		Ordering: r.summaryOrder(),
		Results:  summaryResults{Metrics: []summaryMetric{}},
		Health:   []summaryHealth{},
		Troubles: []summaryFault{},
		Warnings: some(r.Warnings),
		Notes:    some(r.Notes),

		Cures: r.summaryCures(), Faults: r.summaryFaults(), Convergence: r.Run.Convergence, Documents: r.Run.Documents,
	}
	s.Verdict.Guarantees, s.Verdict.Promises = r.summaryGuarantees(), r.summaryPromises()
	for i := range r.Budgets {
		s.Verdict.Budgets = append(s.Verdict.Budgets, summarise(&r.Budgets[i]))
	}
	for _, c := range r.Checks {
		sides := make(map[string]int64, len(c.Sides))
		for _, side := range c.Sides {
			sides[side.Who] = side.Count
		}
		s.Counts = append(s.Counts, summaryCheck{Name: c.Name, Agree: c.Agree, Sides: sides, Note: c.Note})
	}
	for i := range r.Metrics {
		m, err := r.summaryMetric(&r.Metrics[i])
		if err != nil {
			return nil, fmt.Errorf("make %s: %w", SummaryFile, err)
		}
		s.Results.Metrics = append(s.Results.Metrics, m)
	}
	for _, c := range r.Health {
		s.Health = append(s.Health, summaryHealth(c))
	}
	for _, t := range r.Troubles {
		s.Troubles = append(s.Troubles, summaryFault(t))
	}
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", SummaryFile, err)
	}
	return append(data, '\n'), nil
}

func summarise(j *Judgement) summaryBudget {
	b := summaryBudget{Metric: j.Metric, Threshold: j.Threshold, Verdict: j.Verdict, Bound: j.Bound, Unit: j.Unit, Reason: j.Reason}
	if j.Measured {
		b.Value = &j.Value.Value
	}
	return b
}

func (r *Report) summaryMetric(m *Metric) (summaryMetric, error) {
	s := summaryMetric{
		Name: m.String(), Type: m.Type, Contains: m.Contains, Unit: m.Unit, Values: make(map[string]float64, len(m.Values)),
		Events: m.Events, Negative: m.Negative, Beyond: m.Beyond,
	}
	if m.all != nil {
		var err error
		if s.Histogram, err = m.all.Encode(); err != nil {
			return s, err
		}
	}
	for _, v := range m.Values {
		s.Values[v.Name] = v.Value
		if v.Thin {
			s.Thin = append(s.Thin, v.Name)
		}
	}
	for i := range r.Budgets {
		j := &r.Budgets[i]
		if b, err := readBudget(history.Budget{Metric: j.Metric, Threshold: j.Threshold}); err != nil || b.metric != m.Name || !m.sameTags(b.tags) {
			continue
		}
		if s.Thresholds == nil {
			s.Thresholds = make(map[string]summaryThreshold)
		}
		s.Thresholds[j.Threshold] = summaryThreshold{OK: j.Verdict == Held, Verdict: j.Verdict}
	}
	return s, nil
}

// some makes an empty list of none, because a reader of JSON expects [] and not null.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
