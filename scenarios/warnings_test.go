package scenarios

import (
	"strings"
	"testing"
)

func TestWarnings(t *testing.T) {
	t.Parallel()
	const roomy = `version: 1
clients:
  members: {count: 100, channel: {pattern: "room-${n}", count: 10}}
  backend: {count: 5, stream: none}
load:
  talk: {by: {clients: members, only: 40}, rate: 5/s, for: 10s}
  more: {by: {clients: members, only: 30}, rate: 5/s, for: 10s}
  news: {by: backend, rate: 5/s, for: 10s, channel: room-1}
  press: {flood: true, rate: 5/s, for: 10s, channel: room-10, workers: 7}
`
	// 100 streams, 40 of them send (the 30 are among the 40), 5 post only, 7 workers, 64 to spare.
	const need = 100 + 40 + 5 + 7 + 64
	tests := []struct {
		name, text string
		files      int
		want       string
	}{
		{"enough files", roomy, need, ""},
		{"unknown limit", roomy, 0, ""},
		{"one too few", roomy, need - 1, "the run needs 216 open files in the generator and as many in the target, the limit of a process is 215: raise it with ulimit -n 216"},
		{"empty channels", strings.ReplaceAll(roomy, "count: 10}}", "count: 130}}"), 0, "clients.members: 100 clients leave 30 of their 130 channels without a subscriber"},
		{"nobody listens to a load", strings.Replace(roomy, "channel: room-1}", "channel: lobby}", 1), 0, `load.news: nobody listens on the channel "lobby", so that its commands reach nobody`},
		{"nobody listens to a flood", strings.Replace(roomy, "channel: room-10", "channel: room-11", 1), 0, ""},
		{"nobody listens where they post", strings.Replace(roomy, "stream: none}", "channel: hall, stream: none}", 1) + "  hail: {by: backend, rate: 1/s, for: 1s}\n", 0, `load.hail: nobody listens on the channel "hall", so that its commands reach nobody`},
		{"an order that nobody promises", roomy + "guarantees: {total: {among: observers}}", 0, "guarantees.total: the design hologram does not promise one order for all clients: expect to see it violated; the design single-channel promises one"},
		{"an order that is promised", roomy + "server: {bundled: {design: single-channel}}\nguarantees: {total: held, fifo: held}", 0, ""},
		{"FIFO is promised", roomy + "guarantees: {fifo: held}", 0, ""},
		{"secret in the file", roomy + `server: {headers: {A: s3cr3t, B: "${env.TOKEN}"}}`, 0, "server.headers.A stands in the file in clear: write ${env.NAME} to keep a secret out of it"},
	}
	for _, test := range tests {
		f := parse(t, test.text)
		if got := strings.Join(f.Warnings(Machine{Files: test.files}), "\n"); got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.name, got, test.want)
		}
	}
}
