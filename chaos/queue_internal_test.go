package chaos

import (
	"bytes"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestAQueueKeepsWhatItWasGiven compares it with slices that are never used twice.
func TestAQueueKeepsWhatItWasGiven(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		luck := rand.New(rand.NewPCG(seed, 0))
		queues := []*queue{{rooms: new(rooms)}, {}}
		queues[0].rooms.put(queues[0].rooms.take(1))
		var want []piece
		held, at := 0, int64(0)
		for range 300 {
			switch luck.IntN(7) {
			case 0, 1, 2:
				at++
				fallthrough
			case 3:
				text := bytes.Repeat([]byte{byte(luck.Uint32())}, 1+luck.IntN(600)*luck.IntN(5))
				for _, q := range queues {
					q.push(piece{bytes: text, at: at})
				}
				held += len(text)
				if n := len(want); n > 0 && want[n-1].at == at {
					want[n-1].bytes = slices.Concat(want[n-1].bytes, text)
				} else {
					want = append(want, piece{bytes: text, at: at})
				}
			case 4, 5:
				if len(want) > 0 {
					for _, q := range queues {
						q.drop()
					}
					held -= len(want[0].bytes)
					want = want[1:]
				}
			case 6:
				at = max(0, at-int64(luck.IntN(3)))
				for _, q := range queues {
					q.cutAt(at)
				}
				for len(want) > 0 && want[len(want)-1].at > at {
					held -= len(want[len(want)-1].bytes)
					want = want[:len(want)-1]
				}
			}
			for _, q := range queues {
				same := func(a, b piece) bool { return bytes.Equal(a.bytes, b.bytes) && a.at == b.at }
				if !slices.EqualFunc(q.pieces, want, same) || q.held != held {
					t.Fatalf("seed %d: %d pieces of %d bytes, want %d of %d, or others", seed, len(q.pieces), q.held, len(want), held)
				}
			}
		}
		queues[0].push(piece{at: at, err: io.EOF})
		if queues[0].push(piece{bytes: []byte("x"), at: at}); len(queues[0].pieces) != len(want)+1 {
			t.Errorf("seed %d: something follows an end", seed)
		}
	}
}

// BenchmarkQueue is a message that is held back, as on a stream on which one is at a time.
func BenchmarkQueue(b *testing.B) {
	q := queue{rooms: new(rooms)}
	event := make([]byte, 200)
	b.ReportAllocs()
	for b.Loop() {
		q.push(piece{bytes: event, at: 1})
		q.drop()
		q.latest = 0
	}
}
