//go:build !linux

package run

// resident is not told by other systems without more code than it is worth here.
func resident() int64 { return 0 }

// residentOf is not told either.
func residentOf(int) int64 { return 0 }
