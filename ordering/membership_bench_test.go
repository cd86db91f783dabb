package ordering_test

import (
	"testing"

	"holobench/history"
	"holobench/ordering"
	"holobench/wire"
)

// sentToRooms makes so many events in 20 channels of so many subscribers, in the order in which a run observes them.
func sentToRooms(events, subscribers int) (rows []history.Observation) {
	const channels = 20
	for i := range channels * subscribers {
		rows = append(rows, history.Observation{
			Kind: history.Subscribed, Client: uint32(i), Conn: 1, Channel: uint32(i/subscribers) + 1, At: 1,
		})
	}
	for i := range events {
		channel := i % channels
		id := wire.EventID{Publisher: uint32(channel * subscribers), Seq: uint32(i/channels) + 1}
		at := int64(i+1) * 5 * ms
		rows = append(rows,
			history.Observation{Kind: history.Sent, Client: id.Publisher, Event: id, Channel: uint32(channel) + 1, At: at, Due: at},
			history.Observation{Kind: history.Replied, Client: id.Publisher, Event: id, Channel: uint32(channel) + 1, At: at + ms, Due: at})
		for j := range subscribers {
			rows = append(rows, history.Observation{
				Kind: history.Delivered, Client: uint32(channel*subscribers + j), Conn: 1, Event: id, Channel: uint32(channel) + 1,
				Due: at, At: at + int64(j)*1000, Path: history.SSE,
			})
		}
	}
	return rows
}

// BenchmarkMembership judges 6,000 events of 100 subscribers each: a run of 30 s at 200 commands a second. The deliveries
// of different events are interleaved in the second case, as those of a loaded server are.
func BenchmarkMembership(b *testing.B) {
	rows := sentToRooms(6_000, 100)
	mixed := append([]history.Observation(nil), rows...)
	for i := range mixed {
		j := i * 7919 % min(len(mixed), i+1_000)
		mixed[i], mixed[j] = mixed[j], mixed[i]
	}
	for name, rows := range map[string][]history.Observation{"in-order": rows, "mixed": mixed} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			lost := 0
			for b.Loop() {
				var m ordering.Membership
				for at := 0; at < len(rows); at += 2048 {
					m.Add(rows[at:min(at+2048, len(rows))])
				}
				m.Close(wholeRun())
				m.Events(func(s ordering.Standing) { lost += s.Lost })
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(rows)), "ns/row")
		})
	}
}

// TestMembershipHoldsNothingForADelivery: ten times the deliveries of an event cost no memory but their bits. It is not
// parallel, because AllocsPerRun counts the whole process.
func TestMembershipHoldsNothingForADelivery(t *testing.T) {
	rows := sentToRooms(100, 640)
	subscriptions, events := rows[:20*640], rows[20*640:]
	var m ordering.Membership
	m.Add(subscriptions)
	m.Add(events)
	if got := testing.AllocsPerRun(5, func() { m.Add(events) }); got > 0 {
		t.Errorf("64,000 more deliveries allocate %v times, want never", got)
	}
	m.Close(wholeRun())
	m.Events(func(s ordering.Standing) {
		if s.Delivered != 640 || s.Reached != 640 || s.Duplicated != 6*640 {
			t.Errorf("%+v", s)
		}
	})
}
