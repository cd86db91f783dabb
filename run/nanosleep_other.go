//go:build !linux

package run

import "time"

// Nanosleep is nil where the Go runtime's timers have to do.
func Nanosleep() func(time.Duration) { return nil }
