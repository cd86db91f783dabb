package main

import (
	"strings"
	"testing"
	"time"

	"holobench/history"
)

// Beats are counted on each stream by itself, and ends by their reason with how long the stream had lived, apart from streams that never opened.
func TestWatched(t *testing.T) {
	t.Parallel()
	const s = int64(time.Second)
	names := new(history.Names)
	end, reset := uint16(names.Number("end of stream")), uint16(names.Number("connection reset"))
	row := func(kind history.Kind, client uint32, at int64, why uint16) history.Observation {
		return history.Observation{Kind: kind, Client: client, Conn: 1, At: at, Err: why}
	}
	var w watched
	printed := func() string {
		var out strings.Builder
		if err := w.print(&out); err != nil {
			t.Error(err)
		}
		return out.String()
	}
	if got, want := printed(), "heartbeats  none\ncuts        none: no stream was ended by the server or on the way\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	w.observe([]history.Observation{
		row(history.Opened, 1, 1*s, 0), row(history.Opened, 2, 2*s, 0), row(history.Opened, 3, 2*s, 0),
		row(history.Heartbeat, 1, 11*s, 0), row(history.Heartbeat, 2, 12*s, 0), row(history.Heartbeat, 1, 21*s, 0), row(history.Heartbeat, 2, 24*s, 0),
		row(history.Heartbeat, 2, 25*s, reset), // says that something is lost: no sign of life
	}, names)
	w.observe([]history.Observation{
		row(history.Ended, 1, 61*s, end), row(history.Ended, 2, 82*s, end), row(history.Closed, 3, 90*s, 0), row(history.Ended, 4, 90*s, reset), row(history.Ended, 4, 91*s, reset),
	}, names)
	const want = "heartbeats  4, one every 11 s on each stream\n" +
		"cuts        \"end of stream\": 2 times, 70 s after it was opened on average\n" +
		"not opened  \"connection reset\": 2 times\n" // which says nothing of how long a stream lives
	if got := printed(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
