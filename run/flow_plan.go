package run

import (
	"fmt"
	"math"

	"holobench/scenarios"
)

// flowPlan is the flow of a load, and what its actors have to keep for it: what no step looks at costs nothing.
type flowPlan struct {
	steps   []scenarios.Step
	ears    bool // it waits for events, or looks at them
	names   bool // ... by the names of their commands
	events  bool // ... at their text
	replies bool // it looks at bodies of replies
	fields  bool // ... at their header fields
	untils  []*scenarios.Match
	until   map[*scenarios.Expect]int // the index of its match; -1 = it has none
}

// planFlow looks through a flow; nil when there is none.
func planFlow(steps []scenarios.Step) *flowPlan {
	if len(steps) == 0 {
		return nil
	}
	f := &flowPlan{steps: steps, until: make(map[*scenarios.Expect]int)}
	each(steps, f.look)
	return f
}

// look notes what one step needs.
func (f *flowPlan) look(step scenarios.Step) {
	for _, t := range templatesOf(step) {
		for _, name := range t.Uses() {
			f.use(name)
		}
	}
	switch s := step.(type) {
	case *scenarios.Expect:
		f.ears = true
		f.names = f.names || s.Event != scenarios.Own && s.Event != scenarios.Others
		f.until[s] = -1
		if s.Until != nil {
			f.until[s] = len(f.untils)
			f.untils = append(f.untils, s.Until)
		}
	case *scenarios.Capture:
		switch {
		case s.From == scenarios.FromEvent:
			f.ears, f.events = true, true
		case s.By.Header != "":
			f.fields = true
		default:
			f.replies = true
		}
	default:
	}
}

// use notes what a name in a template needs.
func (f *flowPlan) use(name string) {
	switch {
	case name == "reply.body":
		f.replies = true
	case len(name) > len("reply.header.") && name[:len("reply.header.")] == "reply.header.":
		f.fields = true
	case name == "event.text":
		f.ears, f.events = true, true
	case name == "event.name":
		f.ears, f.names = true, true
	case name == "event.channel":
		f.ears = true
	}
}

// each calls do for each step of a flow, those within others too.
func each(steps []scenarios.Step, do func(scenarios.Step)) {
	for _, step := range steps {
		do(step)
		for _, inner := range flowsIn(step) {
			each(inner, do)
		}
	}
}

// flowsIn are the flows that stand in a step.
func flowsIn(step scenarios.Step) [][]scenarios.Step {
	var all [][]scenarios.Step
	switch s := step.(type) {
	case *scenarios.Send:
		for i := range s.OnReply {
			all = append(all, s.OnReply[i].Flow)
		}
	case *scenarios.Get:
		for i := range s.OnReply {
			all = append(all, s.OnReply[i].Flow)
		}
	case *scenarios.Repeat:
		all = append(all, s.Flow)
	case *scenarios.Choose:
		for i := range s.Ways {
			all = append(all, s.Ways[i].Flow)
		}
	case *scenarios.If:
		all = append(all, s.Then, s.Else)
	default:
	}
	return all
}

// templatesOf are the templates of a step, without those of the flows in it.
func templatesOf(step scenarios.Step) []*scenarios.Template {
	switch s := step.(type) {
	case *scenarios.Send:
		all := []*scenarios.Template{&s.Channel, &s.Payload.Text}
		for i := range s.With {
			all = append(all, &s.With[i].Value)
		}
		return all
	case *scenarios.Get:
		return []*scenarios.Template{&s.Path}
	case *scenarios.Subscribe:
		return []*scenarios.Template{&s.Channel}
	case *scenarios.Unsubscribe:
		return []*scenarios.Template{&s.Channel}
	case *scenarios.Expect:
		return []*scenarios.Template{&s.Channel}
	case *scenarios.If:
		return []*scenarios.Template{&s.Value, &s.Operand}
	case *scenarios.Log:
		return []*scenarios.Template{&s.Text}
	default:
		return nil
	}
}

// unmetAny stands for reasons that have no number of their own.
const unmetAny = "an expectation was not met"

// numberReasons gives the reasons of all flows their numbers. An Observation has 16 bits for one, and channels are numbered
// along with them, so that those that can be known come first.
func (x *execution) numberReasons() {
	x.o.Names.Number(unmetAny)
	for i := range x.plan.Faults {
		x.reason(x.plan.Faults[i].Name)
	}
	for _, f := range x.flows {
		if f == nil {
			continue
		}
		each(f.steps, func(step scenarios.Step) {
			switch s := step.(type) {
			case *scenarios.Expect:
				x.reason(s.Path + ": not within " + s.Within.String())
			case *scenarios.Barrier:
				x.reason(s.Path + ": not within " + s.Within.String())
			case *scenarios.Reconnect:
				x.reason(s.Path + ": not within " + s.Within.String())
			case *scenarios.Capture:
				x.reason(s.Path + ": there was nothing to capture")
			default:
			}
		})
	}
}

// reason is the number of why an expectation was not met.
func (x *execution) reason(text string) uint16 {
	number := x.o.Names.Number(text)
	if number > math.MaxUint16 {
		number = x.o.Names.Number(unmetAny)
	}
	return uint16(number) //nolint:gosec // it was numbered first
}

// openData opens the feeds of the plan; the caller calls close.
func (x *execution) openData() (closeAll func(), err error) {
	closeAll = func() {
		for _, t := range x.tables {
			t.Close() //nolint:errcheck // it was only read
		}
	}
	for i := range x.plan.Feeds {
		table, err := scenarios.OpenFeed(&x.plan.Feeds[i])
		if err != nil {
			closeAll()
			return nil, fmt.Errorf("read the data of the scenario: %w", err)
		}
		x.tables = append(x.tables, table)
	}
	return closeAll, nil
}
