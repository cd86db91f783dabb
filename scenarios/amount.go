package scenarios

// Amount is a quantity that is drawn anew each time: one value, or a law of chance. Its unit is its place's: ns or bytes.
type Amount struct{ Least, Most float64 }
