package clients

import (
	"errors"
	"fmt"
	"math"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// AddSine appends a stage of that length whose rate (commands a second) swings around its mean, up first, as far as swing says: 0.5 is
// half of the mean up and down. A stage behind another of the same period goes on where that one ended.
func (a *Arrivals) AddSine(mean, swing float64, period, length time.Duration) error {
	if !(mean > 0) || math.IsInf(mean, 0) || !(swing >= 0 && swing < 1) || period <= 0 || length <= 0 {
		return fmt.Errorf("add a stage of %v/s that swings by %v of it in %v, for %v: the swing must be from 0 to below 1, all others above 0",
			mean, swing, period, length)
	}
	if a.period > 0 {
		return errors.New("add a stage that swings: it cannot also come in bursts")
	}
	const per = 1000 * time.Second // three decimals of a rate in the integers of a vegeta.Rate
	freq := func(rate float64) int { return int(math.Round(rate * per.Seconds())) }
	pacer := vegeta.SinePacer{
		Period: period, Mean: vegeta.Rate{Freq: freq(mean), Per: per}, Amp: vegeta.Rate{Freq: freq(mean * swing), Per: per},
		StartAt: 2 * math.Pi * math.Mod(a.planned.Seconds()/period.Seconds(), 1),
	}
	a.append(pacer, length)
	return nil
}
