package proxy

import (
	"cmp"

	"holobench/chaos"
)

// Our own types: the words are those of scenarios, times are milliseconds, shares go from 0 to 1.
type (
	delay struct {
		By     amount       `json:"by"`
		Jitter amount       `json:"jitter"`
		Hold   milliseconds `json:"hold"`
	}

	loss struct {
		Rate    float64      `json:"rate"`
		Timeout milliseconds `json:"timeout"`
	}

	stall struct {
		After int64        `json:"after"`
		Hold  milliseconds `json:"hold"`
	}

	buffering struct {
		Bytes int          `json:"bytes"`
		For   milliseconds `json:"for"`
	}

	slowReader struct {
		Rate float64 `json:"rate"` // KB/s, as that of bandwidth
	}

	halfOpen struct{}

	cutting struct {
		Within milliseconds `json:"within"`
		After  int64        `json:"after"`
	}

	resetNow struct{ cutting }

	closeNow struct{ cutting }

	refuse struct {
		Share float64 `json:"share"`
	}

	acceptDelay struct {
		By amount `json:"by"`
	}

	httpAbort struct {
		Status int     `json:"status"`
		Method string  `json:"method"`
		Share  float64 `json:"share"`
	}

	httpDelay struct {
		By     amount  `json:"by"`
		Method string  `json:"method"`
		Share  float64 `json:"share"`
	}

	pick struct {
		Share float64 `json:"share"`
		Nth   int64   `json:"nth"`
	}

	drop struct{ pick }

	duplicate struct{ pick }

	corrupt struct{ pick }

	truncate struct{ pick }

	reorder struct {
		pick
		Distance int `json:"distance"`
	}

	heartbeatLoss struct{}
)

func (s *slowReader) effect() (chaos.Effect, error) {
	return chaos.SlowReader{Rate: s.Rate * 1000}, nil
}

func (d *delay) effect() (chaos.Effect, error) {
	by, err := d.By.law()
	jitter, failed := d.Jitter.law()
	hold, wrong := d.Hold.duration()
	return chaos.Delay{Law: by, Jitter: jitter, Hold: hold}, cmp.Or(err, failed, wrong)
}

func (l *loss) effect() (chaos.Effect, error) {
	d, err := l.Timeout.duration()
	return chaos.Loss{Rate: l.Rate, Timeout: d}, err
}

func (s *stall) effect() (chaos.Effect, error) {
	d, err := s.Hold.duration()
	return chaos.Stall{After: s.After, Hold: d}, err
}

func (b *buffering) effect() (chaos.Effect, error) {
	d, err := b.For.duration()
	return chaos.Buffer{Bytes: b.Bytes, For: d}, err
}

func (*halfOpen) effect() (chaos.Effect, error) { return chaos.HalfOpen{}, nil }

func (r *resetNow) effect() (chaos.Effect, error) {
	d, err := r.Within.duration()
	return chaos.Reset{Within: d, After: r.After}, err
}

func (c *closeNow) effect() (chaos.Effect, error) {
	d, err := c.Within.duration()
	return chaos.Close{Within: d, After: c.After}, err
}

func (r *refuse) effect() (chaos.Effect, error) { return chaos.Refuse{Share: r.Share}, nil }

func (a *acceptDelay) effect() (chaos.Effect, error) {
	by, err := a.By.law()
	return chaos.AcceptDelay{Law: by}, err
}

func (h *httpAbort) effect() (chaos.Effect, error) {
	return chaos.HTTPAbort{Status: h.Status, Method: h.Method, Share: h.Share}, nil
}

func (h *httpDelay) effect() (chaos.Effect, error) {
	by, err := h.By.law()
	return chaos.HTTPDelay{Law: by, Method: h.Method, Share: h.Share}, err
}

func (p pick) which() chaos.Pick { return chaos.Pick{Share: p.Share, Nth: p.Nth} }

func (d *drop) effect() (chaos.Effect, error) { return chaos.Drop{Pick: d.which()}, nil }

func (d *duplicate) effect() (chaos.Effect, error) { return chaos.Duplicate{Pick: d.which()}, nil }

func (c *corrupt) effect() (chaos.Effect, error) { return chaos.Corrupt{Pick: c.which()}, nil }

func (t *truncate) effect() (chaos.Effect, error) { return chaos.Truncate{Pick: t.which()}, nil }

func (r *reorder) effect() (chaos.Effect, error) {
	return chaos.Reorder{Pick: r.which(), Distance: r.Distance}, nil
}

func (*heartbeatLoss) effect() (chaos.Effect, error) { return chaos.HeartbeatLoss{}, nil }
