package proxy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"holobench/chaos"
	"holobench/internal/draw"
)

// attributes are those of one type of toxic: a struct of numbers, with what it means to chaos.
type attributes interface {
	effect() (chaos.Effect, error)
}

// forms are the types that there are, each with its defaults: the first seven are Toxiproxy's, in its words and units.
func forms() map[string]attributes {
	return map[string]attributes{
		"latency": new(latency), "bandwidth": new(bandwidth), "slow_close": new(slowClose), "timeout": new(timeout),
		"reset_peer": new(resetPeer), "slicer": new(slicer), "limit_data": new(limitData),

		"delay": new(delay), "loss": new(loss), "stall": new(stall), "buffer": new(buffering), "half_open": new(halfOpen),
		"slow_reader": new(slowReader),
		"reset":       new(resetNow), "close": new(closeNow), "refuse": new(refuse), "accept_delay": new(acceptDelay),
		"http_abort": new(httpAbort), "http_delay": new(httpDelay), "drop": new(drop), "duplicate": new(duplicate),
		"reorder": new(reorder), "corrupt": new(corrupt), "truncate": new(truncate), "heartbeat_loss": new(heartbeatLoss),
	}
}

// decode reads JSON strictly: what it does not know it refuses.
func decode(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
		if wrong.Type.Kind() == reflect.String {
			return fmt.Errorf("%s is a %s: give a text", wrong.Field, wrong.Value)
		}
		return fmt.Errorf("%s is a %s: give a number, without quotes and without a unit", wrong.Field, wrong.Value)
	}
	return err
}

// milliseconds is a time.
type milliseconds float64

// mostMilliseconds is the longest time that makes sense, an hour: beyond it a number is a slip.
const mostMilliseconds = 3600e3

func (m milliseconds) duration() (time.Duration, error) {
	if !(m >= 0) || m > mostMilliseconds {
		return 0, fmt.Errorf("a time of %g ms: give one from 0 to %g", float64(m), float64(mostMilliseconds))
	}
	return time.Duration(float64(m) * float64(time.Millisecond)), nil
}

// amount is a time that is drawn: a number of milliseconds, or an object {"p50": 40, "p99": 200} and the like.
type amount struct {
	Value *float64 `json:"value,omitempty"`
	Min   *float64 `json:"min,omitempty"`
	Max   *float64 `json:"max,omitempty"`
	Mean  *float64 `json:"mean,omitempty"`
	SD    *float64 `json:"sd,omitempty"`
	P50   *float64 `json:"p50,omitempty"`
	P99   *float64 `json:"p99,omitempty"`
	Shape *float64 `json:"shape,omitempty"`
	Base  float64  `json:"base,omitempty"`
	Cap   float64  `json:"cap,omitempty"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (a *amount) UnmarshalJSON(text []byte) error {
	*a = amount{}
	if v := new(float64); json.Unmarshal(text, v) == nil {
		a.Value = v
		return nil
	}
	type bare amount
	return decode(text, (*bare)(a))
}

// law is what the amount means; none = nothing was given.
func (a *amount) law() (law draw.Law, err error) {
	if *a == (amount{}) {
		return law, nil
	}
	const unit = float64(time.Millisecond)
	given := func(all ...*float64) bool {
		for _, one := range []*float64{a.Value, a.Min, a.Max, a.Mean, a.SD, a.P50, a.P99, a.Shape} {
			wanted := false
			for _, w := range all {
				wanted = wanted || w == one
			}
			if one != nil && !wanted {
				return false
			}
		}
		for _, w := range all {
			if w == nil {
				return false
			}
		}
		return true
	}
	switch {
	case given(a.Value):
		law, err = draw.Constant(*a.Value * unit)
	case given(a.Min, a.Max):
		law, err = draw.Uniform(*a.Min*unit, *a.Max*unit)
	case given(a.Mean, a.SD):
		law, err = draw.Normal(*a.Mean*unit, *a.SD*unit)
	case given(a.P50, a.P99):
		law, err = draw.Lognormal(*a.P50*unit, *a.P99*unit)
	case given(a.Mean):
		law, err = draw.Exponential(*a.Mean * unit)
	case given(a.Min, a.Shape):
		law, err = draw.Pareto(*a.Min*unit, *a.Shape)
	default:
		return law, errors.New(`a time that is drawn: give a number of ms, or {"min","max"}, {"mean","sd"}, {"p50","p99"}, {"mean"} or {"min","shape"}, each with "base" and "cap" if you like`)
	}
	if err != nil {
		return law, err
	}
	law.Base, law.Cap = a.Base*unit, a.Cap*unit
	return law, law.Check()
}
