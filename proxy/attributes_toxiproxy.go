package proxy

import (
	"fmt"
	"time"

	"holobench/chaos"
	"holobench/internal/draw"
)

// The types of Toxiproxy.
type (
	latency struct {
		Latency milliseconds `json:"latency"`
		Jitter  milliseconds `json:"jitter"`
	}

	bandwidth struct {
		Rate float64 `json:"rate"` // KB/s
	}

	slowClose struct {
		Delay milliseconds `json:"delay"`
	}

	timeout struct {
		Timeout milliseconds `json:"timeout"`
	}

	resetPeer struct {
		Timeout milliseconds `json:"timeout"`
	}

	slicer struct {
		AverageSize   int     `json:"average_size"`
		SizeVariation int     `json:"size_variation"`
		Delay         float64 `json:"delay"` // us
	}

	limitData struct {
		Bytes int64 `json:"bytes"`
	}
)

// effect: the part that is sure is the path's, which the connections of a client share; the jitter is drawn for each message.
func (l *latency) effect() (chaos.Effect, error) {
	sure, err := l.Latency.duration()
	if err != nil {
		return nil, err
	}
	jitter, err := l.Jitter.duration()
	if err != nil || jitter == 0 {
		return chaos.Delay{Law: draw.Law{A: float64(sure)}}, err
	}
	least := max(0, sure-jitter)
	return chaos.Delay{
		Law:    draw.Law{A: float64(least)},
		Jitter: draw.Law{Kind: draw.KindUniform, B: float64(sure + jitter - least)},
	}, nil
}

// effect: a rate for each connection, as Toxiproxy's is.
func (b *bandwidth) effect() (chaos.Effect, error) {
	return chaos.Bandwidth{Rate: b.Rate * 1000, Apart: true}, nil
}

func (s *slowClose) effect() (chaos.Effect, error) {
	d, err := s.Delay.duration()
	return chaos.SlowClose{Law: draw.Law{A: float64(d)}}, err
}

func (t *timeout) effect() (chaos.Effect, error) {
	d, err := t.Timeout.duration()
	return chaos.Silence{For: d}, err
}

func (r *resetPeer) effect() (chaos.Effect, error) {
	d, err := r.Timeout.duration()
	return chaos.Lapse{After: d}, err
}

func (s *slicer) effect() (chaos.Effect, error) {
	gap, err := milliseconds(s.Delay / 1000).duration()
	if err != nil {
		return nil, err
	}
	if s.SizeVariation < 0 || s.SizeVariation > 0 && s.SizeVariation >= s.AverageSize {
		return nil, fmt.Errorf("a size_variation of %d: give one from 0 to below the average_size, which is %d", s.SizeVariation, s.AverageSize)
	}
	if s.SizeVariation == 0 {
		return chaos.Slice{Size: s.AverageSize, Gap: gap}, nil
	}
	return chaos.Shred{Size: draw.Law{
		Kind: draw.KindUniform, A: float64(s.AverageSize - s.SizeVariation), B: float64(s.AverageSize + s.SizeVariation + 1),
	}, Gap: gap.Round(time.Microsecond)}, nil
}

func (l *limitData) effect() (chaos.Effect, error) { return chaos.LimitData{Bytes: l.Bytes}, nil }
