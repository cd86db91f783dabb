package run

import (
	"fmt"
	"strings"
	"testing"

	"holobench/history"
	"holobench/scenarios"
)

// TestACheckedFaultCanBeCarriedOut: what cannot be is refused where the file is checked, and not when it is run.
func TestACheckedFaultCanBeCarriedOut(t *testing.T) {
	t.Parallel()
	effects := []string{
		"delay: 50ms", "bandwidth: {rate: 64KiB/s}", "slice: {size: 7B}", "stall: {}", "loss: {rate: 1%}", "half_open: {}", "slow_close: {by: 1s}",
		"limit_data: {bytes: 1KiB}", "slow_reader: {rate: 1KiB/s}", "refuse: {}", "accept_delay: {by: 1s}", "http_abort: {status: 503}", "http_delay: {by: 1s}",
		"drop: {nth: 2}", "duplicate: {nth: 2}", "reorder: {nth: 2}", "corrupt: {nth: 2}", "truncate: {nth: 2}", "buffer: {bytes: 1KiB}", "heartbeat_loss: {}",
	}
	servers := map[string]int{ // and how many are refused
		"{bundled: {design: single-channel}}": 0, "{bundled: {transport: tls}}": 8, "{bundled: {design: sequenced, transport: h2c}}": 8,
		"{bundled: {design: sequenced, transport: tls-h2}}": 8, "{bundled: {design: channels}}": 8, "{bundled: {design: long-poll}}": 0,
		"{url: http://app, protocol: json}": 0, "{url: https://app, protocol: json}": 8, "{url: http://app, protocol: phoenix-channels}": 8,
	}
	for server, want := range servers {
		refused := 0
		for _, effect := range effects {
			text := fmt.Sprintf("version: 1\nserver: %s\nclients: {members: {count: 3, channel: lobby}}\nload: {talk: {by: members, rate: 8/s, for: 9s}}\n"+
				"faults: [{name: it, at: 1s, for: 2s, %s}]\n", server, effect)
			file, err := scenarios.Parse("s.yaml", []byte(text), nil)
			if err != nil {
				if refused++; !strings.Contains(err.Error(), "no backend can do this here") {
					t.Errorf("%s, %s: %v", server, effect, err)
				}
				continue
			}
			plan, err := FromFile(file, history.Machine{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := plan.links(1, nil); err != nil {
				t.Errorf("%s, %s: checked, and yet: %v", server, effect, err)
			}
		}
		if refused != want {
			t.Errorf("%s: %d of %d faults are refused, want %d", server, refused, len(effects), want)
		}
	}
}
