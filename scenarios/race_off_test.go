//go:build !race

package scenarios

// slowness is how many times slower than a plain build this one may be.
const slowness = 1
