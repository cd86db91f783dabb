package wire_test

import (
	"strconv"
	"testing"

	"holobench/wire"
)

// TestForeignEvent: what is called alike is one event, what is not is another, and none is one of a client.
func TestForeignEvent(t *testing.T) {
	t.Parallel()
	seen := make(map[wire.EventID]string)
	for _, channel := range []string{"", "room-1", "room-2"} {
		for n := range 100_000 {
			name := strconv.Itoa(n)
			id := wire.ForeignEvent(channel, []byte(name))
			if id != wire.ForeignEvent(channel, []byte(name)) || !id.Foreign() {
				t.Fatalf("%q of %q is %v", name, channel, id)
			}
			if other, ok := seen[id]; ok {
				t.Fatalf("%q of %q is %v, as %s is", name, channel, id, other)
			}
			seen[id] = name + " of " + channel
		}
	}
	if wire.ForeignEvent("ab", []byte("c")) == wire.ForeignEvent("a", []byte("bc")) {
		t.Error("where the channel ends makes no difference")
	}
	if (wire.EventID{Publisher: 40_000, Seq: 7}).Foreign() {
		t.Error("an event of a client is foreign")
	}
}
