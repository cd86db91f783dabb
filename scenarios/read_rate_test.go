package scenarios

import (
	"strings"
	"testing"
)

// TestReadRate holds how fast clients read, and what is refused.
func TestReadRate(t *testing.T) {
	t.Parallel()
	file := func(client string) (*File, error) {
		return Parse("s.yaml", []byte("version: 1\nclients:\n  members: {count: 2, channel: lobby}\n  slow: "+client+
			"\nload: {talk: {by: members, rate: 5/s, for: 1s}}\n"), nil)
	}
	for text, want := range map[string]int{
		"{count: 1, channel: lobby}": 0, "{count: 1, channel: lobby, read_rate: 4KiB/s}": 4096, "{count: 1, channel: lobby, read_rate: never}": -1,
	} {
		f, err := file(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got := f.Clients[1].ReadRate; got != want {
			t.Errorf("%s reads %d bytes a second, want %d", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"{count: 1, channel: lobby, read_rate: 4KiB}": `s.yaml:4:47: clients.slow.read_rate: "4KiB" is no throughput`,
		"{count: 1, channel: lobby, read_rate: 9B/s}": "s.yaml:4:47: clients.slow.read_rate: fewer than 10 bytes a second are not read any more",
		"{count: 1, stream: none, read_rate: 9KiB/s}": "s.yaml:4:45: clients.slow.read_rate: clients without a stream read nothing",
	} {
		if _, err := file(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
