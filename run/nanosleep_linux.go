package run

import (
	"errors"
	"syscall"
	"time"
)

// Nanosleep sleeps in the kernel, precise to some 60 us. It keeps a thread for that long, so that it is for one goroutine
// and a short time. It is nil on systems where the Go runtime's timers have to do.
func Nanosleep() func(time.Duration) {
	return func(d time.Duration) {
		spec := syscall.NsecToTimespec(d.Nanoseconds())
		for errors.Is(syscall.Nanosleep(&spec, &spec), syscall.EINTR) {
			continue
		}
	}
}
