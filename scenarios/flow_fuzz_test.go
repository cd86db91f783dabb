package scenarios

import (
	"strings"
	"testing"
)

// Any text is a flow or has errors; the steps of a flow have places of their own, and hold what whoever walks them relies on.
func FuzzFlow(f *testing.F) {
	for _, flow := range []string{
		"[]", "[{think: 1s}]", "[{send: a, with: {b: \"${payload|json}\"}, on_reply: {409: [{get: /a}, {resend: 3}], failed: [{log: x}]}}, {expect: own}]",
		"[{repeat: {times: 1..3, flow: [{choose: [{share: 100%, flow: [{if: {value: \"${bid}\", at_most: 5, then: [], else: [{barrier: b}]}}]}]}]}}]",
		"[{capture: {v: {from: event, json: \"a[0].b\"}}}, {log: \"${v} ${w|default:0}\"}, {capture: {w: event}}]",
		"[{expect: {event: others, until: {regex: '(a)|b', is: a}}}, {disconnect: {}}, {reconnect: {within: 1s}}, {subscribe: \"x-${n}\"}, {unsubscribe: x}]",
		"[&a {think: {dist: pareto, min: 1ms, shape: 0.1}}, *a, {think: {p50: 1s, p99: 2s, cap: 3s}}]", "[{send: a, to: members, payload: 100B..2KiB}]",
	} {
		f.Add(flow)
	}
	f.Fuzz(func(t *testing.T, flow string) {
		if strings.ContainsAny(flow, "\n\r") {
			return // it would be more than a flow
		}
		parsed, err := Parse("f.yaml", []byte(acting(flow)), tokens)
		if err != nil {
			checkErrors(t, []byte(acting(flow)), err)
			return
		}
		parsed.Warnings(Machine{})
		seen := map[string]bool{}
		Walk(parsed.Load[0].Flow, func(step Step) {
			at := step.Where()
			if at.Line < 1 || seen[at.Path] {
				t.Errorf("%T stands at %+v", step, at)
			}
			seen[at.Path] = true
			checkStep(t, step)
		})
	})
}

// checkStep holds a step to what its type says of it.
func checkStep(t *testing.T, step Step) {
	t.Helper()
	ok := true
	switch s := step.(type) {
	case *Send:
		least, most := s.Payload.Bytes(1e-9, 0), s.Payload.Bytes(1-1e-9, 0)
		ok = s.Name != "" && least >= minPayload && most <= maxPayload && least <= most
		for i := range s.OnReply {
			ok = ok && len(s.OnReply[i].Flow) > 0 && checkReplyStatus(s.OnReply[i].Status) == nil
		}
	case *Resend:
		ok = s.Times >= 1 && s.Times <= maxResends
	case *Think:
		ok = s.For.Least() >= 0 && s.For.Max() <= float64(maxThink)
	case *Expect:
		ok = s.Event != "" && s.Within > 0 && s.Within <= maxWithin && s.Count >= 1
		if s.Until != nil {
			s.Until.Met([]byte(`{"a": [{"b": 1}]}`))
		}
	case *Capture:
		ok = s.Name != "" && (s.From == FromReply || s.From == FromEvent)
		s.By.Find([]byte(`{"a": [{"b": 1}]}`), nil)
	case *Repeat:
		ok = s.Times.Whole(0.999) <= maxRepeats
	case *Choose:
		ok = len(s.Ways) > 0
	case *If:
		text, _ := s.Value.Append(nil, some)
		s.Is.Holds(string(text), "1")
	case *Barrier:
		ok = s.Name != "" && s.Within > 0
	case *Log:
		s.Text.Append(nil, some)
	}
	if !ok {
		t.Errorf("got %T %+v", step, step)
	}
}
