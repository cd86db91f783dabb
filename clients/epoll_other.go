//go:build !linux

package clients

import (
	"context"
	"errors"

	"holobench/wire"
)

// Loops hold streams without a goroutine for each, on Linux only.
type Loops struct{}

// held is what a loop knows of a stream.
type held struct{}

// StartLoops fails: this system has no epoll.
func StartLoops(int) (*Loops, error) {
	return nil, errors.New("start the loops that hold streams: this system has no epoll")
}

// HasLoops says whether this system has what loops are made of.
func HasLoops() bool { return false }

// Close ends the loops.
func (*Loops) Close() {}

// Held counts the streams that are held now.
func (*Loops) Held() int { return 0 }

func (*Loops) take(*stream, wire.StampedConn) (letGo context.CancelCauseFunc, ok bool) {
	return nil, false
}
