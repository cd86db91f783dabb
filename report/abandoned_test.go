package report

import (
	"strings"
	"testing"

	"holobench/history"
	"holobench/wire"
)

// TestCommandsThatDiedWithTheTarget: two commands are answered, one fails before the last answer and one after it.
func TestCommandsThatDiedWithTheTarget(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		exit   string
		failed float64
		code   int
		noted  bool
	}{
		{exit: "", failed: 2.0 / 4, code: ExitViolated},
		{exit: "signal: killed", failed: 1.0 / 3, code: ExitViolated, noted: true},
	} {
		run := history.Run{
			Barrier: 1, LoadEnd: 1e9, End: 2e9, Finished: true, Ending: history.EndingFailed, Failure: "the bundled target died",
			Nodes:   []history.Node{{Node: 1, Exit: c.exit}},
			Budgets: []history.Budget{{Metric: HTTPReqFailed, Threshold: "rate<0.01"}},
		}
		var memory history.Memory
		for i, kind := range []history.Kind{history.Replied, history.Unknown, history.Replied, history.Refused} {
			at := int64(i+1) * 1e8
			event := wire.EventID{Publisher: uint32(i), Seq: 1}
			memory.Observe([]history.Observation{
				{Kind: history.Sent, Client: uint32(i), Event: event, Due: at, NotBefore: at, At: at, Handled: at},
				{Kind: kind, Client: uint32(i), Event: event, Due: at, NotBefore: at + 1e6, At: at + 1e6, Handled: at + 1e6},
			})
		}
		r, err := New(memory.History(run, new(history.Names)))
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Budgets[0].Value.Value; got != c.failed {
			t.Errorf("exit %q: http_req_failed is %v, want %v", c.exit, got, c.failed)
		}
		if r.Exit() != c.code {
			t.Errorf("exit %q: exit code %d, want %d", c.exit, r.Exit(), c.code)
		}
		if noted := strings.Contains(strings.Join(r.Notes, "\n"), "1 command was on its way when the target died"); noted != c.noted {
			t.Errorf("exit %q: notes %q", c.exit, r.Notes)
		}
	}
}
