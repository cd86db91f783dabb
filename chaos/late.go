package chaos

import (
	"context"
	"time"

	"holobench/internal/draw"
)

// Late makes every connection of dial deliver what it receives later by so much, in the order of arrival: a Delay that is
// always in force, on the way down, for whoever needs nothing else. Without a delay it is dial itself.
func Late(dial DialFunc, delay time.Duration) DialFunc {
	c, err := New(Options{Faults: []Fault{{
		Name: "late", Window: Window{Always: true}, Effect: Delay{Law: draw.Law{A: float64(delay)}},
	}}})
	if err != nil {
		return dial // it was no delay: of a constant above 0 there is nothing to complain
	}
	return c.Dial(dial, func(context.Context) (uint32, Path) { return 0, AnyPath })
}
