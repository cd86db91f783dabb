package scenarios

import (
	"math"

	"holobench/internal/draw"
)

// Amount is a quantity that is drawn anew each time, by a law of chance: a duration in ns, a size in bytes, or a number,
// as its place says. The zero Amount is always 0.
type Amount struct{ draw.Law }

// Exactly is the amount that is always v.
func Exactly(v float64) Amount { return Amount{draw.Law{Kind: draw.KindConstant, A: v}} }

// Draw is the amount that u makes, 0 < u < 1; it never falls as u rises.
func (a Amount) Draw(u float64) float64 { return a.Quantile(u) }

// Whole is Draw as a whole number; a range gives each of its whole numbers, both ends too, the same chance.
func (a Amount) Whole(u float64) int {
	v := a.Law
	if v.Kind == draw.KindUniform {
		v.A, v.B = math.Ceil(v.A), math.Floor(v.B)+1
		if v.B > v.A {
			drawn := math.Min(math.Floor(v.A+u*(v.B-v.A)), v.B-1) + v.Base
			if v.Cap > 0 {
				drawn = min(drawn, v.Cap)
			}
			return int(math.Round(drawn))
		}
	}
	return int(math.Round(math.Min(a.Quantile(u), math.MaxInt32)))
}

// Constant tells whether every draw is the same.
func (a Amount) Constant() bool { return a.Least() == a.Max() }

// Least is what no draw is below.
func (a Amount) Least() float64 { return a.Quantile(0) }

// Max is what no draw is above; it may be infinite.
func (a Amount) Max() float64 { return a.Quantile(1) }
