package run

import (
	"testing"

	"holobench/history"
	"holobench/scenarios"
	"holobench/target"
)

func TestPlanFromFile(t *testing.T) {
	t.Parallel()
	f, err := scenarios.Parse("plan.yaml", []byte(`version: 1
server:
  bundled: {design: single-channel}
  headers: {Authorization: "Bearer ${env.TOKEN}"}
clients:
  members: {count: 100, channel: {pattern: "room-${n}", count: 5}}
  backend: {count: 4, stream: none, channel: {pattern: "room-${n}", count: 2}}
load:
  talk: {by: {clients: members, only: 10}, rate: 50/s, arrivals: poisson, send: message, payload: 200B, for: 4s}
  tell: {by: backend, stages: [{rate: 20/s, for: 4s}], send: news, payload: {text: "hello"}, start: 1s}
  press: {flood: true, rate: 10/s, send: message, channel: room-1, payload: 100B, for: 2s}
windows: {steady: 1s..4s}
budgets:
  events_lost{window:steady}: ["count==0"]
`), func(string) (string, bool) { return "s3cr3t", true })
	if err != nil {
		t.Fatal(err)
	}
	p, err := FromFile(f, history.Machine{})
	if err != nil {
		t.Fatal(err)
	}
	if p.Header[0].Value != "Bearer s3cr3t" || p.Design != "single-channel" || p.Clients() != 104 || p.End().Seconds() != 5 {
		t.Errorf("plan: %+v", p)
	}
	for channel, want := range map[string]int{"room-1": 20, "room-5": 20} {
		if got := p.Subscribers()[channel]; got != want {
			t.Errorf("%s has %d subscribers, want %d: who only posts does not listen", channel, got, want)
		}
	}
	for i, want := range []struct{ commands, deliveries float64 }{{200, 4000}, {40, 800}, {20, 400}} {
		if l := &p.Loads[i]; l.Stages.Commands() != want.commands || p.Deliveries(l) != want.deliveries {
			t.Errorf("load %s: %v commands and %v deliveries, want %v", l.Name, l.Stages.Commands(), p.Deliveries(l), want)
		}
	}
	p.Knobs.Echo = target.EchoNone // 20 hear in each room: 19 of the talk of a member, 20 of a backend that does not listen
	for i, want := range []float64{3800, 800, 400} {
		if l := &p.Loads[i]; p.Deliveries(l) != want {
			t.Errorf("load %s without a self-echo: %v deliveries, want %v", l.Name, p.Deliveries(l), want)
		}
	}
	if got := p.Loads[1].channel(&p.Groups[1], 3); got != "room-2" {
		t.Errorf("the fourth of backend posts to %q, want room-2", got)
	}
	if err := p.check(); err != nil {
		t.Error(err)
	}
}
