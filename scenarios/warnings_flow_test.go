package scenarios

import (
	"slices"
	"strings"
	"testing"
)

func TestWarningsOfFlows(t *testing.T) {
	t.Parallel()
	const barrier = "[{send: a}, {barrier: {name: half, within: 2s}}]"
	tests := []struct{ text, want string }{
		{acting(barrier), "load.edits.flow[2]: the barrier half waits for all 10 clients of the load, and only each lets all of them act: " +
			"those that are drawn wait for 2s, as long as it may last"},
		{strings.Replace(acting(barrier), "rate: 5/s", "each: {every: 1s}", 1), ""},
		{acting("[{send: a}, {expect: own}]"), ""},
		{acting("[{send: a}, {expect: own}]") + "server: {bundled: {echo: none}}\n", "load.edits.flow[2]: nobody hears of an event of its own with echo: none, so that each of these expectations fails"},
		{
			strings.Replace(acting("[{send: a, channel: room-1}, {expect: own}]"), "by: members", "by: bots\n    channel: room-1", 1) + "server: {bundled: {echo: stream}}\n",
			"load.edits.flow[2]: nobody hears of an event of its own with echo: stream and stream: none, so that each of these expectations fails",
		},
		{acting(`[{send: a, with: {id: "1", bse: "2"}}]`), `load.edits.flow[1].with.bse: the bundled target knows no such part of a command, did you mean "base"?, and refuses or ignores it: its parts are key, id, base`},
		{acting(`[{send: a, with: {text: "1"}}]`) + "server: {url: \"http://127.0.0.1:1\", protocol: phoenix-channels}\n", ""},
	}
	for _, test := range tests {
		f := parse(t, test.text)
		got := slices.DeleteFunc(f.Warnings(Machine{}), func(w string) bool { return !strings.Contains(w, ".flow[") })
		if strings.Join(got, "\n") != test.want {
			t.Errorf("%s\ngot  %q\nwant %q", test.text, got, test.want)
		}
	}
}
